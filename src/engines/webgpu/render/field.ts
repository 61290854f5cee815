/**
 * The radiance field in WGSL: planes laid out texel by texel, the decoder's weights as its shaders read them, and
 * the look-up in the planes (`sampleTrigrid` of `src/tensor/composites/trigrid.ts` is the definition).
 *
 * A texel is 32 channels side by side, eight vectors: eight threads in a row read it at once.
 */

import type { Node } from '../../../tensor/index.ts';
import { type FieldOptions, fieldOf } from '../../kernels/render.ts';
import type { Bound, Dispatch, Operand, Planning } from '../kernel.ts';
import { entry, floats, literal } from './shader.ts';

export const CHANNELS = 32;
export const HIDDEN = 64;

/** Vectors from one row of features, or of hidden values, to the next in workgroup memory: an odd number, so that threads
 * side by side meet different banks. */
export const FEATURE_ROW = 9;
export const HIDDEN_ROW = 17;

/** Bytes of workgroup memory that a block of points takes. */
const bytesFor = (block: number): number =>
  16 * (64 * FEATURE_ROW + 32 * HIDDEN_ROW + block * (HIDDEN_ROW + 2));

/** Points of a block, the most that a workgroup has room for; undefined where none fit. */
function blockFor({ abilities: { limits } }: Planning): number | undefined {
  return [64, 32].find(
    (block) =>
      2 * block <= limits.maxComputeInvocationsPerWorkgroup &&
      bytesFor(block) <= limits.maxComputeWorkgroupStorageSize,
  );
}

/** What the shaders know of planes and decoder. */
export interface Field {
  readonly batch: number;
  readonly layers: number;
  readonly side: number;
  /** Brings the cube to [-1, 1]. */
  readonly scale: number;
  /** Of the first layer, the second, and the biases. */
  readonly gains: readonly [number, number, number];
  readonly activation: 'none' | 'sigmoid' | 'lrelu';
  /** Points that a workgroup decodes together. */
  readonly block: number;
  /** WGSL type of four channels of a packed texel. */
  readonly texel: 'vec4<f32>' | 'vec4<f16>';
}

/** Planes and decoder of a node, or undefined where the shaders do not fit. */
export function fieldFor(node: Node, inputs: readonly string[], planning: Planning): Field | undefined {
  const options = node.attrs.options as unknown as FieldOptions;
  const known = fieldOf(node, inputs, options);
  const block = blockFor(planning);
  if (known === undefined || block === undefined) return undefined;
  const [layers, side, scale] = known.shape;
  const [first, second, bias] = known.gains;
  const field: Field = {
    batch: node.inputs[inputs.indexOf('planes')].shape[0],
    layers,
    side,
    scale,
    gains: [first, second, bias],
    block,
    activation: options.activation as Field['activation'],
    texel: planning.half && planning.abilities.half ? 'vec4<f16>' : 'vec4<f32>',
  };
  const { limits } = planning.abilities;
  const fits =
    texelBytes(field) <= Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize) &&
    3 * layers * field.batch + 1 <= limits.maxComputeWorkgroupsPerDimension &&
    Math.ceil(side ** 2 / RUN) <= limits.maxComputeWorkgroupsPerDimension;
  return fits ? field : undefined;
}

const texelCount = ({ batch, layers, side }: Field): number => batch * 3 * layers * side ** 2;

/** Bytes of the packed planes. */
export const texelBytes = (field: Field): number =>
  texelCount(field) * CHANNELS * (field.texel === 'vec4<f16>' ? 2 : 4);

/** Bytes of gradients of packed planes, in single precision. */
export const texelGradientBytes = (field: Field): number => texelCount(field) * CHANNELS * 4;

/** Where the parts of the packed decoder start, in vectors.
 *
 * Rows of either layer stand in the order in which eight neighbouring threads read them: a thread has four outputs
 * in a row, and four more 32 on; row `8 j + thread` is its output `j`. The density's row is apart.
 */
export const DECODER = {
  first: 0,
  second: 512,
  density: 1024,
  firstBias: 1040,
  secondBias: 1056,
  densityBias: 1064,
};
export const DECODER_BYTES = 1065 * 16;

/** Texels that a workgroup turns. */
const RUN = 64;

