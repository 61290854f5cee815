/** The discriminator's phases (spec page 5.4: Dmain and Dreg). */

import { parametersOf } from '../portrait/parameters.ts';
import {
  add,
  f32,
  type Graph,
  grad,
  mean,
  mul,
  neg,
  reduceSum,
  softplus,
  type Tensor,
  trace,
} from '../tensor/index.ts';
import { backwardGraph, LABELS } from './backward.ts';
import { type FakeSetting, fakeInputs, generateFakes, type PosedGenerator } from './fakes.ts';
import { poseDistance } from './generator-loss.ts';
import {
  type JudgeSetting,
  judge,
  judgeInputs,
  realInputs,
  realRecord,
  shown,
  type TrainedDiscriminator,
} from './judging.ts';
import type { LossOptions } from './options.ts';
import { predictionStatistics, type Statistics, scoreStatistics } from './statistics.ts';

/** Fakes for the discriminator: `image`, `raw`, `mask`, `pose` without gradient, and the mean style `wAvg` [W] that this
 * batch leaves behind: of all phases only the discriminator's main one moves it. */
export function fakesGraph(generator: PosedGenerator, setting: FakeSetting): Graph {
  return trace('fakes', fakeInputs(generator, setting), (given) => {
    const p = parametersOf(generator.shapes, LABELS.G);
    const { image, raw, mask, pose, wAvg } = generateFakes(p, generator, setting, given, false);
    return { image, raw, mask, pose, wAvg };
  });
}

/** First half of Dmain: `gain * mean[ softplus(D(fake)) + w_p sum6 (pD(fake) - pG)^2 ]`.
 *
 * Inputs: `image`, `raw`, `mask` and `pose` of {@link fakesGraph}, the cameras `c`, and those of `judgeInputs`.
 */
export function fakeLossGraph(
  discriminator: TrainedDiscriminator,
  setting: JudgeSetting & { readonly gain: number; readonly poseLossWeight: number },
): Graph {
  const { batch, neuralResolution: r, gain, poseLossWeight } = setting;
  const { resolution } = discriminator.config;
  const inputs = {
    image: f32(batch, 3, resolution, resolution),
    raw: f32(batch, 3, r, r),
    mask: f32(batch, 1, r, r),
    pose: f32(batch, 6),
    c: f32(batch, 25),
    ...judgeInputs(discriminator, setting),
  };
  return backwardGraph('Dmain fakes', LABELS.D, discriminator, inputs, (p, given) => {
    const { image, raw, mask } = given;
    const { logits, pose } = judge(p, discriminator, shown({ image, raw, mask }, given), given.c, given);
    const adversarial = softplus(logits); // [N, 1]
    const poseLoss = mul(poseDistance(pose, given.pose), poseLossWeight); // [N]
    return {
      loss: mul(add(mean(adversarial), mean(poseLoss)), gain),
      statistics: {
        ...scoreStatistics('fake', logits),
        'Loss/D/Poseloss': poseLoss,
        ...predictionStatistics('fake', pose, given.pose),
        'Loss/D/loss_gen': adversarial,
      },
    };
  });
}

export interface RealLossSetting extends JudgeSetting {
  readonly gain: number;
  readonly maskSide: number;
  readonly filterMode: LossOptions['filterMode'];
  /** Whether reals are judged: the second half of Dmain. */
  readonly adversarial: boolean;
  /** The weights of the gradient penalty; undefined leaves it out. */
  readonly penalty: Pick<LossOptions, 'r1Gamma' | 'r1GammaSeg'> | undefined;
}

/** What reals give: `gain * mean[ softplus(-D(real)) ]`, the gradient penalty (Mescheder et al. 2018), or both in one.
 *
 * The penalty is `gain * mean[ gamma/2 (|d image|^2 + |d raw|^2) + gamma_seg/2 |d mask|^2 ]`, d the gradient of the
 * summed scores: in the image as it is shown, blurred while the blur is on, and in raw image and mask at their own
 * resolution. Inputs: those of `realInputs`.
 */
export function realLossGraph(discriminator: TrainedDiscriminator, setting: RealLossSetting): Graph {
  const { gain, adversarial, penalty, neuralResolution, filterMode } = setting;
  const inputs = realInputs(discriminator, setting, setting.maskSide);
  const name = penalty === undefined ? 'Dmain reals' : adversarial ? 'Dboth reals' : 'Dreg';
  return backwardGraph(name, LABELS.D, discriminator, inputs, (p, given) => {
    const judged = shown(realRecord(given, neuralResolution, filterMode), given);
    const { logits, pose } = judge(p, discriminator, judged, given.c, given);
    const terms: Tensor[] = [];
    let statistics: Statistics = {
      ...scoreStatistics('real', logits),
      ...predictionStatistics('real', pose, given.pose),
    };
    if (adversarial) {
      const loss = softplus(neg(logits)); // [N, 1]
      statistics = { ...statistics, 'Loss/D/loss_real': loss };
      terms.push(mean(loss));
    }
    if (penalty !== undefined) {
      const slopes = grad(reduceSum(logits), [judged.image, judged.raw, judged.mask]);
      const [ofImage, ofRaw, ofMask] = slopes.map((slope) => reduceSum(mul(slope!, slope!), [1, 2, 3])); // [N]
      const ofPictures = add(ofImage, ofRaw);
      const loss = add(mul(ofPictures, penalty.r1Gamma / 2), mul(ofMask, penalty.r1GammaSeg / 2));
      statistics = {
        ...statistics,
        'Loss/r1_penalty': ofPictures,
        'Loss/r1_penalty_seg': ofMask,
        'Loss/D/reg': loss,
      };
      terms.push(mean(loss));
    }
    return { loss: mul(terms.reduce(add), gain), statistics };
  });
}
