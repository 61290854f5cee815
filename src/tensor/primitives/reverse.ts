import { apply, type Primitive, type Tensor } from '../graph.ts';
import { stridesOf } from '../types.ts';
import { movementReference, normalizeAxis } from './common.ts';

export const reversePrimitive: Primitive<{ axes: readonly number[] }> = {
  name: 'reverse',
  infer: ([x], { axes }) => {
    for (const axis of axes) normalizeAxis(axis, x.shape.length);
    return [x];
  },
  reference: ([x], { axes }, [output]) => {
    const strides = stridesOf(x.shape);
    return [
      movementReference(x, output, (index) => {
        let from = 0;
        for (let axis = 0; axis < strides.length; axis++) {
          from += (axes.includes(axis) ? x.shape[axis] - 1 - index[axis] : index[axis]) * strides[axis];
        }
        return from;
      }),
    ];
  },
  flops: () => 0,
};

/** Reverses the order of elements along the axes. */
export function reverse(x: Tensor, axes: readonly number[]): Tensor {
  return apply(reversePrimitive, [x], { axes: axes.map((axis) => normalizeAxis(axis, x.shape.length)) })
    .outputs[0];
}
