import { apply, type Tensor } from '../graph.ts';
import { reduced, reducePrimitive } from './reduce.ts';

export const reduceSumPrimitive = reducePrimitive('reduceSum', 0, (total, x) => total + x);

/** Sum over axes (all when left out). Empty axes give 0. */
export function reduceSum(x: Tensor, axes?: readonly number[], keepDims = false): Tensor {
  return reduced(
    x,
    axes,
    keepDims,
    (resolved) => apply(reduceSumPrimitive, [x], { axes: resolved }).outputs[0],
  );
}
