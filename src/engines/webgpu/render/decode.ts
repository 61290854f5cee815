/** Density and colours at points: the shader, and the fused operations `decodePoints` and `decodeDensity`. */

import type { Node, Tensor } from '../../../tensor/index.ts';
import type { Bound, Dispatch, Kernel, KernelCall, Operand, Planning } from '../kernel.ts';
import {
  DECODER,
  DECODER_BYTES,
  FEATURE_ROW,
  type Field,
  fieldFor,
  HIDDEN_ROW,
  lookUp,
  packDispatch,
  taps,
  texelBytes,
} from './field.ts';
import {
  activation,
  colours,
  coloursOf,
  densityShare,
  hiddenValues,
  layers,
  pointOf,
  repeat,
  SHARES,
  writeHidden,
} from './network.ts';
import { entry, floats, groupsFor, literal, SOFTPLUS, stored } from './shader.ts';

/** What a cropped sample's density becomes. */
export const CROPPED = -1000;
/** Stands in the place of a sample's noise where it is cropped. */
export const CROP_MARK = 1e30;

/** Blocks that a workgroup decodes one after the other, with the decoder's weights read once; and from how many points
 * on that leaves enough workgroups. */
const BLOCKS_TOGETHER = 16;
const ENOUGH_POINTS = 1 << 18;

/** Where points come from. */
export interface Source {
  readonly label: string;
  readonly count: number;
  readonly bound: readonly Bound[];
  /** WGSL: `pointAt(i) -> vec4<f32>`, with the noise or `CROP_MARK`, and `entryOf(i) -> u32`. */
  readonly code: string;
}

/** Where results go. */
export interface Sink {
  /** Element `start + i`, named `sigma`. */
  readonly sigma: Bound;
  /** Where the results of the first point go. */
  readonly start: number;
  /** [.., 32], in vectors, named `rgbs`; left out, the second layer is left out but for the density. */
  readonly rgb?: Bound;
  /** Dots of the colours with cotangents, named `dots`. */
  readonly dots?:
    | {
        readonly bound: readonly Bound[];
        /** WGSL: `cotangentOf(i, c) -> vec4<f32>`. */
        readonly code: string;
      }
    | undefined;
}

/** Points to densities, and to colours or their dots with cotangents. */
export function decodeDispatch(
  planning: Planning,
  field: Field,
  source: Source,
  sink: Sink,
  texels: Operand,
  decoder: Operand,
): Dispatch {
  const { block } = field;
  const { rgb, dots, sigma, start } = sink;
  const together = source.count >= ENOUGH_POINTS ? BLOCKS_TOGETHER : 1;
  const code = /* wgsl */ `
const COUNT = ${source.count}u;
${taps(field)}
${lookUp(field)}
${SOFTPLUS}
${activation(field)}
${source.code}
${dots?.code ?? ''}
${layers(block)}
var<workgroup> rows: array<vec4<f32>, ${block * HIDDEN_ROW}>;
var<workgroup> shares: array<f32, ${block * 8}>;
${SHARES}
${entry(
  2 * block,
  /* wgsl */ `
  let lane = local % 8u;
  let across = local / 8u;
  loadLayers(local);
  for (var turn = 0u; turn < ${together}u; turn++) {
  let begin = ((group.x + group.y * groups.x) * ${together}u + turn) * BLOCK;
  for (var k = 0u; k < 4u; k++) {
    let at = across + k * ACROSS;
    let i = min(begin + at, COUNT - 1u);
    rows[at * ${FEATURE_ROW}u + lane] = lookUp(pointAt(i).xyz, entryOf(i), lane);
  }
  workgroupBarrier();
${hiddenValues('rows')}
${densityShare()}
  workgroupBarrier();
  if (local < BLOCK) {
    let i = begin + local;
    if (i < COUNT) {
      let mark = pointAt(i).w;
      let value = sumOfShares(local) + decoder[${DECODER.densityBias}u].x + mark;
      sigma[${start}u + i] = ${stored(sigma.type, `select(value, ${literal(CROPPED)}, mark >= ${literal(CROP_MARK)})`)};
    }
  }
${rgb === undefined && dots === undefined ? '' : second(field, rgb, dots, start)}
  workgroupBarrier();
  }`,
)}`;
  return {
    label: source.label,
    code,
    bound: [
      ...source.bound,
      { name: 'texels', at: texels, type: field.texel },
      { name: 'decoder', at: decoder, type: 'vec4<f32>' },
      sigma,
      ...(rgb === undefined ? [] : [rgb]),
      ...(dots?.bound ?? []),
    ],
    groups: groupsFor(planning, source.count, together * block),
  };
}

/** The second layer, after the first. */
const second = (
  field: Field,
  rgb: Bound | undefined,
  dots: Sink['dots'],
  start: number,
): string => /* wgsl */ `
${writeHidden('h', 'rows')}
  workgroupBarrier();
${colours('rows', field)}
${repeat(4, (p) => {
  const at = `begin + ${pointOf(p)}`;
  if (rgb !== undefined) {
    return `  if (${at} < COUNT) { rgbs[(${start}u + ${at}) * 8u + lane] = ${stored(rgb.type, coloursOf(p))}; }`;
  }
  const dot = `dot(cotangentOf(min(${at}, COUNT - 1u), lane), ${coloursOf(p)})`;
  return `  shares[${pointOf(p)} * 8u + lane] = ${dot};`;
})}
${
  dots === undefined
    ? ''
    : /* wgsl */ `
  workgroupBarrier();
  if (local < BLOCK && begin + local < COUNT) {
    dots[${start}u + begin + local] = sumOfShares(local);
  }`
}`;

/** Points [N, P, 3] as they are given. */
export function givenPoints(planning: Planning, points: Tensor, input: number): Source {
  const [batch, each] = points.shape;
  return {
    label: 'densities and colours at points',
    count: batch * each,
    bound: [floats(planning, 'points', points, { input })],
    code: /* wgsl */ `
fn pointAt(i: u32) -> vec4<f32> {
  return vec4<f32>(f32(points[3u * i]), f32(points[3u * i + 1u]), f32(points[3u * i + 2u]), 0.0);
}
fn entryOf(i: u32) -> u32 {
  return ${batch === 1 ? '0u' : `i / ${each}u`};
}`,
  };
}

/** Points to densities, and to colours if the second output is there. */
function pointsKernel(name: string): Kernel {
  return {
    name,
    plan(node: Node, planning: Planning): KernelCall | undefined {
      const inputs = ['points', 'planes', 'w0', 'b0', 'w1', 'b1'];
      const field = fieldFor(node, inputs, planning);
      if (field === undefined) return undefined;
      const [texels, decoder] = [{ scratch: 0 }, { scratch: 1 }];
      const [sigma, rgb] = node.outputs;
      const sink: Sink = {
        sigma: floats(planning, 'sigma', sigma, { output: 0 }, { write: true }),
        start: 0,
        ...(rgb === undefined
          ? {}
          : { rgb: floats(planning, 'rgbs', rgb, { output: 1 }, { lanes: 4, write: true }) }),
      };
      return {
        dispatches: [
          packDispatch(node, inputs, planning, field, texels, decoder),
          decodeDispatch(planning, field, givenPoints(planning, node.inputs[0], 0), sink, texels, decoder),
        ],
        scratch: [texelBytes(field), DECODER_BYTES],
      };
    },
  };
}

export const decodePointsKernel = pointsKernel('decodePoints');
export const decodeDensityKernel = pointsKernel('decodeDensity');
