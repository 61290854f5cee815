import { apply, type Primitive, type Tensor } from '../graph.ts';
import type { DType, Shape } from '../types.ts';
import { hostZeros, normalizeAxis, requireDType, splitAt } from './common.ts';

/** 0, 1, 2, ... along one axis: index tensors without storing them in the program. */
export const iotaPrimitive: Primitive<{ shape: Shape; axis: number; dtype: string }> = {
  name: 'iota',
  infer: (_inputs, { shape, axis, dtype }) => {
    normalizeAxis(axis, shape.length);
    const aval = { dtype: dtype as DType, shape };
    requireDType(aval, ['float32', 'int32'], 'result');
    return [aval];
  },
  reference: (_inputs, { shape, axis }, [output]) => {
    const out = hostZeros(output);
    const { extent, inner } = splitAt(shape, axis);
    for (let i = 0; i < out.length; i++) out[i] = Math.floor(i / inner) % extent;
    return [out];
  },
  flops: () => 0,
};

/** The index along `axis` of every element of `shape`. */
export function iota(shape: Shape, axis: number, dtype: 'float32' | 'int32' = 'int32'): Tensor {
  return apply(iotaPrimitive, [], { shape, axis: normalizeAxis(axis, shape.length), dtype }).outputs[0];
}
