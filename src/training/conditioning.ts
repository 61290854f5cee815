/** Which styles a training sample gets: swapped conditions, mixed styles, a neighbour's background (spec page 5.3). */

import type { GeneratorConfig } from '../portrait/config.ts';
import { mapToW, updateWAvg } from '../portrait/mapping.ts';
import type { Parameters } from '../portrait/parameters.ts';
import {
  broadcastTo,
  concat,
  constant,
  iota,
  less,
  mul,
  type NdArray,
  ndarray,
  reshape,
  sliceAxis,
  type Tensor,
  where,
} from '../tensor/index.ts';
import { withValue } from './exact.ts';

/** Row i becomes row i - 1, the first the last: the neighbour of each sample. */
export function roll(x: Tensor): Tensor {
  const last = x.shape[0] - 1;
  return last === 0 ? x : concat([sliceAxis(x, 0, last), sliceAxis(x, 0, 0, last)], 0);
}

/** Who is conditioned on a neighbour: where the draw is less than the probability. */
export interface Swap {
  /** [N, 1], or [1, 1] where one draw serves the whole batch. */
  readonly u: Tensor;
  readonly probability: Tensor | number;
}

/** Where styles of a second latent take over. */
export interface Mixing {
  /** [N, zDim] */
  readonly z: Tensor;
  /** int32 scalar: rows from here on are the second latent's; numWs for none. */
  readonly cut: Tensor;
}

export interface StyleInputs {
  /** [N, zDim] */
  readonly z: Tensor;
  /** [N, 25] and [N, 6]: camera and pose of each sample itself. */
  readonly c: Tensor;
  readonly pose: Tensor;
  /** Undefined where nothing is conditioned: labels of zeros. */
  readonly swap: Swap | undefined;
  readonly mixing: Mixing | undefined;
}

export interface Styles {
  /** [N, numWs, W] */
  readonly ws: Tensor;
  /** [W] the tracked mean style after this batch; only the discriminator's main phase keeps it. */
  readonly wAvg: Tensor;
}

/** Latents to styles. Camera and pose swap together; mixed-in styles have their own camera and pose.
 *
 * @param p      the whole generator
 * @param values [N, W] of `plainStyles`, for the same conditions
 */
export function trainingStyles(
  p: Parameters,
  config: GeneratorConfig,
  given: StyleInputs,
  values: Tensor,
): Styles {
  const { z, c, pose, swap, mixing } = given;
  const net = p.scope('backbone').scope('mapping');
  const own = concat([c, pose], 1);
  const label =
    swap === undefined
      ? broadcastTo(constant(0), own.shape)
      : where(less(swap.u, swap.probability), roll(own), own);
  const map = (latent: Tensor, condition: Tensor): Tensor =>
    mapToW(net, latent, net.has('embed.weight') ? mul(condition, config.conditionScale) : undefined, {
      layers: config.mappingLayers,
    });
  const rows = (w: Tensor): Tensor =>
    broadcastTo(reshape(w, [w.shape[0], 1, w.shape[1]]), [w.shape[0], config.numWs, w.shape[1]]);
  const w = withValue(values, map(z, label));
  const wAvg = updateWAvg(net.get('w_avg'), w);
  if (mixing === undefined) return { ws: rows(w), wAvg };
  const kept = less(iota([1, config.numWs, 1], 1), mixing.cut);
  return { ws: where(kept, rows(w), rows(map(mixing.z, own))), wAvg };
}

/** The labels [N, 31] that {@link trainingStyles} conditions on, outside of a program: rows of the swapped and the
 * others, scaled.
 *
 * @param u           [N, 1], or [1, 1] for all
 * @param probability undefined where nothing is conditioned
 */
export function conditionLabels(
  c: NdArray,
  pose: NdArray,
  u: NdArray | undefined,
  probability: number | undefined,
  scale: number,
): NdArray {
  const batch = c.shape[0];
  const data = new Float32Array(batch * 31);
  if (u === undefined || probability === undefined) return ndarray([batch, 31], data);
  for (let n = 0; n < batch; n++) {
    const swapped = u.data[u.data.length === 1 ? 0 : n] < Math.fround(probability);
    const from = swapped ? (n + batch - 1) % batch : n;
    data.set(c.data.subarray(25 * from, 25 * from + 25), 31 * n);
    data.set(pose.data.subarray(6 * from, 6 * from + 6), 31 * n + 25);
  }
  return ndarray(
    [batch, 31],
    data.map((value) => value * Math.fround(scale)),
  );
}

/** Styles of the background: a neighbour's where the draw [N, 1, 1] is less than the probability. */
export function backgroundStyles(ws: Tensor, u: Tensor, probability: number): Tensor {
  return where(less(u, probability), roll(ws), ws);
}