/** Lays out planes and decoder: the first dispatch of every call. */
export function packDispatch(
  node: Node,
  inputs: readonly string[],
  planning: Planning,
  field: Field,
  texels: Operand,
  decoder: Operand,
): Dispatch {
  const given = (name: string, lanes: 1 | 4 = 1): Bound => {
    const input = inputs.indexOf(name);
    return floats(planning, name, node.inputs[input], { input }, { lanes });
  };
  const { batch, layers, side, texel, gains } = field;
  const threads = Math.min(256, planning.abilities.limits.maxComputeInvocationsPerWorkgroup);
  const code = /* wgsl */ `
const AREA = ${side ** 2}u;
const LAYERS = ${layers}u;
const LINES = ${3 * layers * batch}u;
var<workgroup> run: array<f32, ${CHANNELS * (RUN + 1)}>;
// The row of a layer that stands at a place in the order of the threads.
fn rowAt(place: u32) -> u32 {
  let j = place / 8u;
  return (place % 8u) * 4u + j % 4u + 32u * (j / 4u);
}
fn packed(i: u32) -> vec4<f32> {
  if (i < ${DECODER.second}u) {
    return vec4<f32>(w0[rowAt(i / 8u) * 8u + i % 8u]) * ${literal(gains[0] / 3)};
  }
  if (i < ${DECODER.density}u) {
    let at = i - ${DECODER.second}u;
    return vec4<f32>(w1[(rowAt(at / 16u) + 1u) * 16u + at % 16u]) * ${literal(gains[1])};
  }
  if (i < ${DECODER.firstBias}u) {
    return vec4<f32>(w1[i - ${DECODER.density}u]) * ${literal(gains[1])};
  }
  if (i < ${DECODER.secondBias}u) {
    return vec4<f32>(b0[i - ${DECODER.firstBias}u]) * ${literal(gains[2])};
  }
  if (i < ${DECODER.densityBias}u) {
    let at = (i - ${DECODER.secondBias}u) * 4u + 1u;
    return vec4<f32>(f32(b1[at]), f32(b1[at + 1u]), f32(b1[at + 2u]), f32(b1[at + 3u])) * ${literal(gains[2])};
  }
  return vec4<f32>(f32(b1[0]) * ${literal(gains[2])});
}
${entry(
  threads,
  /* wgsl */ `
  if (group.y == LINES) {
    for (var i = group.x * THREADS + local; i < ${DECODER_BYTES / 16}u; i += groups.x * THREADS) {
      decoder[i] = packed(i);
    }
    return;
  }
  let first = group.x * ${RUN}u;
  let source = (group.y / LAYERS) * ${CHANNELS}u * LAYERS + group.y % LAYERS;
  for (var i = local; i < ${CHANNELS * RUN}u; i += THREADS) {
    let c = i / ${RUN}u;
    let x = i % ${RUN}u;
    if (first + x < AREA) {
      run[c * ${RUN + 1}u + x] = f32(planes[(source + c * LAYERS) * AREA + first + x]);
    }
  }
  workgroupBarrier();
  for (var i = local; i < ${8 * RUN}u; i += THREADS) {
    let x = i / 8u;
    let at = (i % 8u) * ${4 * (RUN + 1)}u + x;
    if (first + x < AREA) {
      let four = vec4<f32>(run[at], run[at + ${RUN + 1}u], run[at + ${2 * (RUN + 1)}u], run[at + ${3 * (RUN + 1)}u]);
      texels[(group.y * AREA + first) * 8u + i] = ${texel}(four);
    }
  }`,
)}`;
  return {
    label: 'renderer: planes by texels',
    code,
    bound: [
      ...[given('planes'), given('w0', 4), given('b0', 4), given('w1', 4), given('b1')],
      { name: 'texels', at: texels, type: texel, write: true },
      { name: 'decoder', at: decoder, type: 'vec4<f32>', write: true },
    ],
    groups: [Math.ceil(side ** 2 / RUN), 3 * layers * batch + 1, 1],
  };
}

