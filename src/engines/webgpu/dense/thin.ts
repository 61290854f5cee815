/**
 * Products of a few rows with a large matrix, as fully connected layers are: bound by reading that matrix once.
 *
 * A workgroup makes few columns, and its threads share the sum, so that there are workgroups enough without a second
 * dispatch that would take as long again.
 */

import { type Dispatch, type Planning, spread } from '../kernel.ts';
import { each } from './arithmetic.ts';
import type { Place } from './convolve.ts';
import { stored } from './sink.ts';
import type { Matrix } from './source.ts';
import type { ProductShape } from './tile.ts';

const MOST_ROWS = 16;
const MOST_RESULTS = 1 << 16;
/** Below this a sum is too short to be shared. */
const LEAST_TERMS = 64;

export function isThin({ rows, columns, depth, batch }: ProductShape): boolean {
  return rows <= MOST_ROWS && depth >= LEAST_TERMS && rows * columns * batch <= MOST_RESULTS;
}

/** Threads along a sum, for the two ways that the large matrix can lie. */
function threadsAlong(
  deep: boolean,
  software: boolean,
): { readonly columns: number; readonly slices: number } {
  if (software) return { columns: 4, slices: 4 };
  return deep ? { columns: 4, slices: 64 } : { columns: 8, slices: 32 };
}

/** @param a, b  the operands: lines of `a` are rows, lines of `b` columns. */
export function thinDispatch(
  label: string,
  a: Matrix,
  b: Matrix,
  { rows, columns, depth, batch }: ProductShape,
  result: Place,
  planning: Planning,
): Dispatch {
  const { limits, software } = planning.abilities;
  const deep = b.depthStride === 1;
  const { columns: width, slices } = threadsAlong(deep, software);
  const threads = width * slices;
  const quads = Math.ceil(rows / 4);
  const across = Math.ceil(columns / width);
  const place = deep
    ? `let slice = index % ${slices}u;\nlet mine = index / ${slices}u;`
    : `let slice = index / ${width}u;\nlet mine = index % ${width}u;`;
  const at = (column: string, slice: string): string =>
    deep ? `${column} * ${slices}u + ${slice}` : `${slice} * ${width}u + ${column}`;
  const row = (i: number): string => (i < rows ? `f32(a[aAt + ${i * a.lineStride}u])` : '0.0');
  const code = `
var<workgroup> sums: array<vec4f, ${threads}>;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) index: u32) {
let job = group.x + group.y * groups.x;
if (job >= ${across * batch}u) { return; }
let z = job / ${across}u;
${place}
let column = job % ${across}u * ${width}u + mine;
let bStart = z * ${b.batchStride}u + min(column, ${columns - 1}u) * ${b.lineStride}u;
${each(quads, (i) => `var s${i} = vec4f();`)}
for (var k = slice; k < ${depth}u; k += ${slices}u) {
let value = f32(b[bStart + k * ${b.depthStride}u]);
let aAt = z * ${a.batchStride}u + k * ${a.depthStride}u;
${each(quads, (i) => `s${i} = fma(vec4f(${[0, 1, 2, 3].map((part) => row(4 * i + part)).join(', ')}), vec4f(value), s${i});`)}
}
${each(
  quads,
  (i) => `sums[${at('mine', 'slice')}] = s${i};
workgroupBarrier();
for (var reach = ${slices / 2}u; reach > 0u; reach /= 2u) {
if (slice < reach) { sums[${at('mine', 'slice')}] += sums[${at('mine', '(slice + reach)')}]; }
workgroupBarrier();
}
if (slice < 4u && column < ${columns}u && ${4 * i}u + slice < ${rows}u) {
y[(z * ${rows}u + ${4 * i}u + slice) * ${columns}u + column] = ${stored(`sums[${at('mine', '0u')}][slice]`, result.storage)};
}
workgroupBarrier();`,
)}
}`;
  return {
    label,
    code,
    bound: [
      { name: 'a', at: a.at, type: a.storage },
      { name: 'b', at: b.at, type: b.storage },
      { name: 'y', at: result.at, type: result.storage, write: true },
    ],
    groups: spread(across * batch, limits.maxComputeWorkgroupsPerDimension),
  };
}
