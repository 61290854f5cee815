import type { Tensor } from '../graph.ts';
import { binaryPrimitive } from './common.ts';
import { applyPair, type Operand } from './lifting.ts';

export const powPrimitive = binaryPrimitive('pow', Math.pow);

/** Power, elementwise with broadcasting. */
export function pow(a: Operand, b: Operand): Tensor {
  return applyPair(powPrimitive, a, b);
}
