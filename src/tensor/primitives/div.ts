import type { Tensor } from '../graph.ts';
import { binaryPrimitive } from './common.ts';
import { applyPair, type Operand } from './lifting.ts';

export const divPrimitive = binaryPrimitive('div', (x, y) => x / y);

/** Quotient, elementwise with broadcasting. */
export function div(a: Operand, b: Operand): Tensor {
  return applyPair(divPrimitive, a, b);
}
