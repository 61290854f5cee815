import { apply, type Tensor } from '../graph.ts';
import { unaryPrimitive } from './common.ts';

export const expPrimitive = unaryPrimitive('exp', Math.exp);

/** Exponential. */
export function exp(x: Tensor): Tensor {
  return apply(expPrimitive, [x]).outputs[0];
}
