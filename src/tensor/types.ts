/**
 * Shapes and element types of tensors, and the arrays that carry their values.
 *
 * `float16` is for storage only: arithmetic takes `float32`, and `cast` goes between the two.
 */

export type DType = 'float32' | 'float16' | 'int32' | 'bool';

export type Shape = readonly number[];

/** What is known of a tensor before any value is: its element type and its shape. */
export interface Aval {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Row-major values in memory. `float16` holds the raw 16 bits, `bool` one byte of 0 or 1. */
export interface NdArray extends Aval {
  readonly data: Float32Array | Uint16Array | Int32Array | Uint8Array;
}

/** Bytes that one element takes. */
export const BYTES_PER_ELEMENT: Readonly<Record<DType, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  bool: 1,
};

/** Number of elements of a shape; 1 for a scalar, 0 when any axis is empty. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

const SHORT_NAMES: Readonly<Record<DType, string>> = {
  float32: 'f32',
  float16: 'f16',
  int32: 'i32',
  bool: 'bool',
};

/** `f32[4,8]`: how shapes read in errors and in the text form of a graph. */
export function showAval(aval: Aval): string {
  return `${SHORT_NAMES[aval.dtype]}[${aval.shape.join(',')}]`;
}

/** Describes a float32 tensor of this shape. */
export function f32(...shape: number[]): Aval {
  return { dtype: 'float32', shape };
}

/** Describes an int32 tensor of this shape. */
export function i32(...shape: number[]): Aval {
  return { dtype: 'int32', shape };
}

/** Allocates zeros for a tensor description. */
export function zerosFor(aval: Aval): NdArray {
  const size = sizeOf(aval.shape);
  const { dtype, shape } = aval;
  switch (dtype) {
    case 'float32':
      return { dtype, shape, data: new Float32Array(size) };
    case 'float16':
      return { dtype, shape, data: new Uint16Array(size) };
    case 'int32':
      return { dtype, shape, data: new Int32Array(size) };
    case 'bool':
      return { dtype, shape, data: new Uint8Array(size) };
  }
}

/** A float32 array from numbers. */
export function ndarray(shape: Shape, data: Float32Array | readonly number[]): NdArray {
  return { dtype: 'float32', shape, data: data instanceof Float32Array ? data : Float32Array.from(data) };
}
