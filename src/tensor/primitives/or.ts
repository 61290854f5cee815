import type { Tensor } from '../graph.ts';
import { logicalPrimitive } from './common.ts';
import { applyPair } from './lifting.ts';

export const orPrimitive = logicalPrimitive('or', (x, y) => x | y);

/** Either of two bool tensors, elementwise with broadcasting. */
export function or(a: Tensor, b: Tensor): Tensor {
  return applyPair(orPrimitive, a, b);
}
