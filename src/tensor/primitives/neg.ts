import { apply, type Tensor } from '../graph.ts';
import { unaryPrimitive } from './common.ts';

export const negPrimitive = unaryPrimitive('neg', (x) => -x);

/** Negation. */
export function neg(x: Tensor): Tensor {
  return apply(negPrimitive, [x]).outputs[0];
}
