/** Element types that foreign files store, and the arrays that carry them. */

import { DTypeError, FormatError } from '../errors.ts';
import { fromHalves } from '../tensor/half.ts';
import type { NdArray } from '../tensor/types.ts';

/** Names of element types, as NumPy and PyTorch call them. */
export type ElementType =
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool';

/** Arrays of elements. `float16` and `bfloat16` hold raw 16-bit patterns, `bool` one byte each. */
export type ElementArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** Row-major values of any element type. */
export interface ElementNdArray {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly data: ElementArray;
}

/** Bytes that one element takes. */
export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
};

/** More axes than any array here has. */
const MAX_AXES = 32;

/** The product of a shape read from a file.
 *
 * @throws FormatError unless every extent is a whole number >= 0 and the product is exact.
 */
export function checkedSize(shape: readonly number[], offset?: number): number {
  if (shape.length > MAX_AXES) throw new FormatError(`a shape of ${shape.length} axes`, offset);
  let size = 1;
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || extent < 0) {
      throw new FormatError(`the shape [${shape.join(', ')}] has an impossible extent`, offset);
    }
    size *= extent;
  }
  // The product of non-zero extents is checked too: a zero must not hide an absurd shape.
  const bulk = shape.reduce((product, extent) => product * (extent || 1), 1);
  if (bulk > Number.MAX_SAFE_INTEGER / 8) {
    throw new FormatError(`the shape [${shape.join(', ')}] is too large`, offset);
  }
  return size;
}

/** Little-endian bytes as an array of elements. Copies when the bytes are not aligned. */
export function elementsFrom(dtype: ElementType, bytes: Uint8Array): ElementArray {
  const width = ELEMENT_BYTES[dtype];
  const whole = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = whole;
  const count = whole.length / width;
  switch (dtype) {
    case 'float16':
    case 'bfloat16':
    case 'uint16':
      return new Uint16Array(buffer, byteOffset, count);
    case 'float32':
      return new Float32Array(buffer, byteOffset, count);
    case 'float64':
      return new Float64Array(buffer, byteOffset, count);
    case 'int8':
      return new Int8Array(buffer, byteOffset, count);
    case 'int16':
      return new Int16Array(buffer, byteOffset, count);
    case 'int32':
      return new Int32Array(buffer, byteOffset, count);
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, count);
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, count);
    case 'uint64':
      return new BigUint64Array(buffer, byteOffset, count);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer, byteOffset, count);
  }
}

/** The bytes of an array, as the little-endian machines that run this hold them. */
export function bytesOfElements(data: ElementArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Reverses the byte order of each element, in place. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  for (let start = 0; start + width <= bytes.length; start += width) {
    bytes.subarray(start, start + width).reverse();
  }
}

const bfloatBits = new Uint32Array(1);
const bfloatValue = new Float32Array(bfloatBits.buffer);

/** Any array as float32 values, row-major. */
export function toFloat32(array: ElementNdArray): Float32Array {
  const { data, dtype } = array;
  if (data instanceof Float32Array) return data;
  if (dtype === 'float16') return fromHalves(data as Uint16Array);
  if (dtype === 'bfloat16') {
    return Float32Array.from(data as Uint16Array, (bits) => {
      bfloatBits[0] = bits << 16;
      return bfloatValue[0];
    });
  }
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const out = new Float32Array(data.length);
    for (let i = 0; i < out.length; i++) out[i] = Number(data[i]);
    return out;
  }
  return Float32Array.from(data);
}

/** Any array as one of the element types that tensors have: float32, float16, int32 or bool.
 *
 * @throws DTypeError when an integer does not fit 32 bits.
 */
export function toNdArray(array: ElementNdArray): NdArray {
  const { data, dtype, shape } = array;
  switch (dtype) {
    case 'float16':
      return { dtype, shape, data: data as Uint16Array };
    case 'bool':
      return { dtype, shape, data: Uint8Array.from(data as Uint8Array, (value) => (value ? 1 : 0)) };
    case 'float32':
    case 'float64':
    case 'bfloat16':
      return { dtype: 'float32', shape, data: toFloat32(array) };
    case 'int32':
      return { dtype, shape, data: data as Int32Array };
    default: {
      const out = new Int32Array(data.length);
      for (let i = 0; i < out.length; i++) {
        out[i] = Number(data[i]);
        if (BigInt(out[i]) !== BigInt(data[i])) {
          throw new DTypeError(`${dtype} value ${data[i]} at index ${i} does not fit int32`);
        }
      }
      return { dtype: 'int32', shape, data: out };
    }
  }
}
