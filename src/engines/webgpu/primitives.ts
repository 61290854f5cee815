/** Kernels of primitives that are no expressions: scatterAdd, cumsum, sort, maxPool; and of the FIR filter. */

import { LARGEST_GRADIENT } from '../../tensor/composites/optimiser.ts';
import { type Node, sizeOf } from '../../tensor/index.ts';
import { splitAt } from '../../tensor/primitives/common.ts';
import type { Bound, Dispatch, Kernel, Planning } from './kernel.ts';
import { spread } from './kernel.ts';
import { helperCode } from './operations.ts';

const WIDTH = 64;

const HEAD = `@compute @workgroup_size(${WIDTH})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * ${WIDTH}u + lane;`;

/** A dispatch of one thread a number below `count`, its number being `i`. */
function each(
  label: string,
  count: number,
  { abilities }: Planning,
  bound: readonly Bound[],
  lines: string,
  before = '',
): Dispatch {
  return {
    label,
    code: `${before}\n${HEAD}\n  if (i >= ${count}u) { return; }\n${lines}\n}`,
    bound,
    groups: spread(Math.ceil(count / WIDTH), abilities.limits.maxComputeWorkgroupsPerDimension),
  };
}

const input = (name: string, at: number, node: Node, planning: Planning): Bound => ({
  name,
  at: { input: at },
  type: planning.storageOf(node.inputs[at]),
});

const output = (name: string, at: number, node: Node, planning: Planning): Bound => ({
  name,
  at: { output: at },
  type: planning.storageOf(node.outputs[at]),
  write: true,
});

/** A float as the storage holds it. */
const stored = (value: string, storage: string): string =>
  storage === 'f16' ? `f16(clamp(${value}, -65504.0, 65504.0))` : value;

/** Adds with compare-exchange: the order of additions, and with it the last bits, change from run to run. An index
 * out of range is reported. */
export const scatterAddKernel: Kernel = {
  name: 'scatterAdd',
  single: true,
  plan(node, planning) {
    const [updates] = node.inputs;
    const [out] = node.outputs;
    const { outer, extent, inner } = splitAt(out.shape, node.attrs.axis as number);
    const count = sizeOf(node.inputs[1].shape);
    const total = sizeOf(updates.shape);
    const lines = `
  let row = u32(indices[(i / ${inner}u) % ${count}u]);
  if (row >= ${extent}u) { atomicMax(&faults[${planning.faultOf(node)}], 1u); return; }
  let at = ((i / ${inner * count}u) * ${extent}u + row) * ${inner}u + i % ${inner}u;
  let value = f32(updates[i]);
  if (value == 0.0) { return; }
  var old = atomicLoad(&y[at]);
  loop {
    let result = atomicCompareExchangeWeak(&y[at], old, bitcast<u32>(bitcast<f32>(old) + value));
    if (result.exchanged) { break; }
    old = result.old_value;
  }`;
    const bound: Bound[] = [
      input('updates', 0, node, planning),
      input('indices', 1, node, planning),
      { name: 'y', at: { output: 0 }, type: 'atomic<u32>', write: true },
      { name: 'faults', at: { faults: true }, type: 'atomic<u32>', write: true },
    ];
    if (total === 0 || sizeOf(out.shape) === 0 || outer === 0) return undefined;
    return {
      dispatches: [{ ...each('scatterAdd', total, planning, bound, lines), cleared: [{ output: 0 }] }],
    };
  },
};

export const cumsumKernel: Kernel = {
  name: 'cumsum',
  plan(node, planning) {
    const [x] = node.inputs;
    const { axis, exclusive, reverse } = node.attrs as { axis: number; exclusive: boolean; reverse: boolean };
    const { outer, extent, inner } = splitAt(x.shape, axis);
    const type = x.dtype === 'int32' ? 'i32' : 'f32';
    const out = planning.storageOf(node.outputs[0]);
    const lines = `
  let start = (i / ${inner}u) * ${extent * inner}u + i % ${inner}u;
  var total = ${type}(0);
  for (var k = 0u; k < ${extent}u; k++) {
    let at = start + ${reverse ? `(${extent - 1}u - k)` : 'k'} * ${inner}u;
    ${exclusive ? `y[at] = ${stored('total', out)};` : ''}
    total += ${type}(x[at]);
    ${exclusive ? '' : `y[at] = ${stored('total', out)};`}
  }`;
    const bound = [input('x', 0, node, planning), output('y', 0, node, planning)];
    return { dispatches: [each('cumsum', outer * inner, planning, bound, lines)] };
  },
};

