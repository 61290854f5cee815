import { ShapeError } from '../../errors.ts';
import { apply, type Primitive, type Tensor } from '../graph.ts';
import { type Shape, sameShape, showAval, sizeOf } from '../types.ts';

export const reshapePrimitive: Primitive<{ shape: Shape }> = {
  name: 'reshape',
  infer: ([x], { shape }) => {
    if (
      sizeOf(shape) !== sizeOf(x.shape) ||
      shape.some((extent) => !Number.isInteger(extent) || extent < 0)
    ) {
      throw new ShapeError(
        `${showAval(x)} has ${sizeOf(x.shape)} elements, not the ${sizeOf(shape)} of [${shape.join(',')}]`,
      );
    }
    return [{ dtype: x.dtype, shape }];
  },
  reference: ([x]) => [x.data],
  flops: () => 0,
};

/** The same elements in row-major order under another shape. One extent may be -1: what is left over. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const open = shape.indexOf(-1);
  let full = [...shape];
  if (open >= 0) {
    const known = sizeOf(shape.filter((_, axis) => axis !== open));
    full = shape.map((extent, axis) => (axis === open ? sizeOf(x.shape) / known : extent));
  }
  return sameShape(x.shape, full) ? x : apply(reshapePrimitive, [x], { shape: full }).outputs[0];
}
