/**
 * Dense operations without tiles, a thread a result: depthwise and other thin groups, batches of tiny products, and
 * kernels too large for the tiled form.
 */

import { type Dispatch, type Planning, spread } from '../kernel.ts';
import type { Convolved, Place } from './convolve.ts';
import type { Gathering } from './image.ts';
import type { WeightTaps } from './pack.ts';
import { stored } from './sink.ts';
import type { Matrix } from './source.ts';
import type { ProductShape } from './tile.ts';

const THREADS = 64;

/** A dispatch of one thread for each of `count` results; `body` computes number `i` as a value. */
function resultDispatch(
  label: string,
  count: number,
  body: string,
  inputs: readonly (Place & { readonly name: string })[],
  result: Place,
  at: string,
  planning: Planning,
): Dispatch {
  const code = `
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) index: u32) {
let i = (group.x + group.y * groups.x) * ${THREADS}u + index;
if (i >= ${count}u) { return; }
var sum = 0.0;
${body}
y[${at}] = ${stored('sum', result.storage)};
}`;
  const most = planning.abilities.limits.maxComputeWorkgroupsPerDimension;
  return {
    label,
    code,
    bound: [
      ...inputs.map(({ name, at: where, storage }) => ({ name, at: where, type: storage })),
      { name: 'y', at: result.at, type: result.storage, write: true },
    ],
    groups: spread(Math.ceil(count / THREADS), most),
  };
}

/** A batch of tiny products. */
export function plainMatmul(
  a: Matrix,
  b: Matrix,
  { rows, columns, depth, batch }: ProductShape,
  result: Place,
  planning: Planning,
): Dispatch {
  const start = ({ name, batchStride, lineStride }: Matrix, line: string): string =>
    `let ${name}At = z * ${batchStride}u + ${line} * ${lineStride}u;`;
  const body = `
let z = i / ${rows * columns}u;
let row = i / ${columns}u % ${rows}u;
let column = i % ${columns}u;
${start(a, 'row')}
${start(b, 'column')}
for (var k = 0u; k < ${depth}u; k++) {
sum = fma(f32(a[aAt + k * ${a.depthStride}u]), f32(b[bAt + k * ${b.depthStride}u]), sum);
}`;
  const label = `matmul ${batch} x ${rows} x ${depth} x ${columns}`;
  return resultDispatch(label, rows * columns * batch, body, [a, b], result, 'i', planning);
}

/** A convolution of any kind. */
export function plainConvolution(
  label: string,
  gathering: Gathering,
  weights: WeightTaps,
  { image, weight, result }: Convolved,
  planning: Planning,
): Dispatch[] {
  const { batch, groups, inputs, outputs, input, grid, stride, taps, output, start, spacing } = gathering;
  const { kernel, first, step, turned } = weights;
  const count = batch * groups * outputs * grid[0] * grid[1];
  if (count === 0) return [];
  const channels = groups * outputs;
  const tapsOfChannel = kernel[0] * kernel[1];
  const weightOf = turned
    ? `(channel / ${outputs}u * ${inputs}u + c) * ${outputs}u + channel % ${outputs}u`
    : `channel * ${inputs}u + c`;
  const body = `
let across = i % ${grid[1]}u;
let down = i / ${grid[1]}u % ${grid[0]}u;
let channel = i / ${grid[0] * grid[1]}u % ${channels}u;
let image = i / ${channels * grid[0] * grid[1]}u;
let top = i32(down * ${stride[0]}u) + ${taps.first[0]};
let left = i32(across * ${stride[1]}u) + ${taps.first[1]};
for (var c = 0u; c < ${inputs}u; c++) {
let wAt = (${weightOf}) * ${tapsOfChannel}u + ${first[0] * kernel[1] + first[1]}u;
let xAt = ((image * ${groups}u + channel / ${outputs}u) * ${inputs}u + c) * ${input[0] * input[1]}u;
for (var p = 0; p < ${taps.rows}; p++) {
let row = u32(top + p * ${taps.step[0]});
if (row >= ${input[0]}u) { continue; }
for (var q = 0; q < ${taps.columns}; q++) {
let column = u32(left + q * ${taps.step[1]});
if (column >= ${input[1]}u) { continue; }
let tap = f32(w[wAt + u32(p) * ${step[0] * kernel[1]}u + u32(q) * ${step[1]}u]);
sum = fma(tap, f32(x[xAt + row * ${input[1]}u + column]), sum);
}
}
}`;
  const at = `((image * ${channels}u + channel) * ${output[0]}u + down * ${spacing[0]}u + ${start[0]}u) * ${output[1]}u + across * ${spacing[1]}u + ${start[1]}u`;
  const inputsOf = [
    { name: 'x', ...image },
    { name: 'w', ...weight },
  ];
  return [resultDispatch(label, count, body, inputsOf, result, at, planning)];
}
