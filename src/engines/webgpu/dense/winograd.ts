/**
 * Convolutions with 3x3 taps by Winograd's minimal filtering F(2x2, 3x3): 16 multiplications make four outputs, in
 * place of 36.
 *
 * Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks". Weights and patches of 4x4 pixels are
 * transformed, multiplied as 16 products of matrices [outputs, inputs] and [inputs, patches], and transformed back.
 * Patches are taken in portions, so that what lies between the passes stays within a bound.
 */

import { type Dispatch, type Operand, spread } from '../kernel.ts';
import { each } from './arithmetic.ts';
import { addProduct, type CallBuilder, cutFor, type DenseChoice, scratchOf } from './call.ts';
import type { Convolved, Place } from './convolve.ts';
import type { Gathering } from './image.ts';
import type { WeightTaps } from './pack.ts';
import { matrixSink, stored } from './sink.ts';
import { matrixSource } from './source.ts';
import { type ProductShape, rateOf, SECOND_DISPATCH, tileFor, timeOf } from './tile.ts';

/** Bytes between the passes, unless chosen otherwise. */
const PORTION_BYTES = 1 << 27;
/** Multiply-adds of one multiprocessor in the time that it takes to move a byte. */
const BYTE = 0.038;
const LEAST_PATCHES = 64;
/** Workgroups of a dimension that are kept free to number the portions. */
const MOST_PORTIONS = 1 << 12;
const THREADS = 64;

/** Whether `addWinograd` takes a convolution. */
export function isWinograd(gathering: Gathering, { kernel }: WeightTaps): boolean {
  const { groups, grid, output, stride, spacing, start, taps } = gathering;
  const plain = [groups, ...stride, ...spacing].every((size) => size === 1);
  const whole = start.every((at) => at === 0) && grid.every((size, axis) => size === output[axis]);
  const three = [taps.rows, taps.columns, ...kernel].every((size) => size === 3);
  const [down, across] = taps.step;
  return plain && whole && three && Math.abs(down) === 1 && down === across;
}

interface Portions {
  /** Patches down and across an image. */
  readonly grid: readonly [number, number];
  /** Patches of a portion: a multiple of 4. */
  readonly size: number;
  readonly count: number;
}

function portionsOf(
  { batch, inputs, outputs, grid: [rows, columns] }: Gathering,
  bytes = PORTION_BYTES,
): Portions {
  const grid = [Math.ceil(rows / 2), Math.ceil(columns / 2)] as const;
  const patches = batch * grid[0] * grid[1];
  const count = Math.ceil((patches * 64 * (inputs + outputs)) / bytes);
  return { grid, size: Math.ceil(patches / count / 4) * 4, count };
}

/** Whether this should be faster than one product of `shape`. */
export function winogradPays(call: CallBuilder, gathering: Gathering, shape: ProductShape): boolean {
  const { abilities } = call.planning;
  if (abilities.software || (call.half && abilities.matrixUnits.length > 0)) return false;
  const { inputs, outputs } = gathering;
  const { size, count } = portionsOf(gathering);
  // Where there are few patches, reading the weights is what takes time, and transformed ones are larger.
  if (size < LEAST_PATCHES || count > MOST_PORTIONS) return false;
  const time = (product: ProductShape): number => {
    const { tile, splits } = tileFor(product, abilities, call.half);
    return timeOf(product, tile, splits, rateOf(tile));
  };
  const portion = time({ rows: outputs, columns: size, depth: inputs, batch: 16 });
  const bytes = 64 * (2 * count * size * (inputs + outputs) + 2 * inputs * outputs);
  return count * (portion + 2 * SECOND_DISPATCH) + BYTE * bytes < time(shape);
}

