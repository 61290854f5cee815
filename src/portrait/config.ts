/** What a generator is: sizes and settings, read from its weights and stored options (spec page 2.12). */

import { NetworkError } from '../errors.ts';
import type { Aval } from '../tensor/index.ts';
import type { DecoderActivation } from './decoder.ts';
import type { DiscriminatorConfig } from './discriminator.ts';
import type { ParameterShapes } from './parameters.ts';
import type { RenderingOptions } from './renderer.ts';
import { moduleOfClass, type SuperresolutionModule } from './superresolution.ts';

/** Plain values as a checkpoint stores them. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A network as read from a file: shapes of its tensors and its options. */
export interface NetworkRecord {
  readonly shapes: ParameterShapes;
  readonly initKwargs: JsonObject;
  readonly attributes: JsonObject;
  /** Plain settings of sub-modules, by dotted path. */
  readonly moduleAttributes: ReadonlyMap<string, JsonObject>;
}

export interface GeneratorConfig {
  readonly zDim: number;
  readonly wDim: number;
  readonly numWs: number;
  readonly mappingLayers: number;
  readonly planeResolution: number;
  /** Side of the final picture. */
  readonly resolution: number;
  /** Side of the raw picture when none is asked for. */
  readonly neuralResolution: number;
  readonly superresolution: {
    readonly module: SuperresolutionModule;
    readonly antialias: boolean;
    readonly clamp: number | undefined;
  };
  /** Side of the background network's picture; undefined without one. */
  readonly backgroundResolution: number | undefined;
  readonly rawFromRgbLayer: boolean;
  readonly conditionScale: number;
  /** Bound on backbone and background activations. */
  readonly clamp: number | undefined;
  readonly rendering: RenderingOptions;
  /** Distance from the body within which points follow it, metres. */
  readonly thickness: number;
}

/** The clamp that half precision brings with it, kept in single precision. */
export const HALF_PRECISION_CLAMP = 256;

/** Reads a generator's configuration; every width comes from the weights.
 *
 * @throws NetworkError naming the missing weight or the option that cannot be.
 */
export function generatorConfig(record: NetworkRecord): GeneratorConfig {
  const { shapes } = record;
  const init = record.initKwargs;
  const options = optionReader({
    ...objectOf(init.rendering_kwargs),
    ...objectOf(record.attributes.rendering_kwargs),
  });
  const planeResolution = largestBlock(shapes, 'backbone.synthesis.');
  const depth = options.number('triplane_depth', 1);
  const planeChannels = shapeOf(shapes, `backbone.synthesis.b${planeResolution}.torgb.weight`)[0];
  if (planeChannels % (3 * depth) !== 0) {
    throw new NetworkError(
      `the backbone gives ${planeChannels} channels, which are not 3 planes of depth ${depth}`,
    );
  }
  const wDim = shapeOf(shapes, 'backbone.synthesis.b4.conv1.affine.weight')[1];
  const backgroundUsed = options.boolean('use_background', true) && shapes.has('bcg_synthesis.b4.const');
  const resolution = numberOf(record.attributes.img_resolution ?? init.img_resolution, 'img_resolution');
  const halfBlocks = numberOf(init.sr_num_fp16_res ?? 0, 'sr_num_fp16_res');
  const clamp =
    record.moduleAttributes.get('backbone.synthesis.b4.conv1')?.conv_clamp ?? init.conv_clamp ?? null;
  return {
    zDim: latentSize(shapes),
    wDim,
    numWs: 2 * Math.log2(planeResolution) - 2,
    mappingLayers: countLayers(shapes, (i) => `backbone.mapping.fc${i}.weight`),
    planeResolution,
    resolution,
    neuralResolution: numberOf(
      record.attributes.neural_rendering_resolution ?? 64,
      'neural_rendering_resolution',
    ),
    superresolution: {
      module: moduleOfClass(options.text('superresolution_module', '')),
      antialias: options.boolean('sr_antialias', true),
      clamp: halfBlocks > 0 ? HALF_PRECISION_CLAMP : undefined,
    },
    backgroundResolution: backgroundUsed ? largestBlock(shapes, 'bcg_synthesis.') : undefined,
    rawFromRgbLayer: shapes.has('torgb.weight') && options.boolean('use_torgb_raw', false),
    conditionScale: options.number('c_scale', 1),
    clamp: typeof clamp === 'number' ? clamp : undefined,
    rendering: renderingOptions(options, depth),
    thickness: numberOf(
      record.moduleAttributes.get('renderer')?.thickness ?? init.thickness ?? 0.05,
      'thickness',
    ),
  };
}

