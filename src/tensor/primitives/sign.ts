import { apply, type Tensor } from '../graph.ts';
import { unaryPrimitive } from './common.ts';

export const signPrimitive = unaryPrimitive('sign', Math.sign);

/** -1, 0 or 1. */
export function sign(x: Tensor): Tensor {
  return apply(signPrimitive, [x]).outputs[0];
}
