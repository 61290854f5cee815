/** Gradients of rays and of decoded points: the fused operations `renderRaysGrad` and `decodePointsGrad`
 * (`src/portrait/fused-gradient.ts`). */

import { type Node, sizeOf } from '../../../tensor/index.ts';
import type { Bound, Dispatch, Kernel, KernelCall, Planning } from '../kernel.ts';
import { type Back, backDispatch, backFor, type Cotangents, SUM_BYTES, sumDispatch } from './back.ts';
import { decodeDispatch, givenPoints, type Source } from './decode.ts';
import {
  DECODER_BYTES,
  type Field,
  fieldFor,
  packDispatch,
  texelBytes,
  texelGradientBytes,
  unpackDispatch,
} from './field.ts';
import { BACK_LINES, drawDispatch, raysTogether } from './march.ts';
import { marchBackDispatch } from './march-back.ts';
import {
  copiesFor,
  motionSink,
  motionsDispatch,
  type PointSink,
  pointsDispatch,
  scatterDispatch,
} from './scatter.ts';
import { floats, stored } from './shader.ts';
import {
  nextTile,
  passesOf,
  placeDispatch,
  placedPoints,
  type RayCall,
  rayCallOf,
  TILE_WORDS_BYTES,
  type Tiles,
  tilesOf,
} from './tiles.ts';

interface GradientOptions {
  /** Names of the inputs, in order; those of cotangents begin with `d:`. */
  readonly inputs: readonly string[];
  /** Names of the inputs that gradients are wanted of. */
  readonly outputs: readonly string[];
}

const WEIGHTS: readonly string[] = ['w0', 'b0', 'w1', 'b1'];

/** Scratch buffers, in order; those of points and tiles follow. */
const AT = {
  texels: { scratch: 0 },
  decoder: { scratch: 1 },
  rows: { scratch: 2 },
  sums: { scratch: 3 },
  gradients: { scratch: 4 },
  motions: { scratch: 5 },
  points: { scratch: 6 },
  sigma: { scratch: 7 },
  dots: { scratch: 8 },
  weighed: { scratch: 9 },
  fineDepths: { scratch: 10 },
  posed: { scratch: 11 },
  tile: { scratch: 12 },
} as const;

/** Smallest scratch buffer: of what nobody asks for. */
const NONE = 16;

/** Everything behind the decoder's cotangents. */
function backwards(
  planning: Planning,
  field: Field,
  { outputs }: GradientOptions,
  back: Back,
  source: Source,
  cotangents: Cotangents,
  blocks: boolean,
  sink: PointSink | undefined,
): Dispatch[] {
  const { weighed } = cotangents;
  return [
    backDispatch(field, back, source, cotangents, asksWeights(outputs), AT),
    ...(outputs.includes('planes') ? [scatterDispatch(planning, field, source, weighed, blocks, AT)] : []),
    ...(sink === undefined ? [] : [pointsDispatch(planning, field, source, sink, AT)]),
  ];
}

/** Sums to the node's outputs. */
function finished(
  planning: Planning,
  field: Field,
  node: Node,
  { outputs }: GradientOptions,
  workers: number,
): Dispatch[] {
  const planes = outputs.indexOf('planes');
  return [
    ...(asksWeights(outputs) ? [sumDispatch(planning, field, node, outputs, workers, AT.sums)] : []),
    ...(planes < 0 ? [] : [unpackDispatch(planning, field, node, planes, AT.gradients)]),
  ];
}

const asksWeights = (outputs: readonly string[]): boolean => WEIGHTS.some((name) => outputs.includes(name));

/** Bytes of the scratch buffers for packed planes, decoder, rows and sums. */
const commonScratch = (
  planning: Planning,
  field: Field,
  { outputs }: GradientOptions,
  count: number,
  workers: number,
  motions: number,
): number[] => [
  texelBytes(field),
  DECODER_BYTES,
  count * 128,
  workers * SUM_BYTES,
  outputs.includes('planes') ? texelGradientBytes(field) : NONE,
  Math.max(NONE, motions * copiesFor(planning) * 4),
];

const fitsIn = ({ abilities: { limits } }: Planning, scratch: readonly number[]): boolean =>
  Math.max(...scratch) <= Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);

/** Cotangents of rays: `weighed` of each sample, and those of what the ray shows. */
function rayCotangents(call: RayCall): Cotangents {
  const weighed = {
    bound: [{ name: 'weighed', at: AT.weighed, type: 'vec2<f32>' }],
    code: 'fn weighedAt(i: u32) -> vec2<f32> { return weighed[i]; }',
  };
  if (!call.has('d:features')) return { weighed };
  return {
    weighed,
    colours: {
      bound: [{ ...call.input('d:features', 4), name: 'ofFeatures' }],
      code: /* wgsl */ `
fn cotangentOf(i: u32, c: u32) -> vec4<f32> {
  return vec4<f32>(ofFeatures[rayAt(i % RAYS).y * 8u + c]);
}`,
    },
  };
}

/** The samples again, up to their densities and the dots of their colours with the cotangents; then rays backwards. */
function raysBack(call: RayCall, tiles: Tiles, { colours }: Cotangents, motions: boolean): Dispatch[] {
  const { planning, field } = call;
  const passes = passesOf(call).flatMap((pass) => [
    ...(pass.name === 'fine' ? [drawDispatch(call, tiles, AT)] : []),
    placeDispatch(call, tiles, pass, motions ? AT : { ...AT, posed: undefined }),
    decodeDispatch(
      planning,
      field,
      placedPoints(call, tiles, pass, AT, true),
      {
        sigma: { name: 'sigma', at: AT.sigma, type: 'f32', write: true },
        start: pass.start * tiles.rays,
        dots: colours && {
          bound: [...colours.bound, { name: 'dots', at: AT.dots, type: 'f32', write: true }],
          code: colours.code,
        },
      },
      AT.texels,
      AT.decoder,
    ),
  ]);
  return [...passes, marchBackDispatch(call, tiles, AT)];
}

