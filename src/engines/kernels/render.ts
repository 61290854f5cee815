/** How to call the volume renderer: `renderRays` and `decodePoints`, over planes laid out texel by texel. */

import { type Node, sizeOf } from '../../tensor/index.ts';
import type { KeptInput, Kernel, KernelArg, KernelCall } from './kernel.ts';

/** The one decoder that the kernels hold: 32 -> 64 -> 33. */
const CHANNELS = 32;
const HIDDEN = 64;

const ACTIVATIONS: readonly string[] = ['none', 'sigmoid', 'lrelu'];

export interface FieldOptions {
  readonly depth: number;
  readonly boxWarp: number;
  readonly activation: string;
  readonly lrMultiplier: number;
}

interface RenderRaysOptions extends FieldOptions {
  readonly samples: number;
  readonly importanceSamples: number;
  readonly cropMargin: number;
  readonly whiteBack: boolean;
  readonly width: number;
  /** Names of the inputs, in order. */
  readonly inputs: readonly string[];
}

interface Field {
  readonly kept: KeptInput;
  readonly weights: readonly KernelArg[];
  /** Layers, side, and what brings the cube to [-1, 1]. */
  readonly shape: readonly number[];
  readonly gains: readonly number[];
  readonly activation: number;
}

/** Planes and decoder as the kernels take them, or undefined where they do not fit. */
export function fieldOf(node: Node, inputs: readonly string[], options: FieldOptions): Field | undefined {
  const at = (name: string): number => inputs.indexOf(name);
  const [batch, total, height, width] = node.inputs[at('planes')].shape;
  const [hidden, channels] = node.inputs[at('w0')].shape;
  const outputs = node.inputs[at('w1')].shape[0];
  const activation = ACTIVATIONS.indexOf(options.activation);
  const fits =
    height === width &&
    total === 3 * CHANNELS * options.depth &&
    hidden === HIDDEN &&
    channels === CHANNELS &&
    outputs === CHANNELS + 1 &&
    activation >= 0 &&
    // Offsets inside a batch entry are signed 32-bit numbers.
    total * height * width * 4 < 2 ** 31 &&
    node.inputs.every(({ shape }) => sizeOf(shape) > 0);
  if (!fits) return undefined;
  const gain = (fanIn: number): number => options.lrMultiplier / Math.sqrt(fanIn);
  return {
    kept: {
      input: at('planes'),
      entry: 'packPlanes',
      args: [{ input: at('planes') }, 'kept', 'counter', batch, options.depth, height, width],
      bytes: sizeOf(node.inputs[at('planes')].shape) * 4,
    },
    weights: ['w0', 'b0', 'w1', 'b1'].map((name) => ({ input: at(name) })),
    shape: [options.depth, height, 2 / options.boxWarp],
    gains: [gain(CHANNELS), gain(HIDDEN), options.lrMultiplier],
    activation,
  };
}

/** Bytes of one thread's tile of 16 rays; `describeRays` in `assembly/render-tile.ts` and the entries deal them out
 * and trap if they lack.
 *
 * @param keepRows for a gradient: more of the tile stays, and the decoder's way back comes to it
 */
function scratchBytesOf(coarse: number, fine: number, keepRows = false): number {
  const samples = coarse + fine;
  const decoder = 4 * (2048 + 64 + 64 + 2048 + 32 + 384 + 16) + 768;
  const most = 16 * samples + 12 * (coarse / 16 + 3);
  const lists = 5 * 4 * (16 * Math.max(coarse, fine) + 16 + (keepRows ? most : 0));
  const perSample = samples * 64 * 3 + fine * 64;
  const lines = (2 + 4 * (keepRows ? 16 : 1)) * 4 * (samples + 8);
  const sums = 1536 + 2048 + 256 + 3072 + 64 + 64 + 2048;
  const back = keepRows ? 128 * most + samples * 64 * 2 + 3 * 4 * (samples + 8) + 65536 : 0;
  return decoder + lists + perSample + lines + sums + 256 * most + 32 * 64 + 256 + back;
}

export const renderRaysKernel: Kernel = {
  name: 'renderRays',
  plan(node: Node): KernelCall | undefined {
    const call = rayCall(node);
    if (call === undefined) return undefined;
    const { first, scratchBytes, sizes, field } = call;
    return {
      entry: 'renderRays',
      args: [
        ...first,
        ...[0, 1, 2, 3].map((output) => ({ output })),
        ...(['counter', 'scratch'] as const),
        ...[scratchBytes, ...sizes],
      ],
      scratchBytes,
      threaded: { kept: field.kept },
    };
  },
};

/** What the renderer and its gradient have in common: the inputs they start with, and sizes and settings.
 *
 * @param keepRows see `scratchBytesOf`
 */
export function rayCall(
  node: Node,
  keepRows = false,
): { first: KernelArg[]; scratchBytes: number; sizes: number[]; field: Field } | undefined {
  const options = node.attrs.options as unknown as RenderRaysOptions;
  const { inputs, samples, importanceSamples: fine, width } = options;
  const field = fieldOf(node, inputs, options);
  const [batch, rays] = node.inputs[0].shape;
  if (field === undefined || rays % width !== 0 || samples < (fine > 0 ? 4 : 2)) return undefined;
  const pointer = (name: string): KernelArg => (inputs.includes(name) ? { input: inputs.indexOf(name) } : 0);
  const shapeOf = (name: string): readonly number[] | undefined => node.inputs[inputs.indexOf(name)]?.shape;
  const words = shapeOf('mesh')?.[1] ?? 0;
  // Blocks are read in SIMD: each must start at a multiple of 16 bytes.
  if (batch > 1 && words % 4 !== 0) return undefined;
  return {
    first: [
      ...['origins', 'directions', 'coarse', 'quantiles'].map(pointer),
      'kept',
      ...field.weights,
      ...['coarseNoise', 'fineNoise', 'mesh', 'maps', 'coarseFaces', 'fineFaces'].map(pointer),
    ],
    scratchBytes: scratchBytesOf(samples, fine, keepRows),
    sizes: [
      ...[batch, rays, width, samples, fine],
      (shapeOf('quantiles')?.[0] ?? 1) > 1 ? fine : 0,
      ...field.shape,
      options.cropMargin === 0 ? Number.POSITIVE_INFINITY : options.boxWarp / 2 - options.cropMargin,
      ...field.gains,
      field.activation,
      Number(options.whiteBack),
      words,
      shapeOf('maps')?.[1] ?? 0,
    ],
    field,
  };
}

/** Points to densities, and to colours if the second output is there. */
function pointsKernel(name: string): Kernel {
  return {
    name,
    plan(node: Node): KernelCall | undefined {
      const options = node.attrs.options as unknown as FieldOptions;
      const field = fieldOf(node, ['points', 'planes', 'w0', 'b0', 'w1', 'b1'], options);
      const [batch, count] = node.inputs[0].shape;
      if (field === undefined) return undefined;
      return {
        entry: 'decodePoints',
        args: [
          { input: 0 },
          'kept',
          ...field.weights,
          { output: 0 },
          node.outputs.length > 1 ? { output: 1 } : 0,
          ...(['counter', 'scratch'] as const),
          ...[batch, count, ...field.shape, ...field.gains, field.activation],
        ],
        scratchBytes: 32768,
        threaded: { kept: field.kept },
      };
    },
  };
}

export const decodePointsKernel = pointsKernel('decodePoints');
export const decodeDensityKernel = pointsKernel('decodeDensity');
