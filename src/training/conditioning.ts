/** Which styles a training sample gets: swapped conditions, mixed styles, a neighbour's background (spec page 5.3). */

import type { GeneratorConfig } from '../portrait/config.ts';
import { mapping, updateWAvg } from '../portrait/mapping.ts';
import type { Parameters } from '../portrait/parameters.ts';
import {
  broadcastTo,
  concat,
  constant,
  iota,
  less,
  mul,
  reshape,
  sliceAxis,
  type Tensor,
  where,
} from '../tensor/index.ts';

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
 * @param p the whole generator
 */
export function trainingStyles(p: Parameters, config: GeneratorConfig, given: StyleInputs): Styles {
  const { z, c, pose, swap, mixing } = given;
  const net = p.scope('backbone').scope('mapping');
  const own = concat([c, pose], 1);
  const label =
    swap === undefined
      ? broadcastTo(constant(0), own.shape)
      : where(less(swap.u, swap.probability), roll(own), own);
  const map = (latent: Tensor, condition: Tensor): Tensor =>
    mapping(net, latent, net.has('embed.weight') ? mul(condition, config.conditionScale) : undefined, {
      layers: config.mappingLayers,
      numWs: config.numWs,
    });
  const ws = map(z, label);
  const first = reshape(sliceAxis(ws, 1, 0, 1), [ws.shape[0], ws.shape[2]]);
  const wAvg = updateWAvg(net.get('w_avg'), first);
  if (mixing === undefined) return { ws, wAvg };
  const kept = less(iota([1, config.numWs, 1], 1), mixing.cut);
  return { ws: where(kept, ws, map(mixing.z, own)), wAvg };
}

/** Styles of the background: a neighbour's where the draw [N, 1, 1] is less than the probability. */
export function backgroundStyles(ws: Tensor, u: Tensor, probability: number): Tensor {
  return where(less(u, probability), roll(ws), ws);
}
