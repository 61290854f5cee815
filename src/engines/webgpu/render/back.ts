/**
 * The way back through the decoder: from cotangents of densities and colours to those of looked-up features, a row a
 * point, and to sums for the weights.
 *
 * What goes forward is computed again. A workgroup goes from block to block and keeps its sums in registers; at the end
 * it adds them to a row of its own, and the rows are summed by one more dispatch. So no sum has more than a few
 * thousand terms, and none depends on which workgroup was faster.
 */

import type { Node } from '../../../tensor/index.ts';
import type { Bound, Dispatch, Operand, Planning } from '../kernel.ts';
import type { Source } from './decode.ts';
import { DECODER, FEATURE_ROW, type Field, HIDDEN_ROW, lookUp, taps } from './field.ts';
import { activation, colours, hiddenValues, layers, pointOf, repeat } from './network.ts';
import { entry, floats, literal, SOFTPLUS, stored } from './shader.ts';

/** What flows back to points. */
export interface Cotangents {
  /** WGSL: `weighedAt(i) -> vec2<f32>`: what colours' cotangents are multiplied by, and the density's cotangent. */
  readonly weighed: Part;
  /** WGSL: `cotangentOf(i, c) -> vec4<f32>` of activated colours; left out where nothing flows back to those. */
  readonly colours?: Part;
}

/** A part of a shader, and what it reads. */
export interface Part {
  readonly bound: readonly Bound[];
  readonly code: string;
}

/** Vectors of a row of sums: gradients of the first layer [64, 32], of its biases, of the second layer [33, 64], of the
 * colours' biases and of the density's. */
const SUMS = { second: 528, firstBias: 512, secondBias: 1056, densityBias: 1064, all: 1065 };
export const SUM_BYTES = SUMS.all * 16;

/** Workgroups that go from block to block, at most: more than a GPU has room for at once is waste. */
const WORKERS = 792;
const SOFTWARE_WORKERS = 2;

/** Points of a block on the way back: as many as leave room for a few workgroups side by side. */
const backBytes = (block: number): number =>
  16 * (64 * FEATURE_ROW + 32 * HIDDEN_ROW + block * (2 * FEATURE_ROW + HIDDEN_ROW) + block / 4);

function backBlock({ abilities: { limits } }: Planning): number | undefined {
  return [32, 16].find((block) => backBytes(block) <= limits.maxComputeWorkgroupStorageSize);
}

export interface Back {
  readonly block: number;
  readonly workers: number;
}

/** How the way back is shared out for so many points at once, or undefined where it does not fit. */
export function backFor(planning: Planning, count: number): Back | undefined {
  const block = backBlock(planning);
  if (block === undefined) return undefined;
  const most = planning.abilities.software ? SOFTWARE_WORKERS : WORKERS;
  return { block, workers: Math.min(most, Math.ceil(count / block)) };
}

/** Rows [count, 32] of cotangents of features to `rows`, and sums over the points added to those in `sums`.
 *
 * @param weights whether sums are asked for
 */
