import type { Tensor } from '../graph.ts';
import { binaryPrimitive } from './common.ts';
import { applyPair, type Operand } from './lifting.ts';

export const subPrimitive = binaryPrimitive('sub', (x, y) => x - y);

/** Difference, elementwise with broadcasting. */
export function sub(a: Operand, b: Operand): Tensor {
  return applyPair(subPrimitive, a, b);
}
