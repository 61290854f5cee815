import { apply, type Primitive, type Tensor } from '../graph.ts';
import { fromHalfBits, toHalfBits } from '../half.ts';
import { type DType, sizeOf } from '../types.ts';

export const castPrimitive: Primitive<{ dtype: string }> = {
  name: 'cast',
  infer: ([x], { dtype }) => [{ dtype: dtype as DType, shape: x.shape }],
  reference: ([x], { dtype }) => {
    switch (dtype as DType) {
      case 'float32':
        return [Float64Array.from(x.data)];
      case 'float16':
        return [Float64Array.from(x.data, (value) => fromHalfBits(toHalfBits(value)))];
      case 'int32':
        return [Int32Array.from(x.data, Math.trunc)];
      case 'bool':
        return [Uint8Array.from(x.data, (value) => (value !== 0 ? 1 : 0))];
    }
  },
  flops: ([x]) => sizeOf(x.shape),
};

/** Another element type: towards zero into int32, not-zero into bool, nearest-even into float16. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : apply(castPrimitive, [x], { dtype }).outputs[0];
}
