import { apply, type Tensor } from '../graph.ts';
import { unaryPrimitive } from './common.ts';

export const sqrtPrimitive = unaryPrimitive('sqrt', Math.sqrt);

/** Square root; NaN below 0. */
export function sqrt(x: Tensor): Tensor {
  return apply(sqrtPrimitive, [x]).outputs[0];
}
