import { ShapeError } from '../../errors.ts';
import { apply, type Primitive, type Tensor } from '../graph.ts';
import { showAval, stridesOf } from '../types.ts';
import { movementReference, normalizeAxis } from './common.ts';

type SliceAttrs = { starts: readonly number[]; limits: readonly number[]; steps: readonly number[] };

export const slicePrimitive: Primitive<SliceAttrs> = {
  name: 'slice',
  infer: ([x], { starts, limits, steps }) => {
    const shape = x.shape.map((extent, axis) => {
      const [start, limit, step] = [starts[axis], limits[axis], steps[axis]];
      if (!(start >= 0 && start <= limit && limit <= extent && step >= 1)) {
        throw new ShapeError(`axis ${axis} of ${showAval(x)} has no range ${start}..${limit} by ${step}`);
      }
      return Math.ceil((limit - start) / step);
    });
    return [{ dtype: x.dtype, shape }];
  },
  reference: ([x], { starts, steps }, [output]) => {
    const strides = stridesOf(x.shape);
    return [
      movementReference(x, output, (index) => {
        let from = 0;
        for (let axis = 0; axis < strides.length; axis++)
          from += (starts[axis] + index[axis] * steps[axis]) * strides[axis];
        return from;
      }),
    ];
  },
  flops: () => 0,
};

/** Elements start, start + step, ... below limit, on every axis. */
export function slice(
  x: Tensor,
  starts: readonly number[],
  limits: readonly number[],
  steps: readonly number[] = x.shape.map(() => 1),
): Tensor {
  const whole = x.shape.every(
    (extent, axis) => starts[axis] === 0 && limits[axis] === extent && steps[axis] === 1,
  );
  if (whole) return x;
  return apply(slicePrimitive, [x], { starts: [...starts], limits: [...limits], steps: [...steps] })
    .outputs[0];
}

/** `x[start:limit:step]` along one axis, everything on the others. A negative limit counts from the end. */
export function sliceAxis(
  x: Tensor,
  axis: number,
  start: number,
  limit: number = x.shape[normalizeAxis(axis, x.shape.length)],
  step = 1,
): Tensor {
  const at = normalizeAxis(axis, x.shape.length);
  const end = limit < 0 ? limit + x.shape[at] : limit;
  return slice(
    x,
    x.shape.map((_, i) => (i === at ? start : 0)),
    x.shape.map((extent, i) => (i === at ? end : extent)),
    x.shape.map((_, i) => (i === at ? step : 1)),
  );
}
