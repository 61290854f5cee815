import type { Tensor } from '../graph.ts';
import { logicalPrimitive } from './common.ts';
import { applyPair } from './lifting.ts';

export const andPrimitive = logicalPrimitive('and', (x, y) => x & y);

/** Both of two bool tensors, elementwise with broadcasting. */
export function and(a: Tensor, b: Tensor): Tensor {
  return applyPair(andPrimitive, a, b);
}
