import { apply, type Tensor } from '../graph.ts';
import { reduced, reducePrimitive } from './reduce.ts';

export const reduceMinPrimitive = reducePrimitive('reduceMin', Number.POSITIVE_INFINITY, (total, x) =>
  x < total || Number.isNaN(x) ? x : total,
);

/** Smallest element over axes (all when left out). Empty axes give +inf. */
export function reduceMin(x: Tensor, axes?: readonly number[], keepDims = false): Tensor {
  return reduced(
    x,
    axes,
    keepDims,
    (resolved) => apply(reduceMinPrimitive, [x], { axes: resolved }).outputs[0],
  );
}
