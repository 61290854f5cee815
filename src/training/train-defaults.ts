/**
 * Defaults: from the settings that somebody chose to a whole configuration.
 *
 * The published numbers where they make sense at any size; where they belong to 512 px, batches of 32 or millions of
 * images, the rule that gives them there. docs/training.md, "Presets and their schedules", says where each rule is from.
 */

import { type PresetName, presetOf } from '../portrait/presets.ts';
import { inputResolution } from '../portrait/superresolution.ts';
import type { CommonConfig, RunConfig, TeachConfig, TrainConfig } from './config.ts';
import { checkTeaching, checkTraining } from './config-rules.ts';
import { networkSettings } from './network-settings.ts';
import { PRESET_SCHEDULES, stageKimg } from './preset-schedules.ts';
import { readSettings, type Settings } from './settings.ts';
import { TAUGHT_WEIGHTS } from './taught-options.ts';
import { TAUGHT_RATES } from './taught-start.ts';
import { TEACH_SETTINGS } from './teach-settings.ts';
import { TRAIN_SETTINGS } from './train-settings.ts';

/** The smallest preset whose pictures show faces. */
const PRESET: PresetName = '64-32';

/** The published numbers: side, batch, raw side of the first stages, and blur, pixels. */
const PUBLISHED = { side: 512, batch: 32, rawSide: 64, blur: 10 } as const;

/** Lines of statistics of a run, where the published 4 thousand images between them would give fewer. */
const TICKS = 200;

/** A configuration of adversarial training.
 *
 * @param given settings that are not to be the default
 * @param ranks processes that share a batch
 * @throws UsageError naming the setting, its value and what is allowed
 */
export function trainConfig(given: Partial<TrainConfig>, ranks = 1): TrainConfig {
  const settings = readSettings(TRAIN_SETTINGS, given as never, 'settings');
  const config = inOrder(TRAIN_SETTINGS, fillTraining(settings));
  checkTraining(config, ranks);
  return config;
}

/** A configuration of teaching. @throws UsageError as {@link trainConfig}. */
export function teachConfig(given: Partial<TeachConfig>): TeachConfig {
  const settings = readSettings(TEACH_SETTINGS, given as never, 'settings');
  const config = inOrder(TEACH_SETTINGS, fillTeaching(settings));
  checkTeaching(config);
  return config;
}

type Or<T> = <K extends keyof T>(key: K, fallback: T[K]) => T[K];

/** What was chosen, or else. Null is a choice. */
function chosen<T>(given: Partial<T>): Or<T> {
  return <K extends keyof T>(key: K, fallback: T[K]) => {
    const value = given[key];
    return value === undefined ? fallback : value;
  };
}

/** Three digits: a default that nobody chose should not look as if it had been measured. */
function neat(x: number): number {
  return Number(x.toPrecision(3));
}

function inOrder<T extends RunConfig>(table: Settings<T>, config: T): T {
  return Object.fromEntries(Object.keys(table).map((key) => [key, config[key as keyof T]])) as unknown as T;
}

interface Plan {
  readonly stageKimg: number;
  readonly batch: number;
  readonly beta1: number;
  readonly emaKimg: number;
}

function fillCommon(given: Partial<CommonConfig>, preset: PresetName, plan: Plan): CommonConfig {
  const or = chosen(given);
  const init = or('init', null);
  const startKimg = or('startKimg', 0);
  const kimg = or('kimg', startKimg + plan.stageKimg);
  const tick = Math.min(4, Math.max((kimg - startKimg) / TICKS, plan.batch / 1000));
  const rest: Omit<CommonConfig, keyof ReturnType<typeof networkSettings>> = {
    // What is missing here is refused by the rules.
    ...{ data: or('data', ''), masks: or('masks', null), onBad: or('onBad', 'refuse') },
    ...{ workers: or('workers', 8), prefetch: or('prefetch', 2), init, startKimg, kimg, seed: or('seed', 0) },
    ...{ beta1: or('beta1', plan.beta1), beta2: or('beta2', 0.99), eps: or('eps', 1e-8) },
    lrScales: or('lrScales', {}),
    emaKimg: or('emaKimg', plan.emaKimg),
    // Networks that are given are averages of a long run: nothing to catch up with.
    emaRampup: or('emaRampup', init === null ? 0.05 : null),
    tickKimg: or('tickKimg', neat(tick)),
    ...{ snapshotTicks: or('snapshotTicks', 50), imageSnapshotTicks: or('imageSnapshotTicks', 25) },
    ...{ checkpointMinutes: or('checkpointMinutes', 10), checkpointKimg: or('checkpointKimg', null) },
    ...{ keepCheckpoints: or('keepCheckpoints', 3), stopAfterMinutes: or('stopAfterMinutes', null) },
  };
  return { ...networkSettings(preset, given), ...rest };
}

