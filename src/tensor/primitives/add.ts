import type { Tensor } from '../graph.ts';
import { binaryPrimitive } from './common.ts';
import { applyPair, type Operand } from './lifting.ts';

export const addPrimitive = binaryPrimitive('add', (x, y) => x + y);

/** Sum, elementwise with broadcasting. */
export function add(a: Operand, b: Operand): Tensor {
  return applyPair(addPrimitive, a, b);
}
