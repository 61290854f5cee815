/** The small network from sampled features to density and colour features (spec page 2.7). */

import {
  biasAct,
  fullyConnected,
  fused,
  mean,
  mul,
  reshape,
  sampleTrigrid,
  sigmoid,
  sliceAxis,
  sub,
  type Tensor,
} from '../tensor/index.ts';
import { fusedGradient } from './fused-gradient.ts';
import type { Parameters } from './parameters.ts';

export type DecoderActivation = 'none' | 'sigmoid' | 'lrelu';

export interface DecoderOptions {
  readonly activation: DecoderActivation;
  readonly lrMultiplier: number;
}

export interface FieldOptions extends DecoderOptions {
  /** Layers of each plane. */
  readonly depth: number;
  /** Side of the cube that the planes cover, metres. */
  readonly boxWarp: number;
}

/** The decoder's weights as they are stored: [64, 32], [64], [33, 64], [33]. */
export interface DecoderWeights {
  readonly w0: Tensor;
  readonly b0: Tensor;
  readonly w1: Tensor;
  readonly b1: Tensor;
}

export function decoderWeights(p: Parameters): DecoderWeights {
  return {
    w0: p.get('net.0.weight'),
    b0: p.get('net.0.bias'),
    w1: p.get('net.2.weight'),
    b1: p.get('net.2.bias'),
  };
}

/** Decodes features sampled from the three planes.
 *
 * @param p        scope of the decoder
 * @param features [N, 3, P, C]
 * @returns sigma [N, P, 1] (before softplus) and rgb [N, P, 32]
 */
export function decode(
  p: Parameters,
  features: Tensor,
  options: DecoderOptions,
): { sigma: Tensor; rgb: Tensor } {
  return decodeBy(decoderWeights(p), features, options);
}

function decodeBy(
  { w0, b0, w1, b1 }: DecoderWeights,
  features: Tensor,
  options: DecoderOptions,
): { sigma: Tensor; rgb: Tensor } {
  const [batch, , count, channels] = features.shape;
  const rows = reshape(mean(features, [1]), [batch * count, channels]);
  const m = { lrMultiplier: options.lrMultiplier };
  const hidden = fullyConnected(rows, w0, b0, { ...m, activation: 'softplus' });
  const out = fullyConnected(hidden, w1, b1, m);
  const outputs = out.shape[1];
  const rgb = reshape(sliceAxis(out, 1, 1), [batch, count, outputs - 1]);
  return {
    sigma: reshape(sliceAxis(out, 1, 0, 1), [batch, count, 1]),
    rgb: activate(rgb, options.activation),
  };
}

function activate(rgb: Tensor, activation: DecoderActivation): Tensor {
  switch (activation) {
    case 'none':
      return rgb;
    case 'sigmoid':
      return sub(mul(sigmoid(rgb), 1.002), 0.001);
    case 'lrelu':
      return biasAct(rgb, undefined, { activation: 'lrelu' });
  }
}

/** The radiance field: canonical points [N, P, 3] to density and features. No crop, no softplus.
 *
 * The fused operation `decodePoints`; its gradient is `decodePointsGrad`.
 */
export function field(
  weights: DecoderWeights,
  planes: Tensor,
  points: Tensor,
  options: FieldOptions,
): { sigma: Tensor; rgb: Tensor } {
  const decoded = (given: Given): Decoded => decodedAt(given, options);
  const [sigma, rgb] = fusedField('decodePoints', weights, planes, points, options, decoded);
  return { sigma, rgb };
}

/** The density of `field` alone [N, P, 1], for surfaces: half the work and a thirty-third of the memory. */
export function density(
  weights: DecoderWeights,
  planes: Tensor,
  points: Tensor,
  options: FieldOptions,
): Tensor {
  const decoded = (given: Given): Decoded => ({ sigma: decodedAt(given, options).sigma });
  return fusedField('decodeDensity', weights, planes, points, options, decoded)[0];
}

type Given = Readonly<Record<string, Tensor>>;
type Decoded = Readonly<Record<string, Tensor>>;

function decodedAt(given: Given, options: FieldOptions): { sigma: Tensor; rgb: Tensor } {
  const { planes, points, w0, b0, w1, b1 } = given;
  return decodeBy({ w0, b0, w1, b1 }, sampleTrigrid(planes, points, options.depth, options.boxWarp), options);
}

function fusedField(
  name: 'decodePoints' | 'decodeDensity',
  { w0, b0, w1, b1 }: DecoderWeights,
  planes: Tensor,
  points: Tensor,
  { depth, boxWarp, activation, lrMultiplier }: FieldOptions,
  decoded: (given: Given) => Decoded,
): readonly Tensor[] {
  const attrs = { depth, boxWarp, activation, lrMultiplier };
  const inputs: Record<string, Tensor> = { points, planes, w0, b0, w1, b1 };
  return fused(name, attrs, inputs, decoded, fusedGradient('decodePointsGrad', attrs, decoded));
}
