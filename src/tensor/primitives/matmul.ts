import { ShapeError } from '../../errors.ts';
import { apply, type Primitive, type Tensor } from '../graph.ts';
import { sameShape, showAval, sizeOf } from '../types.ts';
import { broadcastTo } from './broadcast.ts';
import { broadcastShapes, hostZeros, requireDType } from './common.ts';

export const matmulPrimitive: Primitive = {
  name: 'matmul',
  infer: ([a, b]) => {
    requireDType(a, ['float32'], 'left operand');
    requireDType(b, ['float32'], 'right operand');
    const rank = a.shape.length;
    const fits =
      rank >= 2 && b.shape.length === rank && sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (!fits)
      throw new ShapeError(`${showAval(a)} and ${showAval(b)} need the same leading axes and two more each`);
    if (a.shape[rank - 1] !== b.shape[rank - 2]) {
      throw new ShapeError(
        `left operand ${showAval(a)} has ${a.shape[rank - 1]} columns but right operand ${showAval(b)} has ${b.shape[rank - 2]} rows`,
      );
    }
    return [{ dtype: 'float32', shape: [...a.shape.slice(0, -1), b.shape[rank - 1]] }];
  },
  reference: ([a, b], _attrs, [output]) => {
    const out = hostZeros(output);
    const rank = a.shape.length;
    const [rows, inner] = a.shape.slice(-2);
    const columns = b.shape[rank - 1];
    const batch = sizeOf(a.shape.slice(0, -2));
    for (let n = 0; n < batch; n++) {
      for (let i = 0; i < rows; i++) {
        const to = (n * rows + i) * columns;
        for (let k = 0; k < inner; k++) {
          const left = a.data[(n * rows + i) * inner + k];
          const from = (n * inner + k) * columns;
          for (let j = 0; j < columns; j++) out[to + j] += left * b.data[from + j];
        }
      }
    }
    return [out];
  },
  flops: ([a, b]) => 2 * sizeOf(a.shape) * b.shape[b.shape.length - 1],
};

/** Matrix product of the last two axes; leading axes are a batch and broadcast. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return apply(matmulPrimitive, [
    broadcastTo(a, [...batch, ...a.shape.slice(-2)]),
    broadcastTo(b, [...batch, ...b.shape.slice(-2)]),
  ]).outputs[0];
}