/** Appends a convolution that `isWinograd`. */
export function addWinograd(
  call: CallBuilder,
  label: string,
  gathering: Gathering,
  weights: WeightTaps,
  { image, weight, result }: Convolved,
  choice: DenseChoice,
): void {
  const { inputs, outputs } = gathering;
  const portions = portionsOf(gathering, choice.portionBytes);
  const { size, count } = portions;
  const rows = Math.ceil(outputs / 4) * 4;
  const left = scratchOf(call, 64 * inputs * rows);
  const right = scratchOf(call, 64 * inputs * size);
  const between = scratchOf(call, 64 * outputs * size);
  const most = call.planning.abilities.limits.maxComputeWorkgroupsPerDimension;
  call.dispatches.push(weightDispatch(gathering, weights, weight, left, rows, most));
  const shape = { rows: outputs, columns: size, depth: inputs, batch: 16 };
  const cut = cutFor({ ...call, half: false }, shape, choice);
  const { tile } = cut;
  const a = { name: 'u', at: left, lines: rows, depthStride: rows, batchStride: inputs * rows };
  const b = { name: 'v', at: right, lines: size, depthStride: size, batchStride: inputs * size };
  const rest = { storage: 'f32', lineStride: 1, depths: inputs } as const;
  for (let portion = 0; portion < count; portion++) {
    call.dispatches.push(patchDispatch(gathering, portions, image, right, portion, most));
    addProduct(call, {
      ...{ label: `${label}, Winograd`, shape, cut, half: false },
      a: matrixSource({ ...a, ...rest }, tile.rows, tile.depth),
      b: matrixSource({ ...b, ...rest }, tile.columns, tile.depth),
      sink: matrixSink(between, 'f32', outputs, size),
    });
    call.dispatches.push(resultDispatch(gathering, portions, between, result, portion, most));
  }
}

/** A pass of `count` threads, each with its number `i`. The portion's number is how many more columns of workgroups than
 * needed there are, which end at once: so all portions share one shader. */
function pass(
  label: string,
  count: number,
  portion: number,
  bound: Dispatch['bound'],
  most: number,
  body: string,
): Dispatch {
  const [across, down] = spread(Math.ceil(count / THREADS), most - MOST_PORTIONS);
  const code = `
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) index: u32) {
let portion = groups.x - ${across}u;
let i = (group.x + group.y * ${across}u) * ${THREADS}u + index;
if (group.x >= ${across}u || i >= ${count}u) { return; }
${body}
}`;
  return { label, code, bound, groups: [across + portion, down, 1] };
}

/** G g G' of each pair of channels, as 16 matrices [inputs, rows]: transposed left operands. */
function weightDispatch(
  { inputs, outputs, taps }: Gathering,
  { turned }: WeightTaps,
  from: Place,
  to: Operand,
  rows: number,
  most: number,
): Dispatch {
  const count = inputs * rows;
  const place = turned ? `channel * ${outputs}u + row` : `row * ${inputs}u + channel`;
  // Taps that step backwards are a flipped kernel.
  const tap = (i: number): string => `f32(w[at + ${taps.step[0] > 0 ? i : 8 - i}u])`;
  const body = `
let row = i % ${rows}u;
let channel = i / ${rows}u;
let at = select(0u, (${place}) * 9u, row < ${outputs}u);
${each(3, (r) => `let g${r} = vec3f(${[0, 1, 2].map((c) => tap(3 * r + c)).join(', ')});`)}
let h0 = g0;
let h1 = 0.5 * (g0 + g1 + g2);
let h2 = 0.5 * (g0 - g1 + g2);
let h3 = g2;
${each(
  4,
  (r) => `u[${4 * r * count}u + i] = h${r}.x;
u[${(4 * r + 1) * count}u + i] = 0.5 * (h${r}.x + h${r}.y + h${r}.z);
u[${(4 * r + 2) * count}u + i] = 0.5 * (h${r}.x - h${r}.y + h${r}.z);
u[${(4 * r + 3) * count}u + i] = h${r}.z;`,
)}`;
  const bound = [
    { name: 'w', at: from.at, type: from.storage },
    { name: 'u', at: to, type: 'f32', write: true },
  ];
  return pass('weights transformed', count, 0, bound, most, body);
}

