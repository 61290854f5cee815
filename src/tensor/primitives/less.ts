import type { Tensor } from '../graph.ts';
import { comparePrimitive } from './common.ts';
import { applyPair, type Operand } from './lifting.ts';

export const lessPrimitive = comparePrimitive('less', (x, y) => x < y);

/** a < b, elementwise with broadcasting; bool, false where either is NaN. */
export function less(a: Operand, b: Operand): Tensor {
  return applyPair(lessPrimitive, a, b);
}
