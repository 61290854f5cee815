import { ShapeError } from '../../errors.ts';
import { apply, type Primitive, type Tensor } from '../graph.ts';
import { type Shape, sameShape, showAval, stridesOf } from '../types.ts';
import { movementReference } from './common.ts';

export const broadcastPrimitive: Primitive<{ shape: Shape }> = {
  name: 'broadcast',
  infer: ([x], { shape }) => {
    const offset = shape.length - x.shape.length;
    if (offset < 0 || x.shape.some((extent, axis) => extent !== 1 && extent !== shape[axis + offset])) {
      throw new ShapeError(`${showAval(x)} does not broadcast to [${shape.join(',')}]`);
    }
    return [{ dtype: x.dtype, shape }];
  },
  reference: ([x], { shape }, [output]) => {
    const offset = shape.length - x.shape.length;
    const strides = stridesOf(x.shape).map((stride, axis) => (x.shape[axis] === 1 ? 0 : stride));
    return [
      movementReference(x, output, (index) => {
        let from = 0;
        for (let axis = 0; axis < strides.length; axis++) from += index[axis + offset] * strides[axis];
        return from;
      }),
    ];
  },
  flops: () => 0,
};

/** Repeats axes of extent 1, and adds leading axes, until the shape fits; nothing to do is no node. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  return apply(broadcastPrimitive, [x], { shape: [...shape] }).outputs[0];
}