/** Image, row and column of a patch's first output. */
function patchPlace({ size, grid: [down, across] }: Portions): string {
  return `let patch_ = portion * ${size}u + i % ${size}u;
let channel = i / ${size}u;
let image = patch_ / ${down * across}u;
let row = patch_ / ${across}u % ${down}u * 2u;
let column = patch_ % ${across}u * 2u;`;
}

/** B' d B of the patches of a portion, as 16 matrices [inputs, patches]. */
function patchDispatch(
  { batch, inputs, input: [height, width], taps }: Gathering,
  portions: Portions,
  from: Place,
  to: Operand,
  portion: number,
  most: number,
): Dispatch {
  const count = inputs * portions.size;
  const [top, left] = taps.first.map((place, axis) => (taps.step[axis] > 0 ? place : place - 2));
  const pixel = (r: number, c: number): string => `let at${r}${c} = at + ${r * width + c};
let ok${r}${c} = down${r} & (u32(x0 + ${c}) < ${width}u);
let d${r}${c} = select(0.0, f32(x[select(0, at${r}${c}, ok${r}${c})]), ok${r}${c});`;
  const body = `
${patchPlace(portions)}
let y0 = i32(row) + ${top};
let x0 = i32(column) + ${left};
let at = i32((image * ${inputs}u + channel) * ${height * width}u) + y0 * ${width} + x0;
${each(
  4,
  (r) => `let down${r} = (u32(y0 + ${r}) < ${height}u) & (image < ${batch}u);
${each(4, (c) => pixel(r, c))}
let d${r} = vec4f(d${r}0, d${r}1, d${r}2, d${r}3);`,
)}
let t0 = d0 - d2;
let t1 = d1 + d2;
let t2 = d2 - d1;
let t3 = d1 - d3;
${each(
  4,
  (r) => `v[${4 * r * count}u + i] = t${r}.x - t${r}.z;
v[${(4 * r + 1) * count}u + i] = t${r}.y + t${r}.z;
v[${(4 * r + 2) * count}u + i] = t${r}.z - t${r}.y;
v[${(4 * r + 3) * count}u + i] = t${r}.y - t${r}.w;`,
)}`;
  const bound = [
    { name: 'x', at: from.at, type: from.storage },
    { name: 'v', at: to, type: 'f32', write: true },
  ];
  return pass('patches transformed', count, portion, bound, most, body);
}

/** A' m A: four outputs of each channel and patch. */
function resultDispatch(
  { batch, outputs, output: [height, width] }: Gathering,
  portions: Portions,
  from: Operand,
  to: Place,
  portion: number,
  most: number,
): Dispatch {
  const count = outputs * portions.size;
  const put = (r: number, c: number): string => {
    const checks = [
      ...(r === 1 && height % 2 === 1 ? [`row + 1u < ${height}u`] : []),
      ...(c === 1 && width % 2 === 1 ? [`column + 1u < ${width}u`] : []),
    ];
    const sum = c === 0 ? `t${r}.x + t${r}.y + t${r}.z` : `t${r}.y - t${r}.z - t${r}.w`;
    const line = `y[at + ${r * width + c}u] = ${stored(sum, to.storage)};`;
    return checks.length === 0 ? line : `if (${checks.join(' && ')}) { ${line} }`;
  };
  const body = `
${patchPlace(portions)}
if (image >= ${batch}u) { return; }
${each(4, (r) => `let m${r} = vec4f(${[0, 1, 2, 3].map((c) => `m[${(4 * r + c) * count}u + i]`).join(', ')});`)}
let t0 = m0 + m1 + m2;
let t1 = m1 - m2 - m3;
let at = ((image * ${outputs}u + channel) * ${height}u + row) * ${width}u + column;
${[0, 1].flatMap((r) => [0, 1].map((c) => put(r, c))).join('\n')}`;
  const bound = [
    { name: 'm', at: from, type: 'f32' },
    { name: 'y', at: to.at, type: to.storage, write: true },
  ];
  return pass('results transformed back', count, portion, bound, most, body);
}
