import { apply, type Tensor } from '../graph.ts';
import { reduced, reducePrimitive } from './reduce.ts';

export const reduceMaxPrimitive = reducePrimitive('reduceMax', Number.NEGATIVE_INFINITY, (total, x) =>
  x > total || Number.isNaN(x) ? x : total,
);

/** Largest element over axes (all when left out). Empty axes give -inf. */
export function reduceMax(x: Tensor, axes?: readonly number[], keepDims = false): Tensor {
  return reduced(
    x,
    axes,
    keepDims,
    (resolved) => apply(reduceMaxPrimitive, [x], { axes: resolved }).outputs[0],
  );
}
