/** StyleGAN2 synthesis blocks and network, skip architecture (spec pages 2.5 and 2.6). */

import {
  biasAct,
  broadcastTo,
  fullyConnected,
  type LayerTensors,
  modulate,
  mul,
  reshape,
  skipUp,
  sliceAxis,
  synthesisLayer,
  synthesisUpLayer,
  type Tensor,
  toRgb,
} from '../tensor/index.ts';
import type { Parameters } from './parameters.ts';

/** Where the noise of a layer comes from. 'none' leaves it out; 'const' is the stored image; 'random' is injected. */
export type NoiseMode = 'const' | 'none' | 'random';

/** Gives the random noise of a layer, [N, r, r] standard normals, under its dotted name. */
export type NoiseSource = (layer: string, resolution: number, batch: number) => Tensor;

export interface BlockOptions {
  readonly noise: NoiseMode;
  readonly random?: NoiseSource | undefined;
  readonly clamp?: number | undefined;
}

/** Row `index` of styles [N, numWs, W] as [N, W]; a network with too few rows repeats the last. */
export function styleRow(ws: Tensor, index: number): Tensor {
  const row = Math.min(index, ws.shape[1] - 1);
  return reshape(sliceAxis(ws, 1, row, row + 1), [ws.shape[0], ws.shape[2]]);
}

/** Styles of one layer from its affine transform: [N, C]. */
export function affine(p: Parameters, w: Tensor): Tensor {
  return fullyConnected(w, p.get('affine.weight'), p.get('affine.bias'));
}

function layerTensors(
  p: Parameters,
  styles: Tensor,
  side: number,
  options: BlockOptions,
  next?: Tensor,
): LayerTensors {
  return {
    weight: p.get('weight'),
    bias: p.get('bias'),
    styles,
    next,
    noise: layerNoise(p, side, styles.shape[0], options),
  };
}

function layerNoise(
  p: Parameters,
  resolution: number,
  batch: number,
  options: BlockOptions,
): Tensor | undefined {
  if (options.noise === 'none' || !p.has('noise_strength')) return undefined;
  const strength = p.get('noise_strength');
  if (options.noise === 'const')
    return mul(reshape(p.get('noise_const'), [1, resolution, resolution]), strength);
  if (options.random === undefined) throw new Error(`internal: no source of noise for ${p.prefix}`);
  return mul(options.random(p.prefix.slice(0, -1), resolution, batch), strength);
}

/** A block's result for its readers: ToRGB takes `value`; `scaled` has the following convolution's styles on it. */
export interface BlockResult {
  readonly value: Tensor;
  readonly scaled: Tensor | undefined;
}

/** A block that doubles the size: up-sampling conv0, conv1.
 *
 * @param x         [N, C, H, W] with conv0's styles on its channels
 * @param following styles [N, O] of the convolution that reads the result, if one does
 */
export function upBlock(
  p: Parameters,
  x: Tensor,
  w0: Tensor,
  w1: Tensor,
  options: BlockOptions,
  following?: Tensor,
): BlockResult {
  const side = x.shape[2] * 2;
  const [conv0, conv1] = [p.scope('conv0'), p.scope('conv1')];
  const next = affine(conv1, w1);
  const { scaled } = synthesisUpLayer(x, layerTensors(conv0, affine(conv0, w0), side, options, next), {
    ...options,
    keep: false,
  });
  return lastLayer(conv1, scaled!, next, options, following);
}

/** A block that keeps the size: conv0 (when it has one), conv1. Arguments as `upBlock`; `x` carries the styles
 * of its first convolution. */
export function plainBlock(
  p: Parameters,
  x: Tensor,
  w0: Tensor | undefined,
  w1: Tensor,
  options: BlockOptions,
  following?: Tensor,
): BlockResult {
  const conv1 = p.scope('conv1');
  const next = affine(conv1, w1);
  if (w0 === undefined) return lastLayer(conv1, x, next, options, following);
  const conv0 = p.scope('conv0');
  const layer = layerTensors(conv0, affine(conv0, w0), x.shape[2], options, next);
  const { scaled } = synthesisLayer(x, layer, { ...options, keep: false });
  return lastLayer(conv1, scaled!, next, options, following);
}

function lastLayer(
  p: Parameters,
  x: Tensor,
  styles: Tensor,
  options: BlockOptions,
  following?: Tensor,
): BlockResult {
  const { value, scaled } = synthesisLayer(
    x,
    layerTensors(p, styles, x.shape[2], options, following),
    options,
  );
  return { value: value!, scaled };
}

/** ToRGB before its bias: [N, img, H, W]; the fan-in gain sits in the styles. */
export function rgbOf(p: Parameters, x: Tensor, w: Tensor): Tensor {
  return toRgb(x, p.get('weight'), mul(affine(p, w), 1 / Math.sqrt(x.shape[1])));
}

/** ToRGB with bias and clamp. */
export function rgbLayer(p: Parameters, x: Tensor, w: Tensor, clamp?: number): Tensor {
  return biasAct(rgbOf(p, x, w), p.get('bias'), { clamp });
}

/** The whole network from its constant to an image of `resolution`.
 *
 * @param p   scope holding `b4`, `b8`, ...
 * @param ws  [N, 2 log2(resolution) - 2, W]; missing rows repeat the last.
 * @returns   [N, img_channels, resolution, resolution]
 */
export function synthesisNetwork(
  p: Parameters,
  ws: Tensor,
  resolution: number,
  options: BlockOptions,
): Tensor {
  const batch = ws.shape[0];
  const b4 = p.scope('b4');
  const start = b4.get('const');
  const stylesOf = (layer: Parameters, row: number): Tensor => affine(layer, styleRow(ws, row));
  const first = modulate(
    broadcastTo(reshape(start, [1, ...start.shape]), [batch, ...start.shape]),
    stylesOf(b4.scope('conv1'), 0),
  );
  const following = (r: number, row: number): Tensor | undefined =>
    r < resolution ? stylesOf(p.scope(`b${r * 2}`).scope('conv0'), row) : undefined;
  let x = plainBlock(b4, first, undefined, styleRow(ws, 0), options, following(4, 1));
  let image = rgbLayer(b4.scope('torgb'), x.value, styleRow(ws, 1), options.clamp);
  for (let r = 8, row = 1; r <= resolution; r *= 2, row += 2) {
    const block = p.scope(`b${r}`);
    const torgb = block.scope('torgb');
    x = upBlock(block, x.scaled!, styleRow(ws, row), styleRow(ws, row + 1), options, following(r, row + 2));
    image = skipUp(image, rgbOf(torgb, x.value, styleRow(ws, row + 2)), torgb.get('bias'), options.clamp);
  }
  return image;
}
