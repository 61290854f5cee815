/** Body poses: which side a camera is on, mirroring, and the generator's pose branch (spec pages 1.6, 1.7, 4.8). */

import {
  abs,
  add,
  concat,
  constant,
  fullyConnected,
  lessEqual,
  mul,
  ndarray,
  sliceAxis,
  type Tensor,
  where,
} from '../tensor/index.ts';
import { MIRRORED_LABEL_ENTRIES, MIRRORED_POSE_ENTRIES } from './camera.ts';
import type { Parameters } from './parameters.ts';

/** float32(pi / 2) - pi / 2, plus half a float32 step there: angles up to this beyond pi / 2 still round to it. */
export const SIDE_SLACK = Math.fround(Math.PI / 2) - Math.PI / 2 + 2 ** -24;

/** True [N, 1] where the camera stands on the body's left: -pi/2 <= atan2(tz, tx) <= pi/2 in float32.
 *
 * @param c [N, 25]
 */
export function isLeft(c: Tensor): Tensor {
  const [tx, tz] = [sliceAxis(c, 1, 3, 4), sliceAxis(c, 1, 11, 12)];
  return lessEqual(0, add(tx, mul(abs(tz), Math.tan(SIDE_SLACK))));
}

function signs(length: number, negated: readonly number[]): Tensor {
  return constant(
    ndarray(
      [1, length],
      Array.from({ length }, (_, i) => (negated.includes(i) ? -1 : 1)),
    ),
  );
}

/** Camera labels [N, 25] of the mirrored world. */
export function mirrorCamera(c: Tensor): Tensor {
  return mul(c, signs(25, MIRRORED_LABEL_ENTRIES));
}

/** Poses [N, 6] of the mirrored body. */
export function mirrorPose(p: Tensor): Tensor {
  return mul(p, signs(6, MIRRORED_POSE_ENTRIES));
}

/** Poses that the generator imagines for latents under cameras: exactly mirror-equivariant.
 *
 * @param p scope of `pose_branch`
 * @param z [N, zDim], not normalised
 * @param c [N, 25]
 * @returns [N, 6] radians: neck, then head, axis-angle
 */
export function generatorPose(p: Parameters, z: Tensor, c: Tensor): Tensor {
  const left = isLeft(c);
  let x = concat([z, where(left, mirrorCamera(c), c)], 1);
  for (const [layer, activation] of [
    [0, 'lrelu'],
    [1, 'lrelu'],
    [2, 'linear'],
  ] as const) {
    x = fullyConnected(x, p.get(`net.${layer}.weight`), p.get(`net.${layer}.bias`), { activation });
  }
  return where(left, mirrorPose(x), x);
}
