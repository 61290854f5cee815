import type { Tensor } from '../graph.ts';
import { add } from '../primitives/add.ts';
import { div } from '../primitives/div.ts';
import { mul } from '../primitives/mul.ts';
import { reduceSum } from '../primitives/reduce-sum.ts';
import { sqrt } from '../primitives/sqrt.ts';
import { sizeOf } from '../types.ts';

/** Mean over axes (all when left out). */
export function mean(x: Tensor, axes?: readonly number[], keepDims = false): Tensor {
  const count = axes === undefined ? sizeOf(x.shape) : sizeOf(axes.map((axis) => x.shape.at(axis)!));
  return mul(reduceSum(x, axes, keepDims), 1 / count);
}

/** Divides by the root mean square along an axis: `x / sqrt(mean(x^2) + epsilon)` (spec page 2.3). */
export function normalizeSecondMoment(x: Tensor, axis = 1, epsilon = 1e-8): Tensor {
  return div(x, sqrt(add(mean(mul(x, x), [axis], true), epsilon)));
}
