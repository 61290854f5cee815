/** Numbers become constants and shapes are brought together, so that primitives stay strict. */

import { apply, type Primitive, type Tensor } from '../graph.ts';
import { broadcastTo } from './broadcast.ts';
import { broadcastShapes } from './common.ts';
import { constant } from './constant.ts';

/** A tensor, or a number that takes the type of its partner. */
export type Operand = Tensor | number;

/** Lifts numbers and brings both operands to one shape. */
export function broadcastPair(a: Operand, b: Operand): [Tensor, Tensor] {
  const left = typeof a === 'number' ? constant(a, typeof b === 'number' ? 'float32' : b.dtype) : a;
  const right = typeof b === 'number' ? constant(b, left.dtype) : b;
  const shape = broadcastShapes(left.shape, right.shape);
  return [broadcastTo(left, shape), broadcastTo(right, shape)];
}

/** Applies a single-output primitive to a broadcast pair. */
export function applyPair(op: Primitive, a: Operand, b: Operand): Tensor {
  return apply(op, broadcastPair(a, b)).outputs[0];
}
