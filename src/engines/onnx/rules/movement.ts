/** Operations that only move elements, and the ones that have no input. */

import { type NdArray, type Shape, sizeOf } from '../../../tensor/index.ts';
import type { Lowering, Rule, Rules } from '../lowering.ts';
import { ELEMENT_TYPE } from '../model.ts';
import { carrierOf } from './elementwise.ts';

/** Far enough below any index for "until the beginning", backwards. */
const BEFORE_THE_FIRST = Number.MIN_SAFE_INTEGER;

const constant: Rule = (node, lowering) => {
  const { dtype, shape, data } = node.attrs.value as NdArray;
  return [lowering.initializer(dtype, shape, data)];
};

/** A ramp along one axis, expanded: only its extent is stored. */
const iota: Rule = (node, lowering) => {
  const { shape, axis } = node.attrs as { shape: Shape; axis: number };
  const { dtype } = node.outputs[0];
  const indices = Array.from({ length: shape[axis] }, (_, i) => i);
  const data = dtype === 'int32' ? Int32Array.from(indices) : Float32Array.from(indices);
  const ramp = lowering.initializer(dtype, [shape[axis], ...shape.slice(axis + 1).map(() => 1)], data);
  return [lowering.expand(ramp, shape)];
};

const broadcast: Rule = (node, lowering) => [
  lowering.expand(lowering.unexpanded(node.inputs[0]).name, node.outputs[0].shape),
];

const reshape: Rule = (node, lowering) => [
  lowering.emit('Reshape', [lowering.value(node.inputs[0]), lowering.ints(node.outputs[0].shape)]),
];

const transpose: Rule = (node, lowering) => [
  lowering.emit('Transpose', [lowering.value(node.inputs[0])], {
    perm: node.attrs.permutation as readonly number[],
  }),
];

const slice: Rule = (node, lowering) => {
  const { starts, limits, steps } = node.attrs as Record<string, readonly number[]>;
  return [emitSlice(lowering, lowering.value(node.inputs[0]), starts, limits, steps)];
};

const reverse: Rule = (node, lowering) => {
  const axes = node.attrs.axes as readonly number[];
  return [emitReverse(lowering, lowering.value(node.inputs[0]), axes)];
};

export function emitReverse(lowering: Lowering, x: string, axes: readonly number[]): string {
  if (axes.length === 0) return x;
  const each = (value: number): string => lowering.ints(axes.map(() => value));
  return lowering.emit('Slice', [x, each(-1), each(BEFORE_THE_FIRST), lowering.ints(axes), each(-1)]);
}

/** Slices all axes, if there is anything to cut. */
export function emitSlice(
  lowering: Lowering,
  x: string,
  starts: readonly number[],
  limits: readonly number[],
  steps: readonly number[],
): string {
  const axes = starts.map((_, axis) => axis);
  if (axes.length === 0) return x;
  return lowering.emit('Slice', [x, ...[starts, limits, axes, steps].map((values) => lowering.ints(values))]);
}

/** Adds before and after each axis; negative numbers cut. */
export function emitPad(
  lowering: Lowering,
  x: string,
  low: readonly number[],
  high: readonly number[],
  value: string,
): string {
  if ([...low, ...high].every((n) => n === 0)) return x;
  return lowering.emit('Pad', [x, lowering.ints([...low, ...high]), value], { mode: 'constant' });
}

/** onnxruntime pads neither bool nor float16: those go through int32 and float32. */
const pad: Rule = (node, lowering) => {
  const { low, high, value } = node.attrs as {
    low: readonly number[];
    high: readonly number[];
    value: number;
  };
  const { dtype } = node.outputs[0];
  const carrier = carrierOf(dtype);
  const x = lowering.value(node.inputs[0]);
  const carried = carrier === dtype ? x : lowering.emit('Cast', [x], { to: ELEMENT_TYPE[carrier] });
  const padded = emitPad(lowering, carried, low, high, lowering.scalar(carrier, value));
  return [carrier === dtype ? padded : lowering.emit('Cast', [padded], { to: ELEMENT_TYPE[dtype] })];
};

const concat: Rule = (node, lowering) => {
  const parts = node.inputs.filter((tensor) => sizeOf(tensor.shape) > 0);
  if (parts.length === 1) return [lowering.value(parts[0])];
  return [
    lowering.emit(
      'Concat',
      parts.map((tensor) => lowering.value(tensor)),
      { axis: node.attrs.axis as number },
    ),
  ];
};

/**
 * A reshape to its own shape, which costs nothing, where the shape is computed from the other input: that is what
 * makes the runtime wait for it, and keeps its own merging of equal expressions away.
 */
const after: Rule = (node, lowering) => {
  const [x, y] = node.inputs;
  const value = lowering.value(x);
  if (sizeOf(y.shape) === 0) return [value];
  const line = lowering.emit('Reshape', [lowering.value(y), lowering.ints([-1])]);
  const first = lowering.emit('Slice', [line, ...[[0], [1], [0], [1]].map((one) => lowering.ints(one))]);
  const bit = lowering.emit('Cast', [lowering.emit('Equal', [first, first])], { to: ELEMENT_TYPE.int64 });
  const zeros = lowering.emit('Mul', [bit, lowering.ints(x.shape.map(() => 0))]);
  return [lowering.emit('Reshape', [value, lowering.emit('Add', [zeros, lowering.ints(x.shape)])])];
};

export const movementRules: Rules = {
  constant,
  iota,
  broadcast,
  reshape,
  transpose,
  slice,
  reverse,
  pad,
  concat,
  after,
};
