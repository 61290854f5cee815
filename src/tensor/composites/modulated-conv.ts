/** Convolution whose input channels are scaled by a style, and whose output is normalised (spec page 2.5). */

import type { Tensor } from '../graph.ts';
import { add } from '../primitives/add.ts';
import { div } from '../primitives/div.ts';
import { matmul } from '../primitives/matmul.ts';
import { mul } from '../primitives/mul.ts';
import { reduceSum } from '../primitives/reduce-sum.ts';
import { reshape } from '../primitives/reshape.ts';
import { sqrt } from '../primitives/sqrt.ts';
import { transpose } from '../primitives/transpose.ts';
import { conv2dResample, type ResampleOptions } from './conv2d-resample.ts';
import type { Taps } from './fir.ts';

/** Where the style goes: into one weight per sample, or into the activations before and after one shared weight. */
export type ModulationForm = 'weights' | 'activations';

export interface ModulatedConvOptions extends ResampleOptions {
  readonly demodulate?: boolean;
  /** Added to the result; broadcasts to [N, O, H, W]. */
  readonly noise?: Tensor | undefined;
  readonly taps?: Taps;
  readonly form?: ModulationForm;
}

/** `1 / sqrt(sum over inputs and taps of (weight * style)^2 + 1e-8)` (Karras et al. 2020, equation 3).
 *
 * @param weight [O, C, kh, kw]
 * @param styles [N, C]
 * @returns      [N, O]
 */
export function demodulation(weight: Tensor, styles: Tensor): Tensor {
  const energy = reduceSum(mul(weight, weight), [2, 3]);
  return div(1, sqrt(add(matmul(mul(styles, styles), transpose(energy, [1, 0])), 1e-8)));
}

/** Modulated convolution.
 *
 * Both forms give the same up to rounding. 'weights' makes one weight per sample for a grouped convolution;
 * 'activations' scales the input and the output and keeps one constant weight, which engines can prepack.
 *
 * @param x      [N, C, H, W]
 * @param weight [O, C, kh, kw]
 * @param styles [N, C]
 */
export function modulatedConv2d(
  x: Tensor,
  weight: Tensor,
  styles: Tensor,
  options: ModulatedConvOptions = {},
): Tensor {
  const { demodulate = true, noise, taps, form = 'activations', ...resample } = options;
  const y =
    form === 'weights'
      ? modulateWeights(x, weight, styles, demodulate, taps, resample)
      : modulateActivations(x, weight, styles, demodulate, taps, resample);
  return noise === undefined ? y : add(y, noise);
}

function modulateActivations(
  x: Tensor,
  weight: Tensor,
  styles: Tensor,
  demodulate: boolean,
  taps: Taps | undefined,
  options: ResampleOptions,
): Tensor {
  const y = conv2dResample(mul(x, perChannel(styles)), weight, taps, options);
  return demodulate ? mul(y, perChannel(demodulation(weight, styles))) : y;
}

function modulateWeights(
  x: Tensor,
  weight: Tensor,
  styles: Tensor,
  demodulate: boolean,
  taps: Taps | undefined,
  options: ResampleOptions,
): Tensor {
  const [batch, channels, height, width] = x.shape;
  const [out, , rows, columns] = weight.shape;
  let scaled = mul(reshape(weight, [1, ...weight.shape]), reshape(styles, [batch, 1, channels, 1, 1]));
  if (demodulate) scaled = mul(scaled, reshape(demodulation(weight, styles), [batch, out, 1, 1, 1]));
  const grouped = reshape(scaled, [batch * out, channels, rows, columns]);
  const y = conv2dResample(reshape(x, [1, batch * channels, height, width]), grouped, taps, {
    ...options,
    groups: batch,
  });
  return reshape(y, [batch, out, y.shape[2], y.shape[3]]);
}

/** [N, C] to [N, C, 1, 1]. */
export function perChannel(x: Tensor): Tensor {
  return reshape(x, [x.shape[0], x.shape[1], 1, 1]);
}