/** Each element counts those that go before it: right for short rows. NaN goes last. */
export const sortKernel: Kernel = {
  name: 'sort',
  plan(node, planning) {
    const [rows, extent] = node.inputs[0].shape;
    const lines = `
  let row = (i / ${extent}u) * ${extent}u;
  let own = f32(x[i]);
  var rank = 0u;
  for (var k = row; k < i; k++) { rank += select(1u, 0u, goes_before(own, f32(x[k]))); }
  for (var k = i + 1u; k < row + ${extent}u; k++) { rank += select(0u, 1u, goes_before(f32(x[k]), own)); }
  values[row + rank] = ${stored('own', planning.storageOf(node.outputs[0]))};
  order[row + rank] = i32(i - row);`;
    const bound = [
      input('x', 0, node, planning),
      output('values', 0, node, planning),
      output('order', 1, node, planning),
    ];
    const before = `${helperCode(new Set(['isNumber']))}
fn goes_before(a: f32, b: f32) -> bool { return a < b || (is_number(a) && !is_number(b)); }`;
    return { dispatches: [each('sort', rows * extent, planning, bound, lines, before)] };
  },
};

export const maxPoolKernel: Kernel = {
  name: 'maxPool',
  plan(node, planning) {
    const { kernel, stride, padding } = node.attrs as unknown as {
      kernel: readonly [number, number];
      stride: readonly [number, number];
      padding: readonly (readonly [number, number])[];
    };
    const [height, width] = node.inputs[0].shape.slice(2);
    const [rows, columns] = node.outputs[0].shape.slice(2);
    const lines = `
  let plane = (i / ${rows * columns}u) * ${height * width}u;
  let top = i32((i / ${columns}u) % ${rows}u) * ${stride[0]} - ${padding[0][0]};
  let left = i32(i % ${columns}u) * ${stride[1]} - ${padding[1][0]};
  var most = -bitcast<f32>(infinity_bits);
  for (var a = max(top, 0); a < min(top + ${kernel[0]}, ${height}); a++) {
    for (var b = max(left, 0); b < min(left + ${kernel[1]}, ${width}); b++) {
      most = larger(most, f32(x[plane + u32(a) * ${width}u + u32(b)]));
    }
  }
  y[i] = ${stored('most', planning.storageOf(node.outputs[0]))};`;
    const bound = [input('x', 0, node, planning), output('y', 0, node, planning)];
    const count = sizeOf(node.outputs[0].shape);
    const before = helperCode(new Set(['infinity', 'larger']));
    return { dispatches: [each('maxPool', count, planning, bound, lines, before)] };
  },
};

type Resampling = {
  readonly up: readonly [number, number];
  readonly down: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
  readonly taps: readonly (readonly number[])[];
};

