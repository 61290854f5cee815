import { apply, type Tensor } from '../graph.ts';
import { unaryPrimitive } from './common.ts';

export const sinPrimitive = unaryPrimitive('sin', Math.sin);

/** Sine of radians. */
export function sin(x: Tensor): Tensor {
  return apply(sinPrimitive, [x]).outputs[0];
}
