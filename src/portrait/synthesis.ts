/** StyleGAN2 synthesis blocks and network, skip architecture (spec pages 2.5 and 2.6). */

import {
  biasAct,
  broadcastTo,
  fullyConnected,
  type LayerTensors,
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
  resolution: number,
  options: BlockOptions,
  next?: Tensor,
): LayerTensors {
  return {
    weight: p.get('weight'),
    bias: p.get('bias'),
    styles,
    next,
    noise: layerNoise(p, resolution, styles.shape[0], options),
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

/** A block that doubles the size: up-sampling conv0, conv1. */
export function upBlock(p: Parameters, x: Tensor, w0: Tensor, w1: Tensor, options: BlockOptions): Tensor {
  const resolution = x.shape[2] * 2;
  const [conv0, conv1] = [p.scope('conv0'), p.scope('conv1')];
  const next = affine(conv1, w1);
  const y = synthesisUpLayer(x, layerTensors(conv0, affine(conv0, w0), resolution, options, next), options);
  return synthesisLayer(y, layerTensors(conv1, next, resolution, options), { ...options, scaled: true });
}

/** A block that keeps the size: conv0 (when it has one), conv1. */
export function plainBlock(
  p: Parameters,
  x: Tensor,
  w0: Tensor | undefined,
  w1: Tensor,
  options: BlockOptions,
): Tensor {
  const resolution = x.shape[2];
  const conv1 = p.scope('conv1');
  const next = affine(conv1, w1);
  if (w0 === undefined) return synthesisLayer(x, layerTensors(conv1, next, resolution, options), options);
  const conv0 = p.scope('conv0');
  const y = synthesisLayer(x, layerTensors(conv0, affine(conv0, w0), resolution, options, next), options);
  return synthesisLayer(y, layerTensors(conv1, next, resolution, options), { ...options, scaled: true });
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
  let x = broadcastTo(reshape(start, [1, ...start.shape]), [batch, ...start.shape]);
  x = plainBlock(b4, x, undefined, styleRow(ws, 0), options);
  let image = rgbLayer(b4.scope('torgb'), x, styleRow(ws, 1), options.clamp);
  for (let r = 8, row = 1; r <= resolution; r *= 2, row += 2) {
    const block = p.scope(`b${r}`);
    const torgb = block.scope('torgb');
    x = upBlock(block, x, styleRow(ws, row), styleRow(ws, row + 1), options);
    image = skipUp(image, rgbOf(torgb, x, styleRow(ws, row + 2)), torgb.get('bias'), options.clamp);
  }
  return image;
}
