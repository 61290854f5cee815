import type { Tensor } from '../graph.ts';
import { binaryPrimitive } from './common.ts';
import { applyPair, type Operand } from './lifting.ts';

export const mulPrimitive = binaryPrimitive('mul', (x, y) => x * y);

/** Product, elementwise with broadcasting. */
export function mul(a: Operand, b: Operand): Tensor {
  return applyPair(mulPrimitive, a, b);
}
