import { apply, type Tensor } from '../graph.ts';
import { unaryPrimitive } from './common.ts';

export const tanhPrimitive = unaryPrimitive('tanh', Math.tanh);

/** Hyperbolic tangent. */
export function tanh(x: Tensor): Tensor {
  return apply(tanhPrimitive, [x]).outputs[0];
}