/** FIR resampling (`tensor/composites/fir.ts`): a thread an output, over the taps that meet no inserted zero. */
export const upfirdnKernel: Kernel = {
  name: 'upfirdn2d',
  plan(node, planning) {
    const { up, down, padding, taps } = node.attrs.options as unknown as Resampling;
    const [height, width] = node.inputs[0].shape.slice(2);
    const [rows, columns] = node.outputs[0].shape.slice(2);
    const [left, , top] = padding;
    const [tapRows, tapColumns] = [taps.length, taps[0].length];
    const total = sizeOf(node.outputs[0].shape);
    // First tap that meets a sample: the padded position must be a multiple of the factor.
    const first = (position: string, factor: number): string =>
      factor === 1 ? '0' : `(${factor} - ${position} % ${factor}) % ${factor}`;
    const lines = `
  let plane = (i / ${rows * columns}u) * ${height * width}u;
  // Not negative: the padding is added back, and a multiple of the factor changes no remainder.
  let y0 = i32((i / ${columns}u) % ${rows}u) * ${down[1]} - ${top};
  let x0 = i32(i % ${columns}u) * ${down[0]} - ${left};
  let rest_y = y0 + ${Math.ceil(Math.max(top, 0) / up[1]) * up[1]};
  let rest_x = x0 + ${Math.ceil(Math.max(left, 0) / up[0]) * up[0]};
  var sum = 0.0;
  for (var a = ${first('rest_y', up[1])}; a < ${tapRows}; a += ${up[1]}) {
    let row = (y0 + a) / ${up[1]};
    if (y0 + a < 0 || row >= ${height}) { continue; }
    for (var b = ${first('rest_x', up[0])}; b < ${tapColumns}; b += ${up[0]}) {
      let column = (x0 + b) / ${up[0]};
      if (x0 + b < 0 || column >= ${width}) { continue; }
      sum += taps[a * ${tapColumns} + b] * f32(x[plane + u32(row) * ${width}u + u32(column)]);
    }
  }
  y[i] = ${stored('sum', planning.storageOf(node.outputs[0]))};`;
    const before = `const taps = array<f32, ${tapRows * tapColumns}>(${taps
      .flat()
      .map((tap) => `f32(${Math.fround(tap)})`)
      .join(', ')});`;
    const bound = [input('x', 0, node, planning), output('y', 0, node, planning)];
    if (total === 0 || height * width === 0) return undefined;
    return { dispatches: [each('upfirdn2d', total, planning, bound, lines, before)] };
  },
};

/** One pass over a weight, its moments and its gradient (`tensor/composites/optimiser.ts`). */
export const adamStepKernel: Kernel = {
  name: 'adamStep',
  single: true,
  plan(node, planning) {
    const { beta1, beta2, eps } = node.attrs.options as { beta1: number; beta2: number; eps: number };
    const count = sizeOf(node.inputs[0].shape);
    if (count === 0) return undefined;
    const single = (x: number): string => `f32(${Math.fround(x)})`;
    const lines = `
  let raw = f32(gradient[i]);
  let size = bitcast<u32>(raw) & 0x7fffffffu;
  var g = raw;
  if (size >= 0x7f800000u) {
    g = select(0.0, sign(raw) * ${LARGEST_GRADIENT}.0, size == 0x7f800000u);
    var old = atomicLoad(&bad[0]);
    loop {
      let result = atomicCompareExchangeWeak(&bad[0], old, bitcast<u32>(bitcast<f32>(old) + 1.0));
      if (result.exchanged) { break; }
      old = result.old_value;
    }
  }
  let m = first[i] * ${single(beta1)} + g * ${single(1 - beta1)};
  let v = second[i] * ${single(beta2)} + g * g * ${single(1 - beta2)};
  new_value[i] = value[i] - step_size[0] * (m / (sqrt(v) / root[0] + ${single(eps)}));
  new_first[i] = m;
  new_second[i] = v;
  used[i] = g;`;
    const names = ['value', 'first', 'second', 'gradient', 'step_size', 'root'];
    const bound: Bound[] = [
      ...names.map((name, i) => input(name, i, node, planning)),
      ...['new_value', 'new_first', 'new_second', 'used'].map((name, i) => output(name, i, node, planning)),
      { name: 'bad', at: { output: 4 }, type: 'atomic<u32>', write: true },
    ];
    if (bound.length > planning.abilities.limits.maxStorageBuffersPerShaderStage) return undefined;
    return { dispatches: [{ ...each('adamStep', count, planning, bound, lines), cleared: [{ output: 4 }] }] };
  },
};

export const primitiveKernels: readonly Kernel[] = [
  ...[scatterAddKernel, cumsumKernel, sortKernel, maxPoolKernel, upfirdnKernel, adamStepKernel],
];
