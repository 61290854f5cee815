/**
 * Named configurations: the published ones, and small ones that train on a CPU.
 *
 * A preset fills in numbers; none is a different method. A network is described here the way a checkpoint
 * describes itself: shapes of its tensors in registration order, and its options.
 */

import { UsageError } from '../errors.ts';
import type { Aval } from '../tensor/index.ts';
import { HALF_PRECISION_CLAMP, type Json, type JsonObject, type NetworkRecord } from './config.ts';
import type { DecoderActivation } from './decoder.ts';
import { mappingShapes } from './mapping.ts';
import { inputResolution, type SuperresolutionModule } from './superresolution.ts';

export interface Preset {
  /** Side of the final picture. */
  readonly resolution: number;
  /** Side of the raw picture. */
  readonly neuralResolution: number;
  readonly superresolution: SuperresolutionModule;
  readonly zDim: number;
  readonly wDim: number;
  readonly channelBase: number;
  readonly channelMax: number;
  readonly planeResolution: number;
  /** Layers of each plane. */
  readonly triplaneDepth: number;
  readonly boxWarp: number;
  readonly cropMargin: number;
  readonly rayStart: number;
  readonly rayEnd: number;
  readonly samples: number;
  readonly importanceSamples: number;
  /** Channels of the two super-resolution blocks. */
  readonly superresolutionChannels: readonly [number, number];
  readonly backgroundResolution: number;
  /** Widths of the discriminator's pose head before its 6 outputs. */
  readonly poseHead: readonly number[];
  readonly mappingLayers: number;
  readonly decoderActivation: DecoderActivation;
  readonly decoderLrMultiplier: number;
  /** Whether the raw picture is a layer of its own, or the first three features. */
  readonly rawFromRgbLayer: boolean;
  readonly useBackground: boolean;
  /** What the mapping's label is multiplied by. */
  readonly conditionScale: number;
  /** Distance from the body within which points follow it, metres. */
  readonly thickness: number;
  /** Samples a group of the discriminator's minibatch statistic. */
  readonly mbstdGroup: number;
  /** Strength of the noise on the discriminator's label, see `DiscriminatorConfig`. */
  readonly conditionNoise: number;
  /** Which parts bound their activations: what is left of 16-bit blocks in single precision. */
  readonly clampBackbone: boolean;
  readonly clampSuperresolution: boolean;
  readonly clampDiscriminator: boolean;
}

const PUBLISHED: Preset = {
  resolution: 512,
  neuralResolution: 128,
  superresolution: '8XDC',
  zDim: 512,
  wDim: 512,
  channelBase: 32768,
  channelMax: 512,
  planeResolution: 256,
  triplaneDepth: 3,
  boxWarp: 1,
  cropMargin: 0.1,
  rayStart: 2.25,
  rayEnd: 3.3,
  samples: 48,
  importanceSamples: 48,
  superresolutionChannels: [256, 128],
  backgroundResolution: 128,
  poseHead: [2048, 512, 128, 32],
  mappingLayers: 2,
  decoderActivation: 'none',
  decoderLrMultiplier: 1,
  rawFromRgbLayer: true,
  useBackground: true,
  conditionScale: 1,
  thickness: 0.25,
  mbstdGroup: 4,
  conditionNoise: 0,
  clampBackbone: false,
  clampSuperresolution: true,
  clampDiscriminator: true,
};

/** What the frontal cameras see lies within .3 of the origin in x and between 2.4 and 3.02 m from the camera. */
const SMALL: Preset = {
  ...PUBLISHED,
  zDim: 128,
  wDim: 128,
  triplaneDepth: 1,
  boxWarp: 0.6,
  cropMargin: 0,
  rayStart: 2.4,
  rayEnd: 3.02,
  samples: 24,
  importanceSamples: 24,
  poseHead: [256, 64, 32],
};

