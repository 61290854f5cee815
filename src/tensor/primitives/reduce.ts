/** The family of reductions; each primitive has a file of its own. */

import type { HostArray, Primitive, Tensor } from '../graph.ts';
import { type Aval, sizeOf, stridesOf } from '../types.ts';
import { hostZeros, normalizeAxis, requireDType } from './common.ts';
import { reshape } from './reshape.ts';

export type ReduceAttrs = { axes: readonly number[] };

/** A reduction with an associative function and its neutral element; the reduced axes disappear. */
export function reducePrimitive(
  name: string,
  initial: number,
  combine: (total: number, x: number) => number,
): Primitive<ReduceAttrs> {
  return {
    name,
    infer: ([x], { axes }) => {
      requireDType(x, ['float32', 'int32'], 'operand');
      for (const axis of axes) normalizeAxis(axis, x.shape.length);
      return [{ dtype: x.dtype, shape: x.shape.filter((_, axis) => !axes.includes(axis)) }];
    },
    reference: ([x], { axes }, [output]) => [reduceReference(x, axes, output, initial, combine)],
    flops: ([x]) => sizeOf(x.shape),
  };
}

function reduceReference(
  x: HostArray,
  axes: readonly number[],
  output: Aval,
  initial: number,
  combine: (total: number, x: number) => number,
): HostArray['data'] {
  // The neutral element of integers is their own smallest or largest: an infinity would be stored as 0.
  const start = output.dtype === 'int32' ? Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, initial)) : initial;
  const out = hostZeros(output).fill(start);
  const outStrides = stridesOf(output.shape);
  let kept = 0;
  const step = x.shape.map((_, axis) => (axes.includes(axis) ? 0 : outStrides[kept++]));
  const index = new Array<number>(x.shape.length).fill(0);
  let to = 0;
  for (let flat = 0; flat < x.data.length; flat++) {
    out[to] = combine(out[to], x.data[flat]);
    for (let axis = x.shape.length - 1; axis >= 0; axis--) {
      to += step[axis];
      if (++index[axis] < x.shape[axis]) break;
      to -= step[axis] * x.shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

/** Shared end of the builders: axes resolved, extents of 1 kept on request. */
export function reduced(
  x: Tensor,
  axes: readonly number[] | undefined,
  keepDims: boolean,
  build: (axes: readonly number[]) => Tensor,
): Tensor {
  const resolved = (axes ?? x.shape.map((_, axis) => axis)).map((axis) =>
    normalizeAxis(axis, x.shape.length),
  );
  if (resolved.length === 0) return x;
  const result = build(resolved.sort((a, b) => a - b));
  return keepDims
    ? reshape(
        result,
        x.shape.map((extent, axis) => (resolved.includes(axis) ? 1 : extent)),
      )
    : result;
}
