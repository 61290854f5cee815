import { NameError, ShapeError } from '../../errors.ts';
import { apply, type Primitive, type Tensor } from '../graph.ts';
import { sameShape, showAval, sizeOf } from '../types.ts';
import { hostZeros, normalizeAxis, requireDType, splitAt } from './common.ts';

export const scatterAddPrimitive: Primitive<{ axis: number; extent: number }> = {
  name: 'scatterAdd',
  infer: ([updates, indices], { axis, extent }) => {
    requireDType(updates, ['float32'], 'updates');
    requireDType(indices, ['int32'], 'indices');
    const rank = indices.shape.length;
    if (!sameShape(updates.shape.slice(axis, axis + rank), indices.shape)) {
      throw new ShapeError(
        `updates ${showAval(updates)} do not hold the axes of indices ${showAval(indices)} at axis ${axis}`,
      );
    }
    return [
      {
        dtype: updates.dtype,
        shape: [...updates.shape.slice(0, axis), extent, ...updates.shape.slice(axis + rank)],
      },
    ];
  },
  reference: ([updates, indices], { axis, extent }, [output]) => {
    const out = hostZeros(output);
    const { outer, inner } = splitAt(output.shape, axis);
    const count = indices.data.length;
    for (let o = 0; o < outer; o++) {
      for (let k = 0; k < count; k++) {
        const index = indices.data[k];
        if (index < 0 || index >= extent)
          throw new NameError(`scatterAdd: index ${index} is outside of 0..${extent - 1}`);
        const to = (o * extent + index) * inner;
        const from = (o * count + k) * inner;
        for (let i = 0; i < inner; i++) out[to + i] += updates.data[from + i];
      }
    }
    return [out];
  },
  flops: ([updates]) => sizeOf(updates.shape),
};

/** Adjoint of `gather`: adds slices of `updates` into zeros of extent `extent` along `axis`; repeats add up. */
export function scatterAdd(updates: Tensor, indices: Tensor, extent: number, axis = 0): Tensor {
  return apply(scatterAddPrimitive, [updates, indices], {
    axis: normalizeAxis(axis, updates.shape.length),
    extent,
  }).outputs[0];
}
