/** The mapping network: latent and labels to styles (spec page 2.3). */

import {
  type Aval,
  add,
  broadcastTo,
  concat,
  fullyConnected,
  iota,
  less,
  mean,
  mul,
  normalizeSecondMoment,
  reshape,
  sub,
  type Tensor,
  where,
} from '../tensor/index.ts';
import type { Parameters } from './parameters.ts';

/** Learning-rate multiplier of the layers; fixed by the published code. */
export const MAPPING_LR_MULTIPLIER = 0.01;
/** Decay of the tracked mean style. */
export const W_AVG_BETA = 0.998;

export interface MappingOptions {
  readonly layers: number;
  readonly numWs: number;
  readonly lrMultiplier?: number;
}

/** Style before it is repeated and truncated: [N, W].
 *
 * @param z     [N, zDim]
 * @param label [N, labelDim], or undefined when the network has no `embed`.
 */
export function mapToW(
  p: Parameters,
  z: Tensor | undefined,
  label: Tensor | undefined,
  options: Omit<MappingOptions, 'numWs'>,
): Tensor {
  const { layers, lrMultiplier = MAPPING_LR_MULTIPLIER } = options;
  const parts: Tensor[] = [];
  if (z !== undefined) parts.push(normalizeSecondMoment(z));
  if (label !== undefined) {
    parts.push(normalizeSecondMoment(fullyConnected(label, p.get('embed.weight'), p.get('embed.bias'))));
  }
  let x = concat(parts, 1);
  for (let i = 0; i < layers; i++) {
    x = fullyConnected(x, p.get(`fc${i}.weight`), p.get(`fc${i}.bias`), {
      activation: 'lrelu',
      lrMultiplier,
    });
  }
  return x;
}

/** Styles [N, numWs, W], not truncated. */
export function mapping(
  p: Parameters,
  z: Tensor,
  label: Tensor | undefined,
  options: MappingOptions,
): Tensor {
  const w = mapToW(p, z, label, options);
  const [batch, width] = w.shape;
  return broadcastTo(reshape(w, [batch, 1, width]), [batch, options.numWs, width]);
}

/** Pulls the first `cutoff` rows of styles towards the mean style.
 *
 * @param ws     [N, numWs, W]
 * @param wAvg   [W]
 * @param psi    scalar tensor: 1 keeps, 0 gives the mean.
 * @param cutoff int32 scalar tensor: rows below it are truncated.
 */
export function truncate(ws: Tensor, wAvg: Tensor, psi: Tensor, cutoff: Tensor): Tensor {
  const pulled = add(wAvg, mul(psi, sub(ws, wAvg)));
  return where(less(iota([1, ws.shape[1], 1], 1), cutoff), pulled, ws);
}

/** The tracked mean style after a batch: `m + beta (w_avg - m)`, m the batch's mean of w. */
export function updateWAvg(wAvg: Tensor, w: Tensor, beta = W_AVG_BETA): Tensor {
  const m = mean(w, [0]);
  return add(m, mul(sub(wAvg, m), beta));
}

/** Shapes of a mapping network's parameters, in registration order. */
export function mappingShapes(options: {
  zDim: number;
  labelDim: number;
  wDim: number;
  layers: number;
}): [string, Aval][] {
  const { zDim, labelDim, wDim, layers } = options;
  const entries: [string, Aval][] = [];
  const add2 = (name: string, ...shape: number[]): void => {
    entries.push([name, { dtype: 'float32', shape }]);
  };
  if (labelDim > 0) {
    add2('embed.weight', wDim, labelDim);
    add2('embed.bias', wDim);
  }
  for (let i = 0; i < layers; i++) {
    add2(`fc${i}.weight`, wDim, i === 0 ? zDim + (labelDim > 0 ? wDim : 0) : wDim);
    add2(`fc${i}.bias`, wDim);
  }
  return entries;
}
