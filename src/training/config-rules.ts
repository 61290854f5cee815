/** Rules between settings: what each alone may be is in the tables. */

import { UsageError } from '../errors.ts';
import { discriminatorPlan, generatorPlan } from '../portrait/presets.ts';
import type { CommonConfig, RunConfig, TeachConfig, TrainConfig } from './config.ts';
import { presetOfRun } from './network-settings.ts';
import { frozenLayers, scaledBy } from './parameter-groups.ts';

/** @param ranks processes that share a batch
 * @throws UsageError naming the settings that do not go together. */
export function checkTraining(config: TrainConfig, ranks = 1): void {
  checkCommon(config);
  checkBatch(config, ranks);
  if (!config.useBackground && config.bcgRegProb > 0)
    throw new UsageError(
      `bcgRegProb is ${config.bcgRegProb}, but useBackground is false: there is nothing to swap; set bcgRegProb 0`,
    );
  checkRawSide(config);
  const layers = frozenLayers(discriminatorPlan(presetOfRun(config)), Number.POSITIVE_INFINITY).length;
  if (config.freezeD > layers)
    throw new UsageError(
      `freezeD is ${config.freezeD}, but the discriminator of ${config.preset} has ${layers} layers`,
    );
}

/** What is allowed, but hardly meant. */
export function remarksOn(config: RunConfig): string[] {
  if (config.command === 'teach') return [];
  const remarks: string[] = [];
  if (config.init === null && !config.trainPoseBranch)
    remarks.push(
      `stage ${config.stage} does not train how poses are imagined, and nothing was learnt before: they stay random; give networks with --init, or --train-pose-branch`,
    );
  if (config.stage === 3 && config.neuralRenderingResolutionFinal === null)
    remarks.push(
      `the raw picture of ${config.preset} has the side that super-resolution works on: stage 3 does not raise it`,
    );
  return remarks;
}

/** @throws UsageError naming the settings that do not go together. */
export function checkTeaching(config: TeachConfig): void {
  checkCommon(config);
  const preset = presetOfRun(config);
  if (config.rays > config.across)
    throw new UsageError(`rays is ${config.rays}, but the whole picture has ${config.across} (across)`);
  if (config.planes > preset.planeResolution || !Number.isInteger(Math.log2(config.planes)))
    throw new UsageError(
      `planes is ${config.planes}; the network has blocks of 4, 8 and so on to ${preset.planeResolution}`,
    );
  if (config.lrEnd > config.lr)
    throw new UsageError(`lrEnd is ${config.lrEnd}, above lr, which is ${config.lr}: it only falls`);
}

function checkCommon(config: CommonConfig): void {
  if (config.data === '')
    throw new UsageError('data is missing: which pictures to train on (a zip or a folder)');
  if (config.kimg <= config.startKimg)
    throw new UsageError(
      `kimg is ${config.kimg} and startKimg ${config.startKimg}: nothing is left to do; kimg counts all images, those before startKimg too`,
    );
  if (config.checkpointMinutes === null && config.checkpointKimg === null)
    throw new UsageError(
      'checkpointMinutes and checkpointKimg are both null: nothing would ever be saved; set one of them',
    );
  checkWidths(config);
  checkScales(config);
}

/** Every layer needs a channel. */
function checkWidths(config: CommonConfig): void {
  const preset = presetOfRun(config);
  const background = preset.useBackground ? 2 * preset.backgroundResolution : 0;
  const least = Math.max(preset.resolution, preset.planeResolution, background);
  if (config.channelBase < least)
    throw new UsageError(
      `channelBase is ${config.channelBase}; with ${config.preset} it must be at least ${least}, or layers are left without channels`,
    );
}

/** A beginning that no parameter has is a slip of the pen. */
function checkScales({ lrScales, ...config }: CommonConfig): void {
  const preset = presetOfRun(config);
  const names = [
    ...[...generatorPlan(preset).keys()].map((name) => ['G', name] as const),
    ...[...discriminatorPlan(preset).keys()].map((name) => ['D', name] as const),
  ];
  for (const prefix of Object.keys(lrScales)) {
    if (!names.some(([network, name]) => scaledBy(prefix, network, name)))
      throw new UsageError(
        `lrScales: no parameter begins with "${prefix}"; one could write "backbone.mapping." or "G/pose_branch."`,
      );
  }
}

/** Divides a batch. @throws UsageError when it does not divide. */
export function accumulations(
  { batch, microBatch, mbstdGroup }: Pick<TrainConfig, 'batch' | 'microBatch' | 'mbstdGroup'>,
  ranks: number,
): number {
  if (batch % (microBatch * ranks) !== 0) {
    const shared = ranks === 1 ? '' : ` times ${ranks} processes`;
    throw new UsageError(
      `batch is ${batch}, which is no multiple of microBatch ${microBatch}${shared}; change one of them`,
    );
  }
  if (microBatch % mbstdGroup !== 0)
    throw new UsageError(
      `microBatch is ${microBatch}, which is no multiple of mbstdGroup ${mbstdGroup}, the pictures that the discriminator compares; change one of them`,
    );
  return batch / (microBatch * ranks);
}

/** Whether so many ranks can share a batch. @throws UsageError naming what does not divide. */
export function checkRanks(config: RunConfig, ranks: number): void {
  if (config.command === 'train') accumulations(config, ranks);
  else if (config.people % ranks !== 0)
    throw new UsageError(
      `people is ${config.people}, which ${ranks} ranks cannot share evenly; change one of them`,
    );
}

function checkBatch(config: TrainConfig, ranks: number): void {
  accumulations(config, ranks);
  if (config.conditionNoise > 0 && config.microBatch < 2)
    throw new UsageError(
      `conditionNoise is ${config.conditionNoise} and microBatch 1: noise in deviations of a batch needs at least 2`,
    );
}

function checkRawSide(config: TrainConfig): void {
  const { resolution } = presetOfRun(config);
  const sides = {
    neuralRenderingResolutionInitial: config.neuralRenderingResolutionInitial,
    neuralRenderingResolutionFinal: config.neuralRenderingResolutionFinal,
  };
  for (const [name, side] of Object.entries(sides)) {
    if (side !== null && side > resolution)
      throw new UsageError(`${name} is ${side}, larger than the picture, whose side is ${resolution}`);
  }
}
