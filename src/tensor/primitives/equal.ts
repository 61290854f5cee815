import type { Tensor } from '../graph.ts';
import { comparePrimitive } from './common.ts';
import { applyPair, type Operand } from './lifting.ts';

export const equalPrimitive = comparePrimitive('equal', (x, y) => x === y);

/** a = b, elementwise with broadcasting; bool, false where either is NaN. */
export function equal(a: Operand, b: Operand): Tensor {
  return applyPair(equalPrimitive, a, b);
}
