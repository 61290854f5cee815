import { apply, type HostArray, type Primitive, type Tensor } from '../graph.ts';
import { fromHalfBits } from '../half.ts';
import type { DType, NdArray } from '../types.ts';
import { zerosFor } from '../types.ts';

/** A value known when the program is written. Equal constants are merged by simplification. */
export const constantPrimitive: Primitive<{ value: NdArray }> = {
  name: 'constant',
  infer: (_inputs, { value }) => [{ dtype: value.dtype, shape: value.shape }],
  reference: (_inputs, { value }) => [toHost(value)],
  flops: () => 0,
};

/** Storage values in the reference's arithmetic. */
export function toHost(value: NdArray): HostArray['data'] {
  switch (value.dtype) {
    case 'float32':
      return Float64Array.from(value.data);
    case 'float16':
      return Float64Array.from(value.data, fromHalfBits);
    case 'int32':
      return value.data as Int32Array;
    case 'bool':
      return value.data as Uint8Array;
  }
}

/** A scalar constant, or an array one. */
export function constant(value: number | NdArray, dtype: DType = 'float32'): Tensor {
  if (typeof value !== 'number') return apply(constantPrimitive, [], { value }).outputs[0];
  const array = zerosFor({ dtype, shape: [] });
  array.data[0] = value;
  return apply(constantPrimitive, [], { value: array }).outputs[0];
}
