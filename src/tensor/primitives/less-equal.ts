import type { Tensor } from '../graph.ts';
import { comparePrimitive } from './common.ts';
import { applyPair, type Operand } from './lifting.ts';

export const lessEqualPrimitive = comparePrimitive('lessEqual', (x, y) => x <= y);

/** a <= b, elementwise with broadcasting; bool, false where either is NaN. */
export function lessEqual(a: Operand, b: Operand): Tensor {
  return applyPair(lessEqualPrimitive, a, b);
}
