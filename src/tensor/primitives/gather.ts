import { NameError } from '../../errors.ts';
import { apply, type Primitive, type Tensor } from '../graph.ts';
import { hostZeros, normalizeAxis, requireDType, splitAt } from './common.ts';

export const gatherPrimitive: Primitive<{ axis: number }> = {
  name: 'gather',
  infer: ([x, indices], { axis }) => {
    requireDType(indices, ['int32'], 'indices');
    normalizeAxis(axis, x.shape.length);
    return [
      { dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] },
    ];
  },
  reference: ([x, indices], { axis }, [output]) => {
    const out = hostZeros(output);
    const { outer, extent, inner } = splitAt(x.shape, axis);
    const count = indices.data.length;
    for (let o = 0; o < outer; o++) {
      for (let k = 0; k < count; k++) {
        const index = indices.data[k];
        if (index < 0 || index >= extent)
          throw new NameError(`gather: index ${index} is outside of 0..${extent - 1}`);
        const from = (o * extent + index) * inner;
        out.set(x.data.subarray(from, from + inner), (o * count + k) * inner);
      }
    }
    return [out];
  },
  flops: () => 0,
};

/** Takes slices of `x` along `axis`: the axis is replaced by the axes of `indices` (int32, in range). */
export function gather(x: Tensor, indices: Tensor, axis = 0): Tensor {
  return apply(gatherPrimitive, [x, indices], { axis: normalizeAxis(axis, x.shape.length) }).outputs[0];
}
