/**
 * What a run is told, in full: stored in its folder and in its checkpoints, compared when it is resumed.
 *
 * Plain values that survive JSON; null where something is off or unlimited. What each setting may be and which of them a
 * resumed run may change: `train-settings.ts`; defaults: `train-defaults.ts`. Thousands of images where a name says
 * `Kimg`, counted from the first image ever shown.
 */

import type { Preset, PresetName } from '../portrait/presets.ts';
import type { DensityRegOptions, LossOptions } from './options.ts';
import type { TaughtWeights } from './taught-options.ts';

/** What of a preset a run may have otherwise. */
type Changeable =
  | 'channelBase'
  | 'channelMax'
  | 'triplaneDepth'
  | 'mappingLayers'
  | 'samples'
  | 'importanceSamples'
  | 'decoderActivation'
  | 'decoderLrMultiplier'
  | 'rawFromRgbLayer'
  | 'useBackground'
  | 'conditionScale'
  | 'thickness'
  | 'mbstdGroup'
  | 'conditionNoise'
  | 'clampBackbone'
  | 'clampSuperresolution'
  | 'clampDiscriminator';

/** The network: a preset, and what of it is other. Field by field as in `Preset`. */
export interface NetworkSettings extends Pick<Preset, Changeable> {
  readonly preset: PresetName;
}

/** What both kinds of training are told. */
export interface CommonConfig extends NetworkSettings {
  /** A dataset by the rule of `datasetPaths`. */
  readonly data: string;
  /** Its masks, where the rule does not find them. */
  readonly masks: string | null;
  readonly onBad: 'refuse' | 'skip';
  /** Pictures decoded at a time, and batches decoded ahead. */
  readonly workers: number;
  readonly prefetch: number;
  /** Networks to start from: a checkpoint or an export. Null: random weights. */
  readonly init: string | null;
  /** Images that `init` has been shown, in thousands. */
  readonly startKimg: number;
  /** Images in all, those before `startKimg` included. */
  readonly kimg: number;
  readonly seed: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Multipliers of learning rates by the beginning of a parameter's name, with or without `G/` or `D/`. */
  readonly lrScales: Readonly<Record<string, number>>;
  /** Half-life of the averaged networks, and the share of the images shown that bounds it; null: no bound. */
  readonly emaKimg: number;
  readonly emaRampup: number | null;
  /** Images between two lines of statistics. */
  readonly tickKimg: number;
  /** Ticks between networks that are kept, and between sheets of pictures; null: never. */
  readonly snapshotTicks: number | null;
  readonly imageSnapshotTicks: number | null;
  /** A checkpoint is written when either has passed since the last. */
  readonly checkpointMinutes: number | null;
  readonly checkpointKimg: number | null;
  readonly keepCheckpoints: number;
  /** Saves and leaves after so long. */
  readonly stopAfterMinutes: number | null;
}

/** Losses as settings: `undefined` is null. */
type LossSettings = {
  readonly [K in keyof LossOptions]: undefined extends LossOptions[K]
    ? Exclude<LossOptions[K], undefined> | null
    : LossOptions[K];
};

/** The published adversarial training. */
export interface TrainConfig extends CommonConfig, LossSettings {
  readonly command: 'train';
  readonly mirror: boolean;
  /** How often views from behind occur at least. */
  readonly rearRepeat: number;
  readonly stage: 1 | 2 | 3;
  /** Images an optimiser step, over all ranks; and those of one backward pass. */
  readonly batch: number;
  readonly microBatch: number;
  readonly trainPoseBranch: boolean;
  /** Leading layers of the discriminator that stay as they are. */
  readonly freezeD: number;
  /** Keeps blur and other fades although the run starts from networks. */
  readonly resumeBlur: boolean;
  readonly glr: number;
  readonly dlr: number;
  /** Iterations between regularising phases; null for D: one phase `Dboth` instead. */
  readonly densityRegEvery: number;
  readonly dRegEvery: number | null;
  readonly densityReg: DensityRegOptions['weight'];
  readonly densityRegType: DensityRegOptions['type'];
  readonly densityRegDistance: DensityRegOptions['distance'];
}

/** Teaching by synthetic renders: a phase of our own. An image is one view. */
export interface TeachConfig extends CommonConfig {
  readonly command: 'teach';
  /** People a step, and views of each. */
  readonly people: number;
  readonly views: number;
  /** Rays of the side of a whole picture, and of the window of it that is rendered of each view. */
  readonly across: number;
  readonly rays: number;
  /** Pixels of the window for each ray, along a side. */
  readonly pixelsPerRay: number;
  /** Side of the planes: that of the network, or less to leave its last blocks out. */
  readonly planes: number;
  /** Samples of a ray in both passes while teaching; 0 in the second leaves it out. */
  readonly raySamples: number;
  readonly rayImportanceSamples: number;
  /** Whether rays follow the labelled poses. */
  readonly posed: boolean;
  readonly lr: number;
  /** Where the learning rate ends, and the share of the run after which it falls there by a cosine. */
  readonly lrEnd: number;
  readonly decayStart: number;
  /** Weights of the parts of the loss. */
  readonly weights: TaughtWeights;
}

export type RunConfig = TrainConfig | TeachConfig;
