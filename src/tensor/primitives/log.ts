import { apply, type Tensor } from '../graph.ts';
import { unaryPrimitive } from './common.ts';

export const logPrimitive = unaryPrimitive('log', Math.log);

/** Natural logarithm; -inf at 0, NaN below. */
export function log(x: Tensor): Tensor {
  return apply(logPrimitive, [x]).outputs[0];
}