export function backDispatch(
  field: Field,
  { block, workers }: Back,
  source: Source,
  cotangents: Cotangents,
  weights: boolean,
  at: { readonly texels: Operand; readonly decoder: Operand; readonly rows: Operand; readonly sums: Operand },
): Dispatch {
  // Hidden values of a thread in sums for weights, in vectors.
  const own = 64 / block;
  const linear = field.activation === 'none';
  const coloured = cotangents.colours !== undefined;
  const code = /* wgsl */ `
const COUNT = ${source.count}u;
${taps(field)}
${lookUp(field)}
${SOFTPLUS}
${activation(field)}
${source.code}
${cotangents.weighed.code}
${cotangents.colours?.code ?? ''}
${layers(block)}
var<workgroup> features: array<vec4<f32>, ${block * FEATURE_ROW}>;
var<workgroup> hidden: array<vec4<f32>, ${block * HIDDEN_ROW}>;
var<workgroup> ofColours: array<vec4<f32>, ${block * FEATURE_ROW}>;
var<workgroup> ofDensity: array<f32, ${block}>;
${entry(
  2 * block,
  /* wgsl */ `
  let lane = local % 8u;
  let across = local / 8u;
  loadLayers(local);
  ${weights ? sumsDeclared(own, coloured) : ''}
  for (var block = group.x; block < ${Math.ceil(source.count / block)}u; block += ${workers}u) {
    let begin = block * BLOCK;
    for (var k = 0u; k < 4u; k++) {
      let at = across + k * ACROSS;
      let i = min(begin + at, COUNT - 1u);
      features[at * ${FEATURE_ROW}u + lane] = lookUp(pointAt(i).xyz, entryOf(i), lane);
    }
    if (local < BLOCK) {
      ofDensity[local] = select(0.0, weighedAt(min(begin + local, COUNT - 1u)).y, begin + local < COUNT);
    }
    workgroupBarrier();
    ${hiddenValues('features')}
    ${writeRows('h')}
    ${linear || !coloured ? '' : 'workgroupBarrier();'}
    ${coloured ? coloursBack(field) : ''}
    workgroupBarrier();
    ${weights ? addSecond(own, coloured) : ''}
    ${hiddenBack(coloured)}
    workgroupBarrier();
    ${writeRows('g')}
    workgroupBarrier();
    ${weights ? addFirst(own) : ''}
    ${featuresBack}
    workgroupBarrier();
  }
  ${weights ? writeSums(own, coloured) : ''}`,
)}`;
  return {
    label: 'renderer: back through the decoder',
    code,
    bound: [
      ...source.bound,
      { name: 'texels', at: at.texels, type: field.texel },
      { name: 'decoder', at: at.decoder, type: 'vec4<f32>' },
      ...cotangents.weighed.bound,
      ...(cotangents.colours?.bound ?? []),
      { name: 'rows', at: at.rows, type: 'vec4<f32>', write: true },
      ...(weights ? [{ name: 'sums', at: at.sums, type: 'vec4<f32>', write: true }] : []),
    ],
    groups: [workers, 1, 1],
  };
}

/** Writes values of four points by eight hidden ones to `hidden`. */
const writeRows = (values: string): string =>
  repeat(
    4,
    (p) => /* wgsl */ `
    let at = ${pointOf(p)} * ${HIDDEN_ROW}u + lane;
    hidden[at] = vec4<f32>(${values}[0][${p}], ${values}[1][${p}], ${values}[2][${p}], ${values}[3][${p}]);
    hidden[at + 8u] = vec4<f32>(${values}[4][${p}], ${values}[5][${p}], ${values}[6][${p}], ${values}[7][${p}]);`,
  );

/** Cotangents of colours before their activation: to `ofColours`. */
const coloursBack = (field: Field): string => /* wgsl */ `
    ${field.activation === 'none' ? '' : colours('hidden', field)}
    ${repeat(4, (p) => {
      const values = `vec4<f32>(rgb[0][${p}], rgb[1][${p}], rgb[2][${p}], rgb[3][${p}])`;
      return /* wgsl */ `
    let at = begin + ${pointOf(p)};
    var value = vec4<f32>(0.0);
    if (at < COUNT) {
      value = cotangentOf(at, lane) * weighedAt(at).x${field.activation === 'none' ? '' : ` * slopeAt(${values})`};
    }
    ofColours[${pointOf(p)} * ${FEATURE_ROW}u + lane] = value;`;
    })}`;

