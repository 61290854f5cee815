/**
 * The passes between the convolutions of a synthesis network, as fused operations.
 *
 * A convolution is dense arithmetic; what follows it (FIR, demodulation, noise, bias, activation, the next
 * layer's style) is one walk over memory when done at once and six when done apart. Engines may carry
 * kernels named `layerEpilogue`, `foldUp` and `skipUp`.
 */

import { fused } from '../fused.ts';
import type { Tensor } from '../graph.ts';
import { add } from '../primitives/add.ts';
import { broadcastTo } from '../primitives/broadcast.ts';
import { constant } from '../primitives/constant.ts';
import { conv2d } from '../primitives/conv2d.ts';
import { conv2dTranspose } from '../primitives/conv2d-transpose.ts';
import { matmul } from '../primitives/matmul.ts';
import { mul } from '../primitives/mul.ts';
import { reshape } from '../primitives/reshape.ts';
import { transpose } from '../primitives/transpose.ts';
import { ndarray } from '../types.ts';
import { biasAct, LRELU_SLOPE } from './activation.ts';
import { DEFAULT_TAPS, upfirdn2d, upsample2d } from './fir.ts';
import { demodulation, type ModulationForm, perChannel } from './modulated-conv.ts';

export interface LayerOptions {
  /** Bound after activation and gain; undefined for none. */
  readonly clamp?: number | undefined;
  readonly gain?: number;
}

/** What a layer adds to its convolution. */
export interface LayerTensors {
  /** [O, C, 3, 3] */
  readonly weight: Tensor;
  /** [O] */
  readonly bias: Tensor;
  /** [N, C], affine output */
  readonly styles: Tensor;
  /** [1 or N, H, W], strength included; undefined for none */
  readonly noise?: Tensor | undefined;
  /** [N, O]: style of the next layer, when that layer is the only reader of the result. */
  readonly next?: Tensor | undefined;
}

/** Demodulated 3x3 convolution, noise, bias, leaky ReLU, gain, clamp, next style.
 *
 * @param x       [N, C, H, W]
 * @param scaled  true when `x` already carries the styles (its producer had them as `next`).
 */
export function synthesisLayer(
  x: Tensor,
  layer: LayerTensors,
  options: LayerOptions & { scaled?: boolean } = {},
): Tensor {
  const input = options.scaled ? x : mul(x, perChannel(layer.styles));
  return layerEpilogue(
    'layerEpilogue',
    conv2d(input, layer.weight, { padding: 1 }),
    layer,
    options,
    (y) => y,
  );
}

/** The same with two-fold up-sampling in front: transposed convolution and FIR.
 *
 * The transposed convolution is a matrix product that gives every tap its own image, [O * 9, H * W]; the
 * kernel adds the taps up where they fall, filters and finishes the layer in one pass.
 *
 * @param form  whether styles scale the 9 O x C weights or the C x H W activations; the smaller by default.
 */
export function synthesisUpLayer(
  x: Tensor,
  layer: LayerTensors,
  options: LayerOptions & { form?: ModulationForm } = {},
): Tensor {
  const [batch, channels, height, width] = x.shape;
  const out = layer.weight.shape[0];
  const form = options.form ?? (9 * out < height * width ? 'weights' : 'activations');
  const flat = reshape(transpose(layer.weight, [0, 2, 3, 1]), [out * 9, channels]);
  const pixels = reshape(form === 'weights' ? x : mul(x, perChannel(layer.styles)), [
    batch,
    channels,
    height * width,
  ]);
  const left =
    form === 'weights'
      ? mul(reshape(flat, [1, out * 9, channels]), reshape(layer.styles, [batch, 1, channels]))
      : reshape(flat, [1, out * 9, channels]);
  const taps = reshape(matmul(left, pixels), [batch, out * 9, height, width]);
  return layerEpilogue('foldUp', taps, layer, options, foldTaps);
}

/** Adds nine tap images of every channel where a stride-2 transposed convolution puts them, then the FIR. */
function foldTaps(taps: Tensor): Tensor {
  const out = taps.shape[1] / 9;
  const identity = Array.from({ length: 81 }, (_, i) => (Math.floor(i / 9) === i % 9 ? 1 : 0));
  const kernel = broadcastTo(constant(ndarray([1, 9, 1, 3, 3], identity)), [out, 9, 1, 3, 3]);
  const spread = conv2dTranspose(taps, reshape(kernel, [out * 9, 1, 3, 3]), { stride: 2, groups: out });
  return upfirdn2d(spread, DEFAULT_TAPS, { padding: 1, gain: 4 });
}

function layerEpilogue(
  name: string,
  y: Tensor,
  layer: LayerTensors,
  options: LayerOptions,
  prepare: (y: Tensor) => Tensor,
): Tensor {
  const gain = (options.gain ?? 1) * Math.SQRT2;
  const clamp = options.clamp === undefined ? undefined : options.clamp * (options.gain ?? 1);
  const inputs: Record<string, Tensor> = {
    y,
    demod: demodulation(layer.weight, layer.styles),
    bias: layer.bias,
  };
  if (layer.noise !== undefined) inputs.noise = layer.noise;
  if (layer.next !== undefined) inputs.next = layer.next;
  const attrs = {
    slope: LRELU_SLOPE,
    gain,
    clamp: clamp ?? 0,
    noise: layer.noise !== undefined,
    next: layer.next !== undefined,
  };
  const [result] = fused(name, attrs, inputs, (given) => {
    let value = mul(prepare(given.y), perChannel(given.demod));
    if (given.noise !== undefined) {
      const [noises, rows, columns] = given.noise.shape;
      value = add(value, reshape(given.noise, [noises, 1, rows, columns]));
    }
    value = biasAct(value, given.bias, { activation: 'lrelu', gain, clamp });
    return { value: given.next === undefined ? value : mul(value, perChannel(given.next)) };
  });
  return result;
}

/** A skip connection's image: the new contribution with its bias, on top of the previous image enlarged.
 *
 * @param previous [N, C, H, W]
 * @param y        [N, C, 2H, 2W]
 * @param bias     [C]
 */
export function skipUp(previous: Tensor, y: Tensor, bias: Tensor, clamp?: number): Tensor {
  const [result] = fused('skipUp', { clamp: clamp ?? 0 }, { previous, y, bias }, (given) => {
    const addition = biasAct(given.y, given.bias, { clamp });
    return { image: add(upsample2d(given.previous), addition) };
  });
  return result;
}

/** 1x1 modulated convolution without demodulation, as a matrix product; styles scale the small weight.
 *
 * @param x      [N, C, H, W]
 * @param weight [O, C, 1, 1]
 * @param styles [N, C], the fan-in gain included
 */
export function toRgb(x: Tensor, weight: Tensor, styles: Tensor): Tensor {
  const [batch, channels, height, width] = x.shape;
  const out = weight.shape[0];
  const modulated = mul(reshape(weight, [1, out, channels]), reshape(styles, [batch, 1, channels]));
  return reshape(matmul(modulated, reshape(x, [batch, channels, height * width])), [
    batch,
    out,
    height,
    width,
  ]);
}
