import { apply, type Tensor } from '../graph.ts';
import { unaryPrimitive } from './common.ts';

export const floorPrimitive = unaryPrimitive('floor', Math.floor);

/** Largest integer not above. */
export function floor(x: Tensor): Tensor {
  return apply(floorPrimitive, [x]).outputs[0];
}