function renderingOptions(options: OptionReader, depth: number): RenderingOptions {
  const clampMode = options.text('clamp_mode', 'softplus');
  if (clampMode !== 'softplus') throw new NetworkError(`clamp_mode is "${clampMode}"; only softplus exists`);
  return {
    samples: options.number('depth_resolution', 48),
    importanceSamples: options.number('depth_resolution_importance', 48),
    rayStart: options.limit('ray_start', 2.25),
    rayEnd: options.limit('ray_end', 3.3),
    disparity: options.boolean('disparity_space_sampling', false),
    whiteBack: options.boolean('white_back', false),
    boxWarp: options.number('box_warp', 1),
    cropMargin: options.number('triplane_crop', 0.1),
    depth,
    activation: options.text('decoder_activation', 'sigmoid') as DecoderActivation,
    lrMultiplier: options.number('decoder_lr_mul', 1),
  };
}

/** Reads a discriminator's configuration. */
export function discriminatorConfig(record: NetworkRecord): DiscriminatorConfig {
  const { shapes, initKwargs, moduleAttributes } = record;
  const resolution = largestBlock(shapes, '', 8);
  const top = moduleAttributes.get(`b${resolution}.conv0`);
  const clamp = top !== undefined && 'conv_clamp' in top ? top.conv_clamp : (initKwargs.conv_clamp ?? null);
  const group =
    moduleAttributes.get('b4.mbstd')?.group_size ??
    objectOf(initKwargs.epilogue_kwargs).mbstd_group_size ??
    4;
  return {
    resolution,
    groupSize: numberOf(group, 'mbstd_group_size'),
    clamp: typeof clamp === 'number' ? clamp : undefined,
    mappingLayers: countLayers(shapes, (i) => `mapping.fc${i}.weight`),
    poseLayers: countLayers(shapes, (i) => `pose_branch.net.${i}.weight`),
    conditionNoise: numberOf(record.attributes.disc_c_noise ?? 0, 'disc_c_noise'),
  };
}

function shapeOf(shapes: ParameterShapes, name: string): readonly number[] {
  const aval: Aval | undefined = shapes.get(name);
  if (aval === undefined)
    throw new NetworkError(
      `the network has no parameter "${name}": it is not a portrait generator of this kind`,
    );
  return aval.shape;
}

function countLayers(shapes: ParameterShapes, nameOf: (i: number) => string): number {
  let count = 0;
  while (shapes.has(nameOf(count))) count++;
  return count;
}

function largestBlock(shapes: ParameterShapes, prefix: string, first = 4): number {
  let r = first;
  const holds = (side: number): boolean => shapes.has(`${prefix}b${side}.conv1.weight`);
  if (!holds(r))
    throw new NetworkError(`the network has no block "${prefix}b${r}": it is not a network of this kind`);
  while (holds(r * 2)) r *= 2;
  return r;
}

function latentSize(shapes: ParameterShapes): number {
  const inputs = shapeOf(shapes, 'backbone.mapping.fc0.weight')[1];
  return inputs - (shapes.get('backbone.mapping.embed.weight')?.shape[0] ?? 0);
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function numberOf(value: Json | undefined, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new NetworkError(`option ${name} is ${JSON.stringify(value)}; a number is expected`);
  }
  return value;
}

type OptionReader = ReturnType<typeof optionReader>;

/** Typed access to stored options; null counts as absent. */
function optionReader(options: JsonObject) {
  const get = (name: string): Json | undefined => options[name] ?? undefined;
  return {
    number: (name: string, fallback: number): number => numberOf(get(name) ?? fallback, name),
    text: (name: string, fallback: string): string => String(get(name) ?? fallback),
    boolean: (name: string, fallback: boolean): boolean => {
      const value = get(name) ?? fallback;
      return value === true || (typeof value === 'number' && value !== 0);
    },
    limit: (name: string, fallback: number): number | 'auto' => {
      const value = get(name) ?? fallback;
      return value === 'auto' ? 'auto' : numberOf(value, name);
    },
  };
}
