/** What the discriminator is shown in training: spec page 5.3, `run_D` and the real record. */

import { type DiscriminatorConfig, discriminate, type Judged } from '../portrait/discriminator.ts';
import type { Parameters } from '../portrait/parameters.ts';
import { type Aval, div, f32, filteredResize, sub, type Tensor } from '../tensor/index.ts';
import type { TrainedNetwork } from './backward.ts';
import { blurBy } from './blur.ts';
import type { LossOptions } from './options.ts';

/** A discriminator with its settings. */
export interface TrainedDiscriminator extends TrainedNetwork {
  readonly config: DiscriminatorConfig;
}

/** What is built into a program that judges. */
export interface JudgeSetting {
  readonly batch: number;
  readonly neuralResolution: number;
  /** Whether the blur of early training is on: its matrices are inputs. */
  readonly blurred: boolean;
}

/** `blurImage` [R, R] while the blur is on, and `labelNoise` [N, 31] where the label has noise. */
export function judgeInputs(
  { config }: TrainedDiscriminator,
  { batch, blurred }: JudgeSetting,
): Record<string, Aval> {
  return {
    ...(blurred ? { blurImage: f32(config.resolution, config.resolution) } : {}),
    ...((config.conditionNoise ?? 0) > 0 ? { labelNoise: f32(batch, 31) } : {}),
  };
}

type Given = Readonly<Record<string, Tensor | undefined>>;

/** The record as the discriminator sees it: the blurred image takes the image's place, also for the gradient
 * penalty. The raw image is left as it is: that of fakes is not blurred, that of reals is already. */
export function shown(judged: Judged, given: Given): Judged {
  return given.blurImage === undefined ? judged : { ...judged, image: blurBy(judged.image, given.blurImage) };
}

/** Scores and predicted poses of what is shown. */
export function judge(
  p: Parameters,
  { config }: TrainedDiscriminator,
  judged: Judged,
  c: Tensor,
  given: Given,
): { logits: Tensor; pose: Tensor } {
  return discriminate(p, judged, c, config, undefined, given.labelNoise);
}

/** `realImage` [N, 3, R, R] and `realMask` [N, 1, S, S], bytes as numbers 0 to 255; `c` [N, 25] and `pose` [N, 6]
 * of the data set; `blurRaw` [r, r] while the blur is on. */
export function realInputs(
  discriminator: TrainedDiscriminator,
  setting: JudgeSetting,
  maskSide: number,
): Record<string, Aval> {
  const { batch, neuralResolution: r, blurred } = setting;
  const { resolution } = discriminator.config;
  return {
    realImage: f32(batch, 3, resolution, resolution),
    realMask: f32(batch, 1, maskSide, maskSide),
    c: f32(batch, 25),
    pose: f32(batch, 6),
    ...(blurred ? { blurRaw: f32(r, r) } : {}),
    ...judgeInputs(discriminator, setting),
  };
}

/** The real record: the raw image is blurred in its own pixels, the mask never. */
export function realRecord(
  given: Readonly<Record<string, Tensor>>,
  neuralResolution: number,
  filterMode: LossOptions['filterMode'],
): Judged {
  const image = sub(div(given.realImage, 127.5), 1);
  const resized = filteredResize(image, neuralResolution, filterMode);
  return {
    image,
    raw: given.blurRaw === undefined ? resized : blurBy(resized, given.blurRaw),
    mask: filteredResize(div(given.realMask, 255), neuralResolution, filterMode),
  };
}