/** Cotangents of hidden values before their softplus, `g` [8], from those of colours and density; the slope is 1 - e^-h. */
const hiddenBack = (withColours: boolean): string => /* wgsl */ `
    var g = array<vec4<f32>, 8>();
    {
      let d = vec4<f32>(${[0, 1, 2, 3].map((p) => `ofDensity[${pointOf(`${p}u`)}]`).join(', ')});
      ${repeat(8, (j) => `g[${j}] = d * decoder[${DECODER.density}u + lane + 8u * (${j} / 4u)][${j} % 4u];`)}
    }
    ${
      withColours
        ? /* wgsl */ `
    for (var k = 0u; k < 8u; k++) {
      var x: array<vec4<f32>, 4>;
      ${repeat(4, (p) => `x[${p}] = ofColours[${pointOf(p)} * ${FEATURE_ROW}u + k];`)}
      ${repeat(
        4,
        (o) => /* wgsl */ `
        let c = vec4<f32>(x[0][${o}], x[1][${o}], x[2][${o}], x[3][${o}]);
        let w0 = second[(${o} * 8u + k) * ${HIDDEN_ROW}u + lane];
        let w1 = second[(${o} * 8u + k) * ${HIDDEN_ROW}u + lane + 8u];
        ${repeat(4, (j) => `g[${j}] += c * w0[${j}];\ng[${j} + 4u] += c * w1[${j}];`)}`,
      )}
    }`
        : ''
    }
    ${repeat(8, (j) => `g[${j}] *= 1.0 - exp(-h[${j}]);`)}`;

/** Cotangents of features: four points by four channels, to memory. */
const featuresBack = /* wgsl */ `
    var f = array<vec4<f32>, 4>();
    for (var m = 0u; m < 16u; m++) {
      var x: array<vec4<f32>, 4>;
      ${repeat(4, (p) => `x[${p}] = hidden[${pointOf(p)} * ${HIDDEN_ROW}u + m];`)}
      ${repeat(
        4,
        (k) => /* wgsl */ `
        let w = first[((${k} + 4u * (m / 8u)) * 8u + m % 8u) * ${FEATURE_ROW}u + lane];
        ${repeat(4, (p) => `f[${p}] += x[${p}][${k}] * w;`)}`,
      )}
    }
    ${repeat(4, (p) => `if (begin + ${pointOf(p)} < COUNT) { rows[(begin + ${pointOf(p)}) * 8u + lane] = f[${p}]; }`)}`;

/** A thread's sums: for hidden values `across * own * 4 ...` and the four channels, or colours, of its lane. */
const sumsDeclared = (own: number, withColours: boolean): string => /* wgsl */ `
  var toFirst: array<vec4<f32>, ${4 * own}>;
  var toFirstBias: array<vec4<f32>, ${own}>;
  var toDensity: array<vec4<f32>, ${own}>;
  var toDensityBias = 0.0;
  ${withColours ? `var toSecond: array<vec4<f32>, ${4 * own}>;\n  var toSecondBias = vec4<f32>(0.0);` : ''}`;

const addSecond = (own: number, withColours: boolean): string => /* wgsl */ `
    for (var p = 0u; p < BLOCK; p++) {
      let d = ofDensity[p];
      toDensityBias += d;
      ${
        withColours
          ? /* wgsl */ `
      let c = ofColours[p * ${FEATURE_ROW}u + lane];
      toSecondBias += c;`
          : ''
      }
      ${repeat(
        own,
        (q) => /* wgsl */ `
      let x = hidden[p * ${HIDDEN_ROW}u + across * ${own}u + ${q}];
      toDensity[${q}] += d * x;
      ${withColours ? repeat(4, (o) => `toSecond[${o} * ${own}u + ${q}] += c[${o}] * x;`) : ''}`,
      )}
    }`;

const addFirst = (own: number): string => /* wgsl */ `
    for (var p = 0u; p < BLOCK; p++) {
      let c = features[p * ${FEATURE_ROW}u + lane];
      ${repeat(
        own,
        (q) => /* wgsl */ `
      let x = hidden[p * ${HIDDEN_ROW}u + across * ${own}u + ${q}];
      toFirstBias[${q}] += x;
      ${repeat(4, (k) => `toFirst[${q} * 4u + ${k}] += x[${k}] * c;`)}`,
      )}
    }`;