/** Turns gradients of texels back: [N, 3, depth, y, x, 32] words to the planes' own order. */
export function unpackDispatch(
  planning: Planning,
  field: Field,
  node: Node,
  output: number,
  gradients: Operand,
): Dispatch {
  const { batch, layers, side } = field;
  const threads = Math.min(256, planning.abilities.limits.maxComputeInvocationsPerWorkgroup);
  const planes = floats(planning, 'planes', node.outputs[output], { output }, { write: true });
  const store = planes.type === 'f16' ? 'f16(clamp(value, -65504.0, 65504.0))' : 'value';
  const code = /* wgsl */ `
const AREA = ${side ** 2}u;
const LAYERS = ${layers}u;
var<workgroup> run: array<f32, ${CHANNELS * (RUN + 1)}>;
${entry(
  threads,
  /* wgsl */ `
  let first = group.x * ${RUN}u;
  for (var i = local; i < ${CHANNELS * RUN}u; i += THREADS) {
    let x = i / ${CHANNELS}u;
    if (first + x < AREA) {
      run[(i % ${CHANNELS}u) * ${RUN + 1}u + x] = gradients[(group.y * AREA + first) * ${CHANNELS}u + i];
    }
  }
  workgroupBarrier();
  let to = (group.y / LAYERS) * ${CHANNELS}u * LAYERS + group.y % LAYERS;
  for (var i = local; i < ${CHANNELS * RUN}u; i += THREADS) {
    let c = i / ${RUN}u;
    let x = i % ${RUN}u;
    if (first + x < AREA) {
      let value = run[c * ${RUN + 1}u + x];
      planes[(to + c * LAYERS) * AREA + first + x] = ${store};
    }
  }`,
)}`;
  return {
    label: 'renderer: gradients of planes, channel by channel',
    code,
    bound: [planes, { name: 'gradients', at: gradients, type: 'f32' }],
    groups: [Math.ceil(side ** 2 / RUN), 3 * layers * batch, 1],
  };
}

/** WGSL: where the neighbours of points lie in the planes.
 *
 * `tapsOf(g, size)`: both neighbours along an axis, x and y, and their weights, z and w, 0 outside; roundings as in
 * the definition. `planeAxes(g, plane)`: coordinates along columns, rows and layers.
 */
export const taps = ({ layers, side, scale }: Field): string => /* wgsl */ `
const SIDE = ${literal(side)};
const LAYERS = ${literal(layers)};
const SCALE = ${literal(scale)};
fn tapsOf(g: f32, size: f32) -> vec4<f32> {
  let position = ((g + 1.0) * size - 1.0) * 0.5;
  let low = floor(position);
  let near = vec2<f32>(low, low + 1.0);
  let fraction = position - low;
  let inside = (near >= vec2<f32>(0.0)) & (near <= vec2<f32>(size - 1.0));
  let weight = select(vec2<f32>(0.0), vec2<f32>(1.0 - fraction, fraction), inside);
  return vec4<f32>(clamp(near, vec2<f32>(0.0), vec2<f32>(size - 1.0)), weight);
}
fn planeAxes(g: vec3<f32>, plane: u32) -> vec3<f32> {
  return select(select(g.yzx, g.xzy, plane == 1u), g, plane == 0u);
}
// Where the texel of a plane begins, in texels from the start of a batch entry.
fn texelAt(plane: u32, layer: f32, row: f32, column: f32) -> u32 {
  return ((plane * ${layers}u + u32(layer)) * ${side}u + u32(row)) * ${side}u + u32(column);
}`;

/** WGSL: `lookUp(point, entry, c)`: vector `c` of the sum of the three planes' features; needs `taps`. */
export const lookUp = ({ layers, side }: Field): string => {
  const corners = [0, 1].flatMap((d) => [0, 1].flatMap((v) => [0, 1].map((u) => ({ d, v, u }))));
  const part = (k: number, low: string, high: string): string => (k === 0 ? low : high);
  return /* wgsl */ `
fn lookUp(point: vec3<f32>, entry: u32, c: u32) -> vec4<f32> {
  let g = point * SCALE;
  var sum = vec4<f32>(0.0);
  for (var plane = 0u; plane < 3u; plane++) {
    let axes = planeAxes(g, plane);
    let u = tapsOf(axes.x, SIDE);
    let v = tapsOf(axes.y, SIDE);
    let d = tapsOf(axes.z, LAYERS);
    let base = entry * ${3 * layers * side ** 2}u;
${corners
  .map(({ d, v, u }) => {
    const weight = `${part(d, 'd.z', 'd.w')} * ${part(v, 'v.z', 'v.w')} * ${part(u, 'u.z', 'u.w')}`;
    const at = `texelAt(plane, ${part(d, 'd.x', 'd.y')}, ${part(v, 'v.x', 'v.y')}, ${part(u, 'u.x', 'u.y')})`;
    return `    sum += (${weight}) * vec4<f32>(texels[(base + ${at}) * 8u + c]);`;
  })
  .join('\n')}
  }
  return sum;
}`;
};