export const renderRaysGradKernel: Kernel = {
  name: 'renderRaysGrad',
  plan(node: Node, planning: Planning): KernelCall | undefined {
    const options = node.attrs.options as unknown as GradientOptions;
    const { inputs, outputs } = options;
    const call = rayCallOf(node, planning);
    if (call === undefined || !outputs.every((name) => ['planes', 'maps', ...WEIGHTS].includes(name))) {
      return undefined;
    }
    const { field, coarse, fine } = call;
    const samples = coarse + fine;
    const motions = outputs.includes('maps');
    const tiles = tilesOf(call, samples * (128 + 16 + 4 + 4 + 8 + (motions ? 16 : 0)) + fine * 4);
    const count = samples * tiles.rays;
    const back = backFor(planning, count);
    if (back === undefined || raysTogether(planning, samples, BACK_LINES) === 0) return undefined;
    const mapCount = motions ? sizeOf(node.outputs[outputs.indexOf('maps')].shape) : 0;
    const scratch = [
      ...commonScratch(planning, field, options, count, back.workers, mapCount),
      ...[count * 16, count * 4, count * 4, count * 8, Math.max(NONE, fine * tiles.rays * 4)],
      ...[motions ? count * 16 : NONE, TILE_WORDS_BYTES],
    ];
    if (!fitsIn(planning, scratch)) return undefined;
    const cotangents = rayCotangents(call);
    const tile = [
      ...raysBack(call, tiles, cotangents, motions),
      ...backwards(
        planning,
        field,
        options,
        back,
        placedPoints(call, tiles, { samples, start: 0 }, AT, true),
        cotangents,
        true,
        motions ? motionSink(planning, call.batch, call.faces, AT) : undefined,
      ),
      ...(tiles.count > 1 ? [nextTile(AT.tile)] : []),
    ];
    const pack = packDispatch(node, inputs, planning, field, AT.texels, AT.decoder);
    return {
      dispatches: [
        { ...pack, cleared: [AT.sums, AT.gradients, AT.motions, AT.tile] },
        ...Array.from({ length: tiles.count }, () => tile).flat(),
        ...finished(planning, field, node, options, back.workers),
        ...(motions
          ? [motionsDispatch(planning, mapCount, outputBound(node, planning, outputs, 'maps'), AT.motions)]
          : []),
      ],
      scratch,
    };
  },
};

const outputBound = (node: Node, planning: Planning, outputs: readonly string[], name: string): Bound => {
  const output = outputs.indexOf(name);
  return floats(planning, name, node.outputs[output], { output }, { write: true });
};

/** Cotangents of decoded points as they are given. */
function pointCotangents(node: Node, planning: Planning, inputs: readonly string[]): Cotangents {
  const given = (name: string, as: string, lanes: 1 | 4): Bound[] => {
    const input = inputs.indexOf(name);
    return input < 0
      ? []
      : [{ ...floats(planning, name, node.inputs[input], { input }, { lanes }), name: as }];
  };
  const [sigma, rgb] = [given('d:sigma', 'ofSigma', 1), given('d:rgb', 'ofRgb', 4)];
  const weighed = {
    bound: sigma,
    code: `fn weighedAt(i: u32) -> vec2<f32> { return vec2<f32>(1.0, ${sigma.length > 0 ? 'f32(ofSigma[i])' : '0.0'}); }`,
  };
  if (rgb.length === 0) return { weighed };
  const code = 'fn cotangentOf(i: u32, c: u32) -> vec4<f32> { return vec4<f32>(ofRgb[i * 8u + c]); }';
  return { weighed, colours: { bound: rgb, code } };
}

/** Gradients of points to the node's output. */
function pointSink(node: Node, planning: Planning, outputs: readonly string[]): PointSink {
  const bound = { ...outputBound(node, planning, outputs, 'points'), name: 'ofPoints' };
  const write = `if (part < 3u) { ofPoints[3u * i + part] = ${stored(bound.type, 'gradient[part]')}; }`;
  return { bound: [bound], code: '', write };
}

export const decodePointsGradKernel: Kernel = {
  name: 'decodePointsGrad',
  plan(node: Node, planning: Planning): KernelCall | undefined {
    const options = node.attrs.options as unknown as GradientOptions;
    const { inputs, outputs } = options;
    const field = fieldFor(node, inputs, planning);
    if (field === undefined) return undefined;
    const points = inputs.indexOf('points');
    const source = givenPoints(planning, node.inputs[points], points);
    const back = backFor(planning, source.count);
    if (back === undefined) return undefined;
    const scratch = commonScratch(planning, field, options, source.count, back.workers, 0);
    if (!fitsIn(planning, scratch)) return undefined;
    const pack = packDispatch(node, inputs, planning, field, AT.texels, AT.decoder);
    return {
      dispatches: [
        { ...pack, cleared: [AT.sums, AT.gradients] },
        ...backwards(
          planning,
          field,
          options,
          back,
          source,
          pointCotangents(node, planning, inputs),
          false,
          outputs.includes('points') ? pointSink(node, planning, outputs) : undefined,
        ),
        ...finished(planning, field, node, options, back.workers),
      ],
      scratch,
    };
  },
};