const writeSums = (own: number, withColours: boolean): string => /* wgsl */ `
  let row = group.x * ${SUMS.all}u;
  ${repeat(4 * own, (k) => `sums[row + (across * ${4 * own}u + ${k}) * 8u + lane] += toFirst[${k}];`)}
  if (lane == 0u) {
    ${repeat(
      own,
      (q) => /* wgsl */ `
    sums[row + ${SUMS.firstBias}u + across * ${own}u + ${q}] += toFirstBias[${q}];
    sums[row + ${SUMS.second}u + across * ${own}u + ${q}] += toDensity[${q}];`,
    )}
  }
  if (local == 0u) {
    sums[row + ${SUMS.densityBias}u] += vec4<f32>(toDensityBias);
  }
  ${
    withColours
      ? /* wgsl */ `
  ${repeat(4, (o) =>
    repeat(
      own,
      (q) =>
        `sums[row + ${SUMS.second}u + (lane * 4u + ${o} + 1u) * 16u + across * ${own}u + ${q}] += toSecond[${o} * ${own}u + ${q}];`,
    ),
  )}
  if (across == 0u) {
    sums[row + ${SUMS.secondBias}u + lane] += toSecondBias;
  }`
      : ''
  }`;

const SUM_THREADS = 128;
/** Threads that share the rows of one vector. */
const SLICES = 8;

/** Sums rows to the gradients of the weights that are asked for, by name. */
export function sumDispatch(
  planning: Planning,
  field: Field,
  node: Node,
  outputs: readonly string[],
  workers: number,
  sums: Operand,
): Dispatch {
  const threads = Math.min(SUM_THREADS, planning.abilities.limits.maxComputeInvocationsPerWorkgroup);
  const vectors = threads / SLICES;
  const asked = ['w0', 'b0', 'w1', 'b1'].filter((name) => outputs.includes(name));
  const bounds = asked.map((name) => {
    const output = outputs.indexOf(name);
    return floats(planning, name, node.outputs[output], { output }, { write: true });
  });
  const write = (name: string, at: string, value: string): string => {
    const bound = bounds.find((other) => other.name === name);
    return bound === undefined ? '' : `${name}[${at}] = ${stored(bound.type, value)};`;
  };
  const [first, second, bias] = field.gains;
  const each = (name: string, start: number, gain: number): string =>
    repeat(4, (k) => write(name, `(v - ${start}u) * 4u + ${k}`, `sum[${k}] * ${literal(gain)}`));
  const code = /* wgsl */ `
var<workgroup> parts: array<vec4<f32>, ${threads}>;
${entry(
  threads,
  /* wgsl */ `
  let v = group.x * ${vectors}u + local % ${vectors}u;
  let slice = local / ${vectors}u;
  var sum = vec4<f32>(0.0);
  if (v < ${SUMS.all}u) {
    for (var row = slice; row < ${workers}u; row += ${SLICES}u) {
      sum += sums[row * ${SUMS.all}u + v];
    }
  }
  parts[local] = sum;
  workgroupBarrier();
  if (slice == 0u && v < ${SUMS.all}u) {
    for (var k = 1u; k < ${SLICES}u; k++) {
      sum += parts[local + k * ${vectors}u];
    }
    if (v < ${SUMS.firstBias}u) {
      ${each('w0', 0, first / 3)}
    } else if (v < ${SUMS.second}u) {
      ${each('b0', SUMS.firstBias, bias)}
    } else if (v < ${SUMS.secondBias}u) {
      ${each('w1', SUMS.second, second)}
    } else if (v < ${SUMS.densityBias}u) {
      ${repeat(4, (k) => write('b1', `(v - ${SUMS.secondBias}u) * 4u + ${k} + 1u`, `sum[${k}] * ${literal(bias)}`))}
    } else {
      ${write('b1', '0', `sum.x * ${literal(bias)}`)}
    }
  }`,
)}`;
  return {
    label: 'renderer: gradients of the decoder',
    code,
    bound: [{ name: 'sums', at: sums, type: 'vec4<f32>' }, ...bounds],
    groups: [Math.ceil(SUMS.all / vectors), 1, 1],
  };
}
