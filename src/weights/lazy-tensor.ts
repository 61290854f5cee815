/** Tensors that stay in their file until they are read: a strided view of a run of elements. */

import { FormatError } from '../errors.ts';
import { sizeOf, stridesOf } from '../tensor/types.ts';
import {
  checkedSize,
  ELEMENT_BYTES,
  type ElementArray,
  type ElementNdArray,
  type ElementType,
  elementsFrom,
  swapBytes,
} from './elements.ts';
import type { ByteSource } from './source.ts';

/** A tensor in a file. `read` decodes it, row-major and contiguous whatever `strides` are. */
export interface LazyTensor {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** In elements, as the file has them. */
  readonly strides: readonly number[];
  /** Bytes that `read` returns. */
  readonly byteLength: number;
  /** Decodes the values; a new array each time. */
  read(): ElementArray;
}

/** A run of elements in a file. */
export interface Storage {
  readonly dtype: ElementType;
  readonly source: ByteSource;
  readonly byteOffset: number;
  /** Number of elements. */
  readonly length: number;
  readonly bigEndian: boolean;
}

/** A broadcast view (stride 0) may have more elements than its storage, up to this many. */
const MAX_EXPANDED = 65536;

/** A strided view of a storage.
 *
 * @throws FormatError when an element would lie outside the storage or broadcasting would blow it up.
 */
export function stridedView(
  storage: Storage,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
  at?: number,
): LazyTensor {
  if (shape.length !== strides.length) {
    throw new FormatError(`a tensor of ${shape.length} axes has ${strides.length} strides`, at);
  }
  const size = checkedSize(shape, at);
  let last = offset;
  shape.forEach((extent, axis) => {
    const stride = strides[axis];
    if (!Number.isSafeInteger(stride) || stride < 0)
      throw new FormatError(`a tensor has the stride ${stride}`, at);
    last += stride * Math.max(0, extent - 1);
  });
  if (!Number.isSafeInteger(offset) || offset < 0 || (size > 0 && !(last < storage.length))) {
    throw new FormatError(
      `a tensor of shape [${shape.join(', ')}], strides [${strides.join(', ')}] and offset ${offset} ` +
        `reaches beyond its storage of ${storage.length} elements`,
      at,
    );
  }
  if (size > storage.length && size > MAX_EXPANDED) {
    throw new FormatError(`a tensor repeats ${storage.length} stored elements to ${size}`, at);
  }
  const width = ELEMENT_BYTES[storage.dtype];
  return {
    dtype: storage.dtype,
    shape: [...shape],
    strides: [...strides],
    byteLength: size * width,
    read() {
      if (size === 0) return elementsFrom(storage.dtype, new Uint8Array(0));
      const first = storage.byteOffset + offset * width;
      // A copy: callers own what they get, and sources may hand out views of shared memory.
      const bytes = storage.source.read(first, (last - offset + 1) * width).slice();
      if (storage.bigEndian) swapBytes(bytes, width);
      const run = elementsFrom(storage.dtype, bytes);
      return isContiguous(shape, strides) ? run : gather(run, shape, strides, size);
    },
  };
}

/** A row-major tensor over a whole storage. */
export function contiguousView(storage: Storage, shape: readonly number[], at?: number): LazyTensor {
  checkedSize(shape, at);
  return stridedView(storage, 0, shape, stridesOf(shape), at);
}

/** Reads a lazy tensor into memory. */
export function materialize(tensor: LazyTensor): ElementNdArray {
  return { dtype: tensor.dtype, shape: tensor.shape, data: tensor.read() };
}

/** Whether the strides are those of a row-major array (axes of extent 1 do not count). */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  const expected = stridesOf(shape);
  return (
    sizeOf(shape) === 0 || shape.every((extent, axis) => extent === 1 || strides[axis] === expected[axis])
  );
}

function gather(
  run: ElementArray,
  shape: readonly number[],
  strides: readonly number[],
  size: number,
): ElementArray {
  const out = new (run.constructor as new (length: number) => ElementArray)(size);
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < size; to++) {
    out[to] = run[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}
