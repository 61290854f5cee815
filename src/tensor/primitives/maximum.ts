import type { Tensor } from '../graph.ts';
import { binaryPrimitive } from './common.ts';
import { applyPair, type Operand } from './lifting.ts';

export const maximumPrimitive = binaryPrimitive('maximum', (x, y) => (x > y || Number.isNaN(x) ? x : y));

/** Larger of the two; NaN if either is, elementwise with broadcasting. */
export function maximum(a: Operand, b: Operand): Tensor {
  return applyPair(maximumPrimitive, a, b);
}
