import { ShapeError } from '../../errors.ts';
import { apply, type Primitive, type Tensor } from '../graph.ts';
import { showAval, stridesOf } from '../types.ts';
import { movementReference } from './common.ts';

type PadAttrs = { low: readonly number[]; high: readonly number[]; value: number };

export const padPrimitive: Primitive<PadAttrs> = {
  name: 'pad',
  infer: ([x], { low, high }) => {
    const shape = x.shape.map((extent, axis) => {
      if (!(low[axis] >= 0 && high[axis] >= 0)) {
        throw new ShapeError(
          `axis ${axis} of ${showAval(x)} cannot be padded by ${low[axis]} and ${high[axis]}: slice instead`,
        );
      }
      return extent + low[axis] + high[axis];
    });
    return [{ dtype: x.dtype, shape }];
  },
  reference: ([x], { low, value }, [output]) => {
    const strides = stridesOf(x.shape);
    return [
      movementReference(
        x,
        output,
        (index) => {
          let from = 0;
          for (let axis = 0; axis < strides.length; axis++) {
            const position = index[axis] - low[axis];
            if (position < 0 || position >= x.shape[axis]) return -1;
            from += position * strides[axis];
          }
          return from;
        },
        value,
      ),
    ];
  },
  flops: () => 0,
};

/** Adds `low` elements before and `high` after, on every axis. */
export function pad(x: Tensor, low: readonly number[], high: readonly number[], value = 0): Tensor {
  if (low.every((n) => n === 0) && high.every((n) => n === 0)) return x;
  return apply(padPrimitive, [x], { low: [...low], high: [...high], value }).outputs[0];
}
