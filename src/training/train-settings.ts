/** The table of the settings of adversarial training, and what of the published trainer has no setting here. */

import { COMMON_SETTINGS } from './common-settings.ts';
import type { TrainConfig } from './config.ts';
import { DENSITY_REG_TYPES } from './options.ts';
import type { Settings } from './settings.ts';

/** Largest side of a picture. */
const LARGEST_SIDE = 1024;

export const TRAIN_SETTINGS: Settings<TrainConfig> = {
  command: { kind: 'word', words: ['train'], group: 'run', fixed: true, about: 'what kind of run it is' },
  ...COMMON_SETTINGS,
  stage: {
    ...{ kind: 'whole', min: 1, max: 3, group: 'run', fixed: true },
    about: 'of the published recipe: 1 from scratch, 2 with known poses, 3 with a finer raw picture',
  },
  batch: { kind: 'whole', min: 1, max: 4096, group: 'run', fixed: true, about: 'images a step' },
  microBatch: {
    ...{ kind: 'whole', min: 1, max: 4096, group: 'run', fixed: true },
    about: 'images at a time: gradients of a batch are added up',
    published: 'batch-gpu',
  },
  mirror: { kind: 'switch', group: 'data', fixed: true, about: 'every picture mirrored, too' },
  rearRepeat: {
    ...{ kind: 'whole', min: 1, max: 1000, group: 'data', fixed: true },
    about: 'how often views from behind occur at least',
    published: 'data_rebalance',
  },
  trainPoseBranch: {
    ...{ kind: 'switch', group: 'optimiser', fixed: true },
    about: 'trains how the generator imagines poses',
    published: 'train_g_pose_branch',
  },
  freezeD: {
    ...{ kind: 'whole', min: 0, group: 'optimiser', fixed: true },
    about: 'leading layers of the discriminator that stay as they are',
    published: 'freezed',
  },
  glr: { kind: 'number', min: 0, max: 1, group: 'optimiser', about: 'learning rate of the generator' },
  dlr: { kind: 'number', min: 0, max: 1, group: 'optimiser', about: 'learning rate of the discriminator' },
  densityRegEvery: {
    ...{ kind: 'whole', min: 1, group: 'optimiser', fixed: true },
    about: 'iterations between density regularisations',
  },
  dRegEvery: {
    ...{ kind: 'whole', min: 1, group: 'optimiser', fixed: true, none: 'with every step, in one phase' },
    about: 'iterations between gradient penalties',
  },
  r1Gamma: {
    ...{ kind: 'number', min: 0, group: 'losses' },
    about: 'gradient penalty on pictures; 0: none at all',
    published: 'gamma',
  },
  r1GammaSeg: {
    ...{ kind: 'number', min: 0, group: 'losses' },
    about: 'gradient penalty on masks',
    published: 'gamma_seg',
  },
  styleMixingProb: {
    kind: 'number',
    min: 0,
    max: 1,
    group: 'losses',
    about: 'how often two latents are mixed',
  },
  bcgRegProb: {
    ...{ kind: 'number', min: 0, max: 1, group: 'losses' },
    about: 'how often backgrounds are swapped',
  },
  gpcRegProb: {
    ...{ kind: 'number', min: 0, max: 1, group: 'losses', none: 'no conditioning at all' },
    about: 'how often styles are conditioned on a neighbour’s camera and pose',
  },
  poseLossWeight: { kind: 'number', min: 0, group: 'losses', about: 'of the discriminator’s pose error' },
  inputPoseParamsRegLossWeight: {
    ...{ kind: 'number', min: 0, group: 'losses' },
    about: 'of the distance between imagined and coarse poses',
  },
  densityReg: { kind: 'number', min: 0, group: 'losses', about: 'weight of the density regularisation' },
  densityRegType: {
    ...{ kind: 'word', words: DENSITY_REG_TYPES, group: 'losses' },
    about: 'its kind',
    published: 'reg_type',
  },
  densityRegDistance: {
    ...{ kind: 'number', min: 0, group: 'losses' },
    about: 'its displacement, metres',
    published: 'density_reg_p_dist',
  },
  filterMode: {
    ...{ kind: 'number', min: 0, max: 1, words: ['antialiased', 'none'], group: 'losses' },
    about: 'how reals are shrunk to the raw picture',
  },
  resumeBlur: {
    kind: 'switch',
    group: 'fades',
    fixed: true,
    about: 'fades again although networks are given',
  },
  blurInitSigma: { kind: 'number', min: 0, max: 100, group: 'fades', about: 'blur at the start, pixels' },
  blurFadeKimg: { kind: 'number', min: 0, group: 'fades', about: 'until it is gone' },
  densityNoiseFadeKimg: { kind: 'number', min: 0, group: 'fades', about: 'until noise on densities is gone' },
  gpcRegFadeKimg: {
    kind: 'number',
    min: 0,
    group: 'fades',
    about: 'until conditions swap with their final probability',
  },
  inputPoseParamsRegLossKimg: { kind: 'number', min: 0, group: 'fades', about: 'how long poses are held' },
  inputPoseParamsRegLossFadeKimg: {
    ...{ kind: 'number', min: 0, group: 'fades' },
    about: 'until they are free after that',
  },
  neuralRenderingResolutionInitial: {
    ...{ kind: 'whole', min: 4, max: LARGEST_SIDE, group: 'fades', fixed: true },
    about: 'side of the raw picture',
  },
  neuralRenderingResolutionFinal: {
    ...{ kind: 'whole', min: 4, max: LARGEST_SIDE, group: 'fades', fixed: true, none: 'it stays' },
    about: 'side that it grows to',
  },
  neuralRenderingResolutionFadeKimg: { kind: 'number', min: 0, group: 'fades', about: 'until it has grown' },
};
