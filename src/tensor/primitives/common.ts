/** What several primitives share: checks, families of elementwise primitives, walks over elements. */

import { DTypeError, ShapeError } from '../../errors.ts';
import type { HostArray, Primitive } from '../graph.ts';
import { type Aval, type DType, type Shape, sameShape, showAval, sizeOf } from '../types.ts';

export function hostZeros(aval: Aval): HostArray['data'] {
  const size = sizeOf(aval.shape);
  if (aval.dtype === 'int32') return new Int32Array(size);
  return aval.dtype === 'bool' ? new Uint8Array(size) : new Float64Array(size);
}

export function requireDType(aval: Aval, allowed: readonly DType[], role: string): void {
  if (!allowed.includes(aval.dtype)) {
    throw new DTypeError(`${role} is ${showAval(aval)} but must be ${allowed.join(' or ')}`);
  }
}

export function requireRank(aval: Aval, rank: number, role: string): void {
  if (aval.shape.length !== rank) {
    throw new ShapeError(`${role} is ${showAval(aval)} but must have ${rank} axes`);
  }
}

/** Resolves a possibly negative axis. */
export function normalizeAxis(axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(resolved) || resolved < 0 || resolved >= rank) {
    throw new ShapeError(`axis ${axis} does not exist in a tensor of ${rank} axes`);
  }
  return resolved;
}

/** Numpy's broadcasting rule. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const result = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const left = a[a.length - rank + i] ?? 1;
    const right = b[b.length - rank + i] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new ShapeError(
        `shapes [${a.join(',')}] and [${b.join(',')}] do not broadcast: ${left} against ${right}`,
      );
    }
    result[i] = left === 1 ? right : left;
  }
  return result;
}

/** An elementwise function of one float tensor. */
export function unaryPrimitive(name: string, f: (x: number) => number): Primitive {
  return {
    name,
    infer: ([x]) => {
      requireDType(x, ['float32'], 'operand');
      return [x];
    },
    reference: ([x]) => [(x.data as Float64Array).map(f)],
    flops: ([x]) => sizeOf(x.shape),
  };
}

/** An elementwise function of two tensors of one shape and type. */
export function binaryPrimitive(name: string, f: (x: number, y: number) => number): Primitive {
  return {
    name,
    infer: ([x, y]) => {
      requireDType(x, ['float32', 'int32'], 'left operand');
      requireSame(x, y);
      return [x];
    },
    reference: ([x, y], _attrs, [output]) => [mapPair(x, y, f, hostZeros(output))],
    flops: ([x]) => sizeOf(x.shape),
  };
}

/** A comparison of two tensors of one shape and type, giving bool. */
export function comparePrimitive(name: string, f: (x: number, y: number) => boolean): Primitive {
  return {
    name,
    infer: ([x, y]) => {
      requireDType(x, ['float32', 'int32'], 'left operand');
      requireSame(x, y);
      return [{ dtype: 'bool', shape: x.shape }];
    },
    reference: ([x, y], _attrs, [output]) => [mapPair(x, y, (a, b) => (f(a, b) ? 1 : 0), hostZeros(output))],
    flops: ([x]) => sizeOf(x.shape),
  };
}

/** A function of two bool tensors. */
export function logicalPrimitive(name: string, f: (x: number, y: number) => number): Primitive {
  return {
    name,
    infer: ([x, y]) => {
      requireDType(x, ['bool'], 'left operand');
      requireSame(x, y);
      return [x];
    },
    reference: ([x, y], _attrs, [output]) => [mapPair(x, y, f, hostZeros(output))],
    flops: ([x]) => sizeOf(x.shape),
  };
}

function requireSame(x: Aval, y: Aval): void {
  if (x.dtype !== y.dtype)
    throw new DTypeError(`operands are ${showAval(x)} and ${showAval(y)}: one type is needed`);
  if (!sameShape(x.shape, y.shape))
    throw new ShapeError(`operands are ${showAval(x)} and ${showAval(y)}: one shape is needed`);
}

function mapPair(x: HostArray, y: HostArray, f: (a: number, b: number) => number, out: HostArray['data']) {
  const left = x.data;
  const right = y.data;
  for (let i = 0; i < out.length; i++) out[i] = f(left[i], right[i]);
  return out;
}

/** A primitive that only moves elements: output element i is input element `source(i)`, or `fill` below 0. */
export function movementReference(
  x: HostArray,
  output: Aval,
  source: (index: readonly number[]) => number,
  fill = 0,
): HostArray['data'] {
  const out = hostZeros(output);
  const { shape } = output;
  const index = new Array<number>(shape.length).fill(0);
  for (let flat = 0; flat < out.length; flat++) {
    const from = source(index);
    out[flat] = from < 0 ? fill : x.data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return out;
}

/** Splits a shape at an axis: product before, extent, product after. */
export function splitAt(shape: Shape, axis: number): { outer: number; extent: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), extent: shape[axis], inner: sizeOf(shape.slice(axis + 1)) };
}
