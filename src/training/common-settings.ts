/** The table of the settings that both kinds of training share. */

import { PRESET_NAMES } from '../portrait/presets.ts';
import type { CommonConfig, NetworkSettings } from './config.ts';
import type { Settings } from './settings.ts';

/** Adam divides by `1 - beta`. */
const LARGEST_BETA = 0.999999;
export const LARGEST_SEED = 0xffffffff;

const NETWORK = { group: 'network', fixed: true } as const;

export const NETWORK_SETTINGS: Settings<NetworkSettings> = {
  preset: {
    ...{ kind: 'word', words: PRESET_NAMES, group: 'run', fixed: true },
    about: 'sizes of the networks',
    published: 'cfg',
  },
  channelBase: {
    ...{ ...NETWORK, kind: 'whole', min: 16, max: 1 << 20 },
    about: 'channels are this divided by the side of a layer ...',
    published: 'cbase',
  },
  channelMax: {
    ...{ ...NETWORK, kind: 'whole', min: 1, max: 4096 },
    about: '... and at most this',
    published: 'cmax',
  },
  triplaneDepth: { ...NETWORK, kind: 'whole', min: 1, max: 16, about: 'layers of each plane' },
  mappingLayers: {
    ...{ ...NETWORK, kind: 'whole', min: 1, max: 16 },
    about: 'layers from latent to styles',
    published: 'map-depth',
  },
  samples: { ...NETWORK, kind: 'whole', min: 2, max: 512, about: 'samples along a ray' },
  importanceSamples: {
    ...{ ...NETWORK, kind: 'whole', min: 1, max: 512 },
    about: 'samples more, where there is something',
  },
  decoderActivation: {
    ...{ ...NETWORK, kind: 'word', words: ['none', 'sigmoid', 'lrelu'] },
    about: 'what colours of the decoder go through',
  },
  decoderLrMultiplier: {
    ...{ ...NETWORK, kind: 'number', min: 1e-6, max: 1e6 },
    about: 'learning rate of the decoder, built into its weights',
    published: 'decoder_lr_mul',
  },
  rawFromRgbLayer: {
    ...{ ...NETWORK, kind: 'switch' },
    about: 'the raw picture is a layer of its own, not the first three features',
    published: 'use_torgb_raw',
  },
  useBackground: { ...NETWORK, kind: 'switch', about: 'a network for what is behind people' },
  conditionScale: {
    ...{ ...NETWORK, kind: 'number', min: 0 },
    about: 'what camera and pose are multiplied by in the mapping',
    published: 'c-scale',
  },
  thickness: {
    ...{ ...NETWORK, kind: 'number', min: 0.001, max: 10 },
    about: 'distance from the body within which points follow it, metres',
  },
  mbstdGroup: {
    ...{ ...NETWORK, kind: 'whole', min: 1, max: 1024 },
    about: 'pictures that the discriminator compares with each other',
    published: 'mbstd-group',
  },
  conditionNoise: {
    ...{ ...NETWORK, kind: 'number', min: 0 },
    about: 'noise on what the discriminator is conditioned on, in deviations',
    published: 'disc_c_noise',
  },
  clampBackbone: {
    ...{ ...NETWORK, kind: 'switch' },
    about: 'bounds activations of backbone and background to 256',
    published: 'g_num_fp16_res',
  },
  clampSuperresolution: {
    ...{ ...NETWORK, kind: 'switch' },
    about: 'the same in super-resolution',
    published: 'sr_num_fp16_res',
  },
  clampDiscriminator: {
    ...{ ...NETWORK, kind: 'switch' },
    about: 'the same in the discriminator',
    published: 'd_num_fp16_res',
  },
};

export const COMMON_SETTINGS: Settings<CommonConfig> = {
  data: { kind: 'text', group: 'run', about: 'pictures: a zip, or a folder with images and masks' },
  masks: {
    ...{ kind: 'text', group: 'run', none: 'by the name of the pictures: NAME-masks.zip' },
    about: 'their masks',
    published: 'seg_data',
  },
  ...NETWORK_SETTINGS,
  kimg: { kind: 'number', min: 0, group: 'run', about: 'thousands of images in all' },
  init: {
    ...{ kind: 'text', group: 'run', none: 'random weights', fixed: true },
    about: 'networks to start from: a checkpoint, a run or an export',
    published: 'resume',
  },
  startKimg: {
    ...{ kind: 'number', min: 0, group: 'run', fixed: true },
    about: 'thousands of images that these networks have seen',
    published: 'resume_kimg',
  },
  seed: {
    ...{ kind: 'whole', min: 0, max: LARGEST_SEED, group: 'run', fixed: true },
    about: 'another seed, another run',
  },
  stopAfterMinutes: {
    ...{ kind: 'number', min: 0, group: 'run', none: 'no limit' },
    about: 'saves and leaves after so long',
  },
  onBad: {
    ...{ kind: 'word', words: ['refuse', 'skip'], group: 'data', fixed: true },
    about: 'what happens to broken pictures',
  },
  workers: { kind: 'whole', min: 1, max: 256, group: 'data', about: 'pictures decoded at a time' },
  prefetch: { kind: 'whole', min: 1, max: 64, group: 'data', about: 'batches decoded ahead' },
  beta1: {
    ...{ kind: 'number', min: 0, max: LARGEST_BETA, group: 'optimiser' },
    about: 'memory of gradients',
  },
  beta2: {
    ...{ kind: 'number', min: 0, max: LARGEST_BETA, group: 'optimiser' },
    about: 'memory of squared gradients',
  },
  eps: { kind: 'number', min: 1e-20, max: 1, group: 'optimiser', about: 'of Adam' },
  lrScales: {
    ...{ kind: 'numbers', group: 'optimiser' },
    about: 'learning rates of parameters whose names begin so are multiplied',
  },
  emaKimg: { kind: 'number', min: 0, group: 'optimiser', about: 'half-life of the averaged networks' },
  emaRampup: {
    ...{ kind: 'number', min: 0, max: 1, group: 'optimiser', none: 'no bound' },
    about: 'share of the images shown that bounds this half-life',
  },
  tickKimg: {
    ...{ kind: 'number', min: 0.001, group: 'intervals' },
    about: 'thousands of images between lines of statistics',
    published: 'tick',
  },
  snapshotTicks: {
    ...{ kind: 'whole', min: 1, group: 'intervals', none: 'never' },
    about: 'ticks between networks that are kept',
    published: 'snap',
  },
  imageSnapshotTicks: {
    ...{ kind: 'whole', min: 1, group: 'intervals', none: 'never' },
    about: 'ticks between sheets of pictures',
    published: 'image-snap',
  },
  checkpointMinutes: {
    ...{ kind: 'number', min: 0, group: 'intervals', none: 'not by time' },
    about: 'minutes between checkpoints',
  },
  checkpointKimg: {
    ...{ kind: 'number', min: 0, group: 'intervals', none: 'not by images' },
    about: 'thousands of images between checkpoints',
  },
  keepCheckpoints: {
    kind: 'whole',
    min: 1,
    max: 1000,
    group: 'intervals',
    about: 'checkpoints that are kept',
  },
};
