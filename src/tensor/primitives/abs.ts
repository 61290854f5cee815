import { apply, type Tensor } from '../graph.ts';
import { unaryPrimitive } from './common.ts';

export const absPrimitive = unaryPrimitive('abs', Math.abs);

/** Absolute value. */
export function abs(x: Tensor): Tensor {
  return apply(absPrimitive, [x]).outputs[0];
}
