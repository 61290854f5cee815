/**
 * `conv2dWeightGrad` as a product: rows are output channels, columns input channels and taps, and the sum goes over
 * the pixels of all images.
 */

import type { Node } from '../../../tensor/index.ts';
import type { ConvolutionAttrs } from '../../../tensor/primitives/convolution.ts';
import { type Dispatch, type Kernel, type KernelCall, type Planning, spread } from '../kernel.ts';
import { addProduct, callBuilder, cutFor, type DenseChoice, finished, inputOf, outputOf } from './call.ts';
import { suitsTiles } from './convolutions.ts';
import { matrixSink, stored } from './sink.ts';
import { guarded, type Source } from './source.ts';
import type { Tile } from './tile.ts';

/** `conv2d` whose weight's gradient is wanted. Channels are those of a group. */
interface Convolution {
  readonly batch: number;
  readonly groups: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly input: readonly [number, number];
  readonly output: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly attrs: ConvolutionAttrs;
}

function convolutionOf(node: Node): Convolution {
  const attrs = node.attrs as ConvolutionAttrs & { readonly kernel: readonly [number, number] };
  const [batch, inChannels, height, width] = node.inputs[0].shape;
  const [, outChannels, rows, columns] = node.inputs[1].shape;
  return {
    ...{ batch, groups: attrs.groups, attrs, kernel: attrs.kernel },
    ...{ inputs: inChannels / attrs.groups, outputs: outChannels / attrs.groups },
    ...{ input: [height, width], output: [rows, columns] },
  };
}

/** How to run a `conv2dWeightGrad`. */
export function planConv2dWeightGrad(node: Node, planning: Planning, choice: DenseChoice = {}): KernelCall {
  const convolution = convolutionOf(node);
  const { batch, groups, inputs, outputs, output, kernel } = convolution;
  const call = callBuilder(planning);
  const taps = kernel[0] * kernel[1];
  if (groups * inputs * outputs * taps === 0) return finished(call);
  const x = inputOf(node, planning, 0);
  const dy = inputOf(node, planning, 1);
  const to = outputOf(node, planning);
  const label = `${node.op.name} ${node.inputs.map(({ shape }) => shape.join('x')).join(' ')} ${kernel.join('x')}`;
  if (!suitsTiles(inputs, outputs, groups, [])) {
    call.dispatches.push(plainGradient(label, convolution, { x, dy, to }, planning));
    return finished(call);
  }
  const depth = batch * output[0] * output[1];
  const shape = { rows: outputs, columns: inputs * taps, depth, batch: groups };
  const cut = cutFor(call, shape, choice);
  addProduct(call, {
    ...{ label, shape, cut },
    a: slopeSource(convolution, dy, cut.tile),
    b: pixelSource(convolution, x, cut.tile),
    sink: matrixSink(to.at, to.storage, outputs, inputs * taps),
  });
  return finished(call);
}

type Place = ReturnType<typeof inputOf>;

/** The output's gradient: channels are lines, pixels of all images the depth. */
function slopeSource({ batch, groups, outputs, output }: Convolution, place: Place, tile: Tile): Source {
  const pixels = output[0] * output[1];
  const checks = (line: string, depth: string): string[] => [
    ...(outputs % tile.rows === 0 ? [] : [`${line}Ok`]),
    ...((batch * pixels) % tile.depth === 0 ? [] : [`${depth}Ok`]),
  ];
  return {
    bound: { name: 'dy', at: place.at, type: place.storage },
    along: 'depth',
    wide: false,
    storage: place.storage,
    line: (line, id) => `let ${id}At = (z * ${outputs}u + ${line}) * ${pixels}u;
let ${id}Ok = ${line} < ${outputs}u;`,
    depth: (depth, id) => `let ${id}K = ${depth.at} + ${depth.inner};
let ${id}At = ${id}K / ${pixels}u * ${groups * outputs * pixels}u + ${id}K % ${pixels}u;
let ${id}Ok = ${id}K < ${batch * pixels}u;`,
    load: (line, depth, into) =>
      guarded(into, 'dy', `${line}At + ${depth}At`, checks(line, depth), place.storage),
  };
}

