import { apply, type Tensor } from '../graph.ts';
import { unaryPrimitive } from './common.ts';

export const cosPrimitive = unaryPrimitive('cos', Math.cos);

/** Cosine of radians. */
export function cos(x: Tensor): Tensor {
  return apply(cosPrimitive, [x]).outputs[0];
}
