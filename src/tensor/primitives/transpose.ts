import { ShapeError } from '../../errors.ts';
import { apply, type Primitive, type Tensor } from '../graph.ts';
import { showAval, stridesOf } from '../types.ts';
import { movementReference } from './common.ts';

export const transposePrimitive: Primitive<{ permutation: readonly number[] }> = {
  name: 'transpose',
  infer: ([x], { permutation }) => {
    const rank = x.shape.length;
    if (
      permutation.length !== rank ||
      new Set(permutation).size !== rank ||
      permutation.some((axis) => !(axis >= 0 && axis < rank))
    ) {
      throw new ShapeError(`[${permutation.join(',')}] is no permutation of the axes of ${showAval(x)}`);
    }
    return [{ dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis]) }];
  },
  reference: ([x], { permutation }, [output]) => {
    const strides = stridesOf(x.shape);
    const step = permutation.map((axis) => strides[axis]);
    return [
      movementReference(x, output, (index) => {
        let from = 0;
        for (let axis = 0; axis < step.length; axis++) from += index[axis] * step[axis];
        return from;
      }),
    ];
  },
  flops: () => 0,
};

/** Axis `i` of the result is axis `permutation[i]` of `x`. */
export function transpose(x: Tensor, permutation: readonly number[]): Tensor {
  if (permutation.every((axis, i) => axis === i) && permutation.length === x.shape.length) return x;
  return apply(transposePrimitive, [x], { permutation: [...permutation] }).outputs[0];
}