/** The input: channels and taps are lines, pixels of the output the depth. */
function pixelSource(convolution: Convolution, place: Place, tile: Tile): Source {
  const { batch, groups, inputs, input, output, kernel, attrs } = convolution;
  const { stride, padding, dilation } = attrs;
  const taps = kernel[0] * kernel[1];
  const pixels = output[0] * output[1];
  const [height, width] = input;
  const checks = (line: string, depth: string): string[] => [
    ...((inputs * taps) % tile.columns === 0 ? [] : [`${line}Ok`]),
    ...((batch * pixels) % tile.depth === 0 ? [] : [`${depth}Ok`]),
    `u32(${line}Row + ${depth}Row) < ${height}u`,
    `u32(${line}Column + ${depth}Column) < ${width}u`,
  ];
  return {
    bound: { name: 'x', at: place.at, type: place.storage },
    along: 'depth',
    wide: false,
    storage: place.storage,
    line: (line, id) => `let ${id}Line = ${line};
let ${id}Row = i32(${id}Line % ${taps}u / ${kernel[1]}u * ${dilation[0]}u);
let ${id}Column = i32(${id}Line % ${kernel[1]}u * ${dilation[1]}u);
let ${id}At = i32((z * ${inputs}u + ${id}Line / ${taps}u) * ${height * width}u) + ${id}Row * ${width} + ${id}Column;
let ${id}Ok = ${id}Line < ${inputs * taps}u;`,
    depth: (depth, id) => `let ${id}K = ${depth.at} + ${depth.inner};
let ${id}Pixel = ${id}K % ${pixels}u;
let ${id}Row = i32(${id}Pixel / ${output[1]}u * ${stride[0]}u) - ${padding[0][0]};
let ${id}Column = i32(${id}Pixel % ${output[1]}u * ${stride[1]}u) - ${padding[1][0]};
let ${id}At = i32(${id}K / ${pixels}u * ${groups * inputs * height * width}u) + ${id}Row * ${width} + ${id}Column;
let ${id}Ok = ${id}K < ${batch * pixels}u;`,
    load: (line, depth, into) =>
      guarded(into, 'x', `u32(${line}At + ${depth}At)`, checks(line, depth), place.storage),
  };
}

const THREADS = 64;

/** A workgroup for each weight: its threads walk over the pixels. */
function plainGradient(
  label: string,
  { batch, groups, inputs, outputs, input, output, kernel, attrs }: Convolution,
  { x, dy, to }: Readonly<Record<'x' | 'dy' | 'to', Place>>,
  { abilities }: Planning,
): Dispatch {
  const { stride, padding, dilation } = attrs;
  const taps = kernel[0] * kernel[1];
  const pixels = output[0] * output[1];
  const count = groups * outputs * inputs * taps;
  const code = `
var<workgroup> sums: array<f32, ${THREADS}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) index: u32) {
let i = group.x + group.y * groups.x;
if (i >= ${count}u) { return; }
let channel = i / ${inputs * taps}u;
let heard = channel / ${outputs}u * ${inputs}u + i / ${taps}u % ${inputs}u;
let down = i32(i % ${taps}u / ${kernel[1]}u * ${dilation[0]}u) - ${padding[0][0]};
let across = i32(i % ${kernel[1]}u * ${dilation[1]}u) - ${padding[1][0]};
var sum = 0.0;
for (var image = 0u; image < ${batch}u; image++) {
let yAt = (image * ${groups * outputs}u + channel) * ${pixels}u;
let xAt = (image * ${groups * inputs}u + heard) * ${input[0] * input[1]}u;
for (var pixel = index; pixel < ${pixels}u; pixel += ${THREADS}u) {
let row = u32(i32(pixel / ${output[1]}u * ${stride[0]}u) + down);
let column = u32(i32(pixel % ${output[1]}u * ${stride[1]}u) + across);
if (row < ${input[0]}u && column < ${input[1]}u) {
sum = fma(f32(dy[yAt + pixel]), f32(x[xAt + row * ${input[1]}u + column]), sum);
}
}
}
sums[index] = sum;
workgroupBarrier();
for (var reach = ${THREADS / 2}u; reach > 0u; reach /= 2u) {
if (index < reach) { sums[index] += sums[index + reach]; }
workgroupBarrier();
}
if (index == 0u) { y[i] = ${stored('sums[0]', to.storage)}; }
}`;
  return {
    label,
    code,
    bound: [
      { name: 'x', at: x.at, type: x.storage },
      { name: 'dy', at: dy.at, type: dy.storage },
      { name: 'y', at: to.at, type: to.storage, write: true },
    ],
    groups: spread(count, abilities.limits.maxComputeWorkgroupsPerDimension),
  };
}

export const conv2dWeightGradKernel: Kernel = {
  name: 'conv2dWeightGrad',
  plan: (node, planning) => planConv2dWeightGrad(node, planning),
};
