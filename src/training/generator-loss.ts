/** The generator's main phase: adversarial loss and pose regulariser (spec page 5.4, Gmain). */

import { parametersOf } from '../portrait/parameters.ts';
import {
  add,
  f32,
  type Graph,
  mean,
  mul,
  neg,
  reduceSum,
  softplus,
  sub,
  type Tensor,
} from '../tensor/index.ts';
import { backwardGraph, LABELS, type TrainedNetwork } from './backward.ts';
import { type FakeSetting, fakeInputs, generateFakes, type PosedGenerator } from './fakes.ts';
import { type JudgeSetting, judge, judgeInputs, shown, type TrainedDiscriminator } from './judging.ts';
import { scoreStatistics } from './statistics.ts';

/** A generator with its body and its settings. */
export type TrainedGenerator = PosedGenerator & TrainedNetwork;

export interface GeneratorLossSetting extends FakeSetting, JudgeSetting {
  readonly gain: number;
  /** Weight of the pose regulariser; undefined once it is dropped. */
  readonly poseRegWeight: number | undefined;
}

/** Sum over the six numbers of squared differences of poses: [N]. */
export function poseDistance(a: Tensor, b: Tensor): Tensor {
  const off = sub(a, b);
  return reduceSum(mul(off, off), [1]);
}

/** `gain * mean[ softplus(-D(fake)) + s w sum6 (pG - pose)^2 ]`.
 *
 * Inputs: those of `fakeInputs` and `judgeInputs`, and for the regulariser `pose` [N, 6], the coarse poses that
 * belong to the cameras, and its scale `poseRegScale`. The discriminator's weights are frozen.
 */
export function generatorLossGraph(
  generator: TrainedGenerator,
  discriminator: TrainedDiscriminator,
  setting: GeneratorLossSetting,
): Graph {
  const { batch, gain, poseRegWeight } = setting;
  const inputs = {
    ...fakeInputs(generator, setting),
    ...judgeInputs(discriminator, setting),
    ...(poseRegWeight === undefined ? {} : { pose: f32(batch, 6), poseRegScale: f32() }),
  };
  return backwardGraph('Gmain', LABELS.G, generator, inputs, (p, given) => {
    const fakes = generateFakes(p, generator, setting, given, true);
    const d = parametersOf(discriminator.shapes, LABELS.D);
    const { logits } = judge(d, discriminator, shown(fakes, given), given.c, given);
    const adversarial = softplus(neg(logits)); // [N, 1]
    const statistics = {
      ...scoreStatistics('fake_posed', logits),
      'Loss/G/Dloss': adversarial,
      'Loss/G/loss': adversarial,
    };
    if (poseRegWeight === undefined) return { loss: mul(mean(adversarial), gain), statistics };
    const regulariser = mul(mul(poseDistance(fakes.pose, given.pose), poseRegWeight), given.poseRegScale); // [N]
    return {
      loss: mul(add(mean(adversarial), mean(regulariser)), gain),
      statistics: {
        ...statistics,
        'Progress/pose_params_reg_loss_weight_scale': given.poseRegScale,
        'Loss/D/input_pose_params_reg_loss': regulariser,
      },
    };
  });
}
