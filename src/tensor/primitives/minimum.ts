import type { Tensor } from '../graph.ts';
import { binaryPrimitive } from './common.ts';
import { applyPair, type Operand } from './lifting.ts';

export const minimumPrimitive = binaryPrimitive('minimum', (x, y) => (x < y || Number.isNaN(x) ? x : y));

/** Smaller of the two; NaN if either is, elementwise with broadcasting. */
export function minimum(a: Operand, b: Operand): Tensor {
  return applyPair(minimumPrimitive, a, b);
}
