/**
 * Values from outside of a program with the gradient of what the program makes of them.
 *
 * Poses, styles and posed vertices are few numbers on which everything else depends, and plain code can round them as
 * the original does. An error of 1e-7 in a vertex turns the frame of a face, which moves a point a decimetre away by as
 * much again; the importance pass amplifies it by a thousand; and where a sample then lies beyond a texel's border,
 * or an activation beyond its kink, a gradient is off by a hundredth instead of a ten-thousandth (measured).
 */

import { add, stopGradient, sub, type Tensor } from '../tensor/index.ts';

/** The values of one tensor, the gradient of the other. */
export function withValue(values: Tensor, traced: Tensor): Tensor {
  return add(values, sub(traced, stopGradient(traced)));
}
