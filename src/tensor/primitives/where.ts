import { ShapeError } from '../../errors.ts';
import { apply, type Primitive, type Tensor } from '../graph.ts';
import { sameShape, showAval, sizeOf } from '../types.ts';
import { broadcastTo } from './broadcast.ts';
import { broadcastShapes, hostZeros, requireDType } from './common.ts';
import { broadcastPair, type Operand } from './lifting.ts';

export const wherePrimitive: Primitive = {
  name: 'where',
  infer: ([condition, x, y]) => {
    requireDType(condition, ['bool'], 'condition');
    requireDType(y, [x.dtype], 'third operand');
    if (!sameShape(condition.shape, x.shape) || !sameShape(x.shape, y.shape)) {
      throw new ShapeError(
        `operands are ${showAval(condition)}, ${showAval(x)} and ${showAval(y)}: one shape is needed`,
      );
    }
    return [x];
  },
  reference: ([condition, x, y], _attrs, [output]) => {
    const out = hostZeros(output);
    for (let i = 0; i < out.length; i++) out[i] = condition.data[i] ? x.data[i] : y.data[i];
    return [out];
  },
  flops: ([x]) => sizeOf(x.shape),
};

/** `x` where the condition holds, `y` elsewhere; all three broadcast. */
export function where(condition: Tensor, x: Operand, y: Operand): Tensor {
  const [left, right] = broadcastPair(x, y);
  const shape = broadcastShapes(condition.shape, left.shape);
  return apply(wherePrimitive, [
    broadcastTo(condition, shape),
    broadcastTo(left, shape),
    broadcastTo(right, shape),
  ]).outputs[0];
}