export const PRESETS = {
  '512-128': PUBLISHED,
  '512-64': { ...PUBLISHED, neuralResolution: 64 },
  '256-128': { ...PUBLISHED, resolution: 256, superresolution: '4X', superresolutionChannels: [128, 64] },
  '256-64': {
    ...PUBLISHED,
    resolution: 256,
    neuralResolution: 64,
    superresolution: '4X',
    superresolutionChannels: [128, 64],
  },
  '256-64s': {
    ...SMALL,
    ...{ resolution: 256, neuralResolution: 64, superresolution: '4X', superresolutionChannels: [64, 32] },
    ...{ wDim: 256, channelBase: 8192, channelMax: 192, planeResolution: 128, backgroundResolution: 64 },
  },
  '128-64': {
    ...SMALL,
    ...{ resolution: 128, neuralResolution: 64, superresolution: '2X', superresolutionChannels: [64, 32] },
    ...{ channelBase: 4096, channelMax: 128, planeResolution: 128, backgroundResolution: 64 },
  },
  '128-64s': {
    ...SMALL,
    ...{ resolution: 128, neuralResolution: 64, superresolution: '2X', superresolutionChannels: [64, 32] },
    ...{ channelBase: 2048, channelMax: 128, planeResolution: 128, backgroundResolution: 64 },
  },
  '128-32': {
    ...SMALL,
    ...{ resolution: 128, neuralResolution: 32, superresolution: '2X', superresolutionChannels: [48, 32] },
    ...{ channelBase: 2048, channelMax: 96, planeResolution: 64, backgroundResolution: 64 },
  },
  '64-32': {
    ...SMALL,
    ...{ resolution: 64, neuralResolution: 32, superresolution: '2X', superresolutionChannels: [32, 32] },
    ...{
      channelBase: 2048,
      channelMax: 96,
      planeResolution: 64,
      backgroundResolution: 32,
      samples: 16,
      importanceSamples: 16,
    },
  },
  tiny: {
    ...SMALL,
    ...{ resolution: 32, neuralResolution: 16, superresolution: '2X', superresolutionChannels: [8, 8] },
    ...{
      zDim: 16,
      wDim: 32,
      channelBase: 512,
      channelMax: 16,
      planeResolution: 32,
      backgroundResolution: 16,
    },
    ...{ samples: 8, importanceSamples: 8, poseHead: [32, 16] },
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof PRESETS;

export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

/** The preset of that name. @throws UsageError listing the names. */
export function presetOf(name: string): Preset {
  if (!(name in PRESETS))
    throw new UsageError(`preset "${name}" does not exist; there are ${PRESET_NAMES.join(', ')}`);
  return PRESETS[name as PresetName];
}

/** How a tensor of a new network begins. */
export type Start =
  | { readonly kind: 'normal'; readonly scale: number }
  | { readonly kind: 'fill'; readonly value: number }
  | { readonly kind: 'taps' };

export interface TensorPlan extends Aval {
  readonly role: 'parameter' | 'buffer';
  readonly start: Start;
}

export type NetworkPlan = ReadonlyMap<string, TensorPlan>;

/** Channels at a resolution: `min(floor(base / r), max)`. */
export function channelsAt(resolution: number, base: number, max: number): number {
  return Math.min(Math.floor(base / resolution), max);
}

const NORMAL: Start = { kind: 'normal', scale: 1 };
const ZERO: Start = { kind: 'fill', value: 0 };

/** Collects tensors under dotted names. */
function planner() {
  const tensors = new Map<string, TensorPlan>();
  const put = (role: TensorPlan['role'], name: string, shape: readonly number[], start: Start): void => {
    tensors.set(name, { dtype: 'float32', shape, role, start });
  };
  const parameter = (name: string, shape: readonly number[], start: Start = NORMAL): void =>
    put('parameter', name, shape, start);
  return {
    tensors,
    parameter,
    buffer: (name: string, shape: readonly number[], start: Start): void => put('buffer', name, shape, start),
    taps: (prefix: string): void => put('buffer', `${prefix}resample_filter`, [4, 4], { kind: 'taps' }),
    linear: (prefix: string, out: number, inputs: number, m = 1): void => {
      parameter(`${prefix}weight`, [out, inputs], { kind: 'normal', scale: 1 / m });
      parameter(`${prefix}bias`, [out], ZERO);
    },
  };
}

type Planner = ReturnType<typeof planner>;

function affinePlan(plan: Planner, prefix: string, channels: number, wDim: number): void {
  plan.parameter(`${prefix}affine.weight`, [channels, wDim]);
  plan.parameter(`${prefix}affine.bias`, [channels], { kind: 'fill', value: 1 });
}

function layerPlan(
  plan: Planner,
  prefix: string,
  inputs: number,
  out: number,
  resolution: number,
  wDim: number,
): void {
  plan.parameter(`${prefix}weight`, [out, inputs, 3, 3]);
  plan.parameter(`${prefix}noise_strength`, [], ZERO);
  plan.parameter(`${prefix}bias`, [out], ZERO);
  plan.taps(prefix);
  plan.buffer(`${prefix}noise_const`, [resolution, resolution], NORMAL);
  affinePlan(plan, prefix, inputs, wDim);
}

function rgbPlan(plan: Planner, prefix: string, inputs: number, out: number, wDim: number): void {
  plan.parameter(`${prefix}weight`, [out, inputs, 1, 1]);
  plan.parameter(`${prefix}bias`, [out], ZERO);
  affinePlan(plan, prefix, inputs, wDim);
}

interface SynthesisPlan {
  readonly resolution: number;
  readonly image: number;
  readonly base: number;
  readonly max: number;
  readonly wDim: number;
}

function synthesisPlan(plan: Planner, prefix: string, options: SynthesisPlan): void {
  const { resolution, image, base, max, wDim } = options;
  for (let r = 4; r <= resolution; r *= 2) {
    const out = channelsAt(r, base, max);
    const block = `${prefix}b${r}.`;
    if (r === 4) plan.parameter(`${block}const`, [out, 4, 4]);
    plan.taps(block);
    if (r > 4) layerPlan(plan, `${block}conv0.`, channelsAt(r / 2, base, max), out, r, wDim);
    layerPlan(plan, `${block}conv1.`, out, out, r, wDim);
    rgbPlan(plan, `${block}torgb.`, out, image, wDim);
  }
}

/** All tensors of a new generator, in registration order (spec page 2.1), the body model excepted. */
export function generatorPlan(preset: Preset): NetworkPlan {
  const plan = planner();
  const { wDim, channelBase: base, channelMax: max } = preset;
  const features = 32;
  synthesisPlan(plan, 'backbone.synthesis.', {
    ...{ resolution: preset.planeResolution, image: features * 3 * preset.triplaneDepth, base, max, wDim },
  });
  for (const [name, { shape }] of mappingShapes({
    ...{ zDim: preset.zDim, labelDim: 31, wDim, layers: preset.mappingLayers },
  })) {
    const scale = name.startsWith('fc') ? 100 : 1;
    plan.parameter(
      `backbone.mapping.${name}`,
      shape,
      name.endsWith('weight') ? { kind: 'normal', scale } : ZERO,
    );
  }
  plan.buffer('backbone.mapping.w_avg', [wDim], ZERO);
  const [wide, narrow] = preset.superresolutionChannels;
  const inner = inputResolution(preset.superresolution, preset.resolution);
  const first = preset.resolution / 2;
  [
    {
      block: 'superresolution.block0.',
      inputs: features,
      out: wide,
      side: preset.superresolution.startsWith('8X') ? first : inner,
    },
    { block: 'superresolution.block1.', inputs: wide, out: narrow, side: preset.resolution },
  ].forEach(({ block, inputs, out, side }) => {
    plan.taps(block);
    layerPlan(plan, `${block}conv0.`, inputs, out, side, wDim);
    layerPlan(plan, `${block}conv1.`, out, out, side, wDim);
    rgbPlan(plan, `${block}torgb.`, out, 3, wDim);
  });
  plan.linear('decoder.net.0.', 64, features, preset.decoderLrMultiplier);
  plan.linear('decoder.net.2.', 1 + features, 64, preset.decoderLrMultiplier);
  if (preset.rawFromRgbLayer) rgbPlan(plan, 'torgb.', features, 3, wDim);
  if (preset.useBackground)
    synthesisPlan(plan, 'bcg_synthesis.', {
      ...{ resolution: preset.backgroundResolution, image: features, base: Math.floor(base / 2), max, wDim },
    });
  [
    [128, preset.zDim + 25],
    [32, 128],
    [6, 32],
  ].forEach(([out, inputs], i) => {
    plan.linear(`pose_branch.net.${i}.`, out, inputs);
  });
  return plan.tensors;
}

/** All tensors of a new discriminator, in registration order (spec page 4.3). */
export function discriminatorPlan(preset: Preset): NetworkPlan {
  const plan = planner();
  const { resolution, channelBase: base, channelMax: max } = preset;
  const at = (r: number): number => channelsAt(r, base, max);
  const k = at(4);
  [16 * k + 25, ...preset.poseHead].forEach((inputs, i, widths) => {
    plan.linear(`pose_branch.net.${i}.`, widths[i + 1] ?? 6, inputs);
  });
  const conv = (prefix: string, out: number, inputs: number, kernel: number, bias = true): void => {
    plan.parameter(`${prefix}weight`, [out, inputs, kernel, kernel]);
    if (bias) plan.parameter(`${prefix}bias`, [out], ZERO);
    plan.taps(prefix);
  };
  for (let r = resolution; r >= 8; r /= 2) {
    const block = `b${r}.`;
    plan.taps(block);
    if (r === resolution) conv(`${block}fromrgb.`, at(r), 7, 1);
    conv(`${block}conv0.`, at(r), at(r), 3);
    conv(`${block}conv1.`, at(r / 2), at(r), 3);
    conv(`${block}skip.`, at(r / 2), at(r), 1, false);
  }
  plan.linear('mapping.embed.', k, 31);
  for (let i = 0; i < 8; i++) plan.linear(`mapping.fc${i}.`, k, k, 0.01);
  conv('b4.conv.', k, k + 1, 3);
  plan.linear('b4.fc.', k, 16 * k);
  plan.linear('b4.out.', k, k);
  plan.taps('');
  return plan.tensors;
}

/** Options of a generator as a checkpoint would store them. */
export function generatorOptions(preset: Preset): JsonObject {
  const rendering: Record<string, Json> = {
    image_resolution: preset.resolution,
    depth_resolution: preset.samples,
    depth_resolution_importance: preset.importanceSamples,
    ray_start: preset.rayStart,
    ray_end: preset.rayEnd,
    box_warp: preset.boxWarp,
    triplane_crop: preset.cropMargin,
    clamp_mode: 'softplus',
    disparity_space_sampling: false,
    superresolution_module: `training.superresolution.SuperresolutionHybrid${preset.superresolution}`,
    superresolution_noise_mode: 'none',
    sr_antialias: true,
    c_gen_conditioning_zero: false,
    c_scale: preset.conditionScale,
    decoder_activation: preset.decoderActivation,
    decoder_lr_mul: preset.decoderLrMultiplier,
    use_torgb_raw: preset.rawFromRgbLayer,
    use_background: preset.useBackground,
    triplane_depth: preset.triplaneDepth,
  };
  return {
    z_dim: preset.zDim,
    w_dim: preset.wDim,
    c_dim: 25,
    img_resolution: preset.resolution,
    img_channels: 3,
    mapping_kwargs: { num_layers: preset.mappingLayers },
    channel_base: preset.channelBase,
    channel_max: preset.channelMax,
    num_fp16_res: 0,
    conv_clamp: preset.clampBackbone ? HALF_PRECISION_CLAMP : null,
    sr_num_fp16_res: preset.clampSuperresolution ? 4 : 0,
    thickness: preset.thickness,
    explicitly_symmetry: true,
    rendering_kwargs: rendering,
  };
}

/** A generator's record: what `generatorConfig` reads. */
export function generatorRecord(preset: Preset): NetworkRecord {
  return {
    shapes: generatorPlan(preset),
    initKwargs: generatorOptions(preset),
    attributes: { img_resolution: preset.resolution, neural_rendering_resolution: preset.neuralResolution },
    moduleAttributes: new Map(),
  };
}

/** A discriminator's record. */
export function discriminatorRecord(preset: Preset): NetworkRecord {
  return {
    shapes: discriminatorPlan(preset),
    initKwargs: {
      conv_clamp: preset.clampDiscriminator ? HALF_PRECISION_CLAMP : null,
      epilogue_kwargs: { mbstd_group_size: preset.mbstdGroup },
    },
    attributes: {
      img_resolution: preset.resolution,
      explicitly_symmetry: true,
      disc_c_noise: preset.conditionNoise,
    },
    moduleAttributes: new Map(),
  };
}
