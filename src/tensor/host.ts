/** Between storage arrays and the reference's float64 values. */

import type { HostArray } from './graph.ts';
import { toHalfBits } from './half.ts';
import { toHost } from './primitives/constant.ts';
import type { NdArray } from './types.ts';

export function hostArrayOf(array: NdArray): HostArray {
  return { dtype: array.dtype, shape: array.shape, data: toHost(array) };
}

export function storageOf(value: HostArray): NdArray {
  const { dtype, shape, data } = value;
  switch (dtype) {
    case 'float32':
      return { dtype, shape, data: Float32Array.from(data) };
    case 'float16':
      return { dtype, shape, data: Uint16Array.from(data, toHalfBits) };
    case 'int32':
      return { dtype, shape, data: Int32Array.from(data) };
    case 'bool':
      return { dtype, shape, data: Uint8Array.from(data) };
  }
}
