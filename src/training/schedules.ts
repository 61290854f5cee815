/** Quantities that move with the number of images shown (spec pages 5.2 and 5.6). */

import type { AdamOptions, LossOptions } from './options.ts';

/** From 1 at the start to 0 after `kimg` thousand images; 0 throughout without a fade. */
function fadeOut(seen: number, kimg: number): number {
  return kimg > 0 ? Math.max(1 - seen / (1000 * kimg), 0) : 0;
}

/** Standard deviation of the blur on what the discriminator sees, pixels. */
export function blurSigmaAt(
  seen: number,
  { blurInitSigma, blurFadeKimg }: Pick<LossOptions, 'blurInitSigma' | 'blurFadeKimg'>,
): number {
  return fadeOut(seen, blurFadeKimg) * blurInitSigma;
}

/** Standard deviation of the noise on densities. */
export function densityNoiseAt(
  seen: number,
  { densityNoiseFadeKimg }: Pick<LossOptions, 'densityNoiseFadeKimg'>,
): number {
  return fadeOut(seen, densityNoiseFadeKimg);
}

/** Probability of a neighbour's condition: from 1 to `gpcRegProb`. Undefined when nothing is conditioned. */
export function swapProbabilityAt(
  seen: number,
  { gpcRegProb, gpcRegFadeKimg }: Pick<LossOptions, 'gpcRegProb' | 'gpcRegFadeKimg'>,
): number | undefined {
  if (gpcRegProb === undefined) return undefined;
  const done = gpcRegFadeKimg > 0 ? Math.min(seen / (1000 * gpcRegFadeKimg), 1) : 1;
  return 1 - done + done * gpcRegProb;
}

/** Side of the raw image.
 *
 * @param start images shown when this run began: a resumed run fades from there.
 */
export function neuralResolutionAt(
  seen: number,
  start: number,
  options: Pick<
    LossOptions,
    | 'neuralRenderingResolutionInitial'
    | 'neuralRenderingResolutionFinal'
    | 'neuralRenderingResolutionFadeKimg'
  >,
): number {
  const initial = options.neuralRenderingResolutionInitial;
  const final = options.neuralRenderingResolutionFinal;
  if (final === undefined) return initial;
  const fade = 1000 * options.neuralRenderingResolutionFadeKimg;
  // The published formula divides by a fade of 0; what it means is a jump.
  const done = fade > 0 ? Math.min((seen - start) / fade, 1) : 1;
  return roundHalfEven(initial * (1 - done) + final * done);
}

/** Scale of the pose regulariser: 1, then down to 0. Undefined when the term is dropped. */
export function poseRegScaleAt(
  seen: number,
  options: Pick<LossOptions, 'inputPoseParamsRegLossKimg' | 'inputPoseParamsRegLossFadeKimg'>,
): number | undefined {
  const hold = 1000 * options.inputPoseParamsRegLossKimg;
  const fade = 1000 * options.inputPoseParamsRegLossFadeKimg;
  if (seen >= hold + fade) return undefined;
  return seen < hold ? 1 : Math.max(1 - (seen - hold) / fade, 0);
}

/** All of them at one moment. */
export interface Schedule {
  readonly blurSigma: number;
  readonly densityNoise: number;
  readonly swapProbability: number | undefined;
  readonly neuralResolution: number;
  readonly poseRegScale: number | undefined;
}

export function scheduleAt(seen: number, start: number, options: LossOptions): Schedule {
  return {
    blurSigma: blurSigmaAt(seen, options),
    densityNoise: densityNoiseAt(seen, options),
    swapProbability: swapProbabilityAt(seen, options),
    neuralResolution: neuralResolutionAt(seen, start, options),
    poseRegScale: poseRegScaleAt(seen, options),
  };
}

/** Adam for a network that is regularised every `interval`-th iteration only (StyleGAN2, appendix B). */
export function lazyAdam({ lr, betas, eps }: AdamOptions, interval: number): AdamOptions {
  const share = interval / (interval + 1);
  return { lr: lr * share, betas: [betas[0] ** share, betas[1] ** share], eps };
}

/** Decay of the averaged networks.
 *
 * @param seen    images shown before this batch
 * @param rampup  share of the images shown that bounds the half-life; 'none' in a resumed run
 */
export function emaBetaAt(
  seen: number,
  batch: number,
  { kimg = (batch * 10) / 32, rampup = 0.05 }: { kimg?: number; rampup?: number | 'none' } = {},
): number {
  const halfLife = 1000 * kimg;
  return 0.5 ** (batch / Math.max(rampup === 'none' ? halfLife : Math.min(halfLife, seen * rampup), 1e-8));
}

/** To the nearest whole number, halves to the even one: 64.5 to 64, 65.5 to 66. */
function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}