function fillTraining(given: Partial<TrainConfig>): TrainConfig {
  const or = chosen(given);
  const preset = or('preset', PRESET);
  const stage = or('stage', 1);
  const batch = or('batch', PRESET_SCHEDULES[preset].batch);
  const emaKimg = neat((batch * 10) / PUBLISHED.batch);
  const common = fillCommon(given, preset, {
    ...{ stageKimg: stageKimg(preset, stage), batch, beta1: 0, emaKimg },
  });
  const { resolution } = presetOf(preset);
  const r1Gamma = or('r1Gamma', neat((resolution / PUBLISHED.side) ** 2 * (PUBLISHED.batch / batch)));
  const first = stage === 1;
  return {
    ...common,
    ...fadesOf(given, { ...common, stage, batch }),
    ...{ command: 'train', stage, batch, microBatch: or('microBatch', 4) },
    ...{ mirror: or('mirror', true), rearRepeat: or('rearRepeat', 1) },
    ...{ trainPoseBranch: or('trainPoseBranch', first), freezeD: or('freezeD', 0) },
    ...{ glr: or('glr', 0.0025), dlr: or('dlr', 0.002) },
    ...{ densityRegEvery: or('densityRegEvery', 4), dRegEvery: or('dRegEvery', 16) },
    ...{ r1Gamma, r1GammaSeg: or('r1GammaSeg', r1Gamma) },
    styleMixingProb: or('styleMixingProb', 0),
    bcgRegProb: or('bcgRegProb', common.useBackground ? 0.2 : 0),
    gpcRegProb: or('gpcRegProb', 0.7),
    poseLossWeight: or('poseLossWeight', 1),
    inputPoseParamsRegLossWeight: or('inputPoseParamsRegLossWeight', first ? 0.5 : 0),
    ...{ densityReg: or('densityReg', 0), densityRegType: or('densityRegType', 'l1') },
    densityRegDistance: or('densityRegDistance', 0.004),
    filterMode: or('filterMode', 'antialiased'),
  };
}

type Fades = Pick<
  TrainConfig,
  | 'resumeBlur'
  | 'blurInitSigma'
  | 'blurFadeKimg'
  | 'densityNoiseFadeKimg'
  | 'gpcRegFadeKimg'
  | 'inputPoseParamsRegLossKimg'
  | 'inputPoseParamsRegLossFadeKimg'
  | 'neuralRenderingResolutionInitial'
  | 'neuralRenderingResolutionFinal'
  | 'neuralRenderingResolutionFadeKimg'
>;

/** The published fades, or a share of the run where that is shorter: in the published first stage they take a thirtieth
 * (blur, noise, poses) and a sixth (swaps) of it, in the third a quarter (raw picture). */
function fadesOf(
  given: Partial<TrainConfig>,
  config: CommonConfig & Pick<TrainConfig, 'stage' | 'batch'>,
): Fades {
  const { preset, stage, batch, init, startKimg, kimg } = config;
  const or = chosen(given);
  const share = (published: number, part: number): number =>
    neat(Math.min(published, (kimg - startKimg) * part));
  const resumeBlur = or('resumeBlur', false);
  const fresh = resumeBlur || (stage === 1 && init === null);
  const when = (on: boolean, value: number): number => (on ? value : 0);
  const { resolution, neuralResolution, superresolution } = presetOf(preset);
  const initial = or('neuralRenderingResolutionInitial', Math.min(neuralResolution, PUBLISHED.rawSide));
  const inner = inputResolution(superresolution, resolution);
  const final = or('neuralRenderingResolutionFinal', stage === 3 && inner > initial ? inner : null);
  return {
    resumeBlur,
    blurInitSigma: or('blurInitSigma', when(fresh, neat((PUBLISHED.blur * resolution) / PUBLISHED.side))),
    blurFadeKimg: or('blurFadeKimg', when(fresh, share((200 * batch) / PUBLISHED.batch, 1 / 10))),
    densityNoiseFadeKimg: or('densityNoiseFadeKimg', when(fresh, share(200, 1 / 10))),
    gpcRegFadeKimg: or('gpcRegFadeKimg', when(fresh, share(1000, 1 / 6))),
    inputPoseParamsRegLossKimg: or('inputPoseParamsRegLossKimg', when(stage === 1, 200)),
    inputPoseParamsRegLossFadeKimg: or('inputPoseParamsRegLossFadeKimg', when(stage === 1, 200)),
    neuralRenderingResolutionInitial: initial,
    neuralRenderingResolutionFinal: final,
    neuralRenderingResolutionFadeKimg: or(
      'neuralRenderingResolutionFadeKimg',
      when(final !== null, share(1000, 1 / 4)),
    ),
  };
}

function fillTeaching(given: Partial<TeachConfig>): TeachConfig {
  const or = chosen(given);
  const preset = or('preset', PRESET);
  const people = or('people', 4);
  const views = or('views', 2);
  const batch = people * views;
  // A decay of .999 a step.
  const emaKimg = neat((batch * Math.log(2)) / -Math.log(0.999) / 1000);
  const common = fillCommon(given, preset, {
    ...{ stageKimg: stageKimg(preset, 2), batch, beta1: 0.9, emaKimg },
  });
  const lr = or('lr', 0.01);
  const across = or('across', presetOf(preset).neuralResolution);
  return {
    ...common,
    // The mapping's own multiplier of .01 is for long runs: this undoes it.
    lrScales: or('lrScales', TAUGHT_RATES),
    ...{ command: 'teach', people, views, across, rays: or('rays', across) },
    pixelsPerRay: or('pixelsPerRay', presetOf(preset).resolution / presetOf(preset).neuralResolution),
    planes: or('planes', presetOf(preset).planeResolution),
    raySamples: or('raySamples', common.samples),
    rayImportanceSamples: or('rayImportanceSamples', common.importanceSamples),
    posed: or('posed', true),
    ...{ lr, lrEnd: or('lrEnd', neat(lr / 100)), decayStart: or('decayStart', 0.5) },
    weights: { ...TAUGHT_WEIGHTS, ...given.weights },
  };
}
