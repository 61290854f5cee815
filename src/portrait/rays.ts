/** Rays through pixel centres and their limits inside a cube (spec pages 1.5 and 2.9). */

import {
  add,
  broadcastTo,
  concat,
  constant,
  div,
  fusedMultiplyAdd,
  less,
  mul,
  ndarray,
  reduceMax,
  reduceMin,
  reshape,
  sliceAxis,
  sqrt,
  sub,
  type Tensor,
  where,
} from '../tensor/index.ts';

export interface Rays {
  /** [N, M, 3] */
  readonly origins: Tensor;
  /** [N, M, 3], unit length: depths are distances from the camera. */
  readonly directions: Tensor;
}

/** Rays of an n x n picture, row by row from the top: M = n * n.
 *
 * @param c [N, 25] camera labels; skew and an off-centre principal point are honoured.
 */
export function cameraRays(c: Tensor, n: number): Rays {
  const batch = c.shape[0];
  const count = n * n;
  const entry = (index: number): Tensor => sliceAxis(c, 1, index, index + 1); // [N, 1]
  const centre = (index: number): number => (index + 0.5) / n;
  const u = constant(
    ndarray(
      [1, count],
      Array.from({ length: count }, (_, i) => centre(i % n)),
    ),
  );
  const v = constant(
    ndarray(
      [1, count],
      Array.from({ length: count }, (_, i) => centre(Math.floor(i / n))),
    ),
  );
  const [fx, skew, cx, fy, cy] = [16, 17, 18, 20, 21].map(entry);
  const y = div(sub(v, cy), fy); // [N, M]
  const x = div(sub(sub(u, cx), mul(skew, y)), fx);
  // A point on the ray less the centre, summed in the published program's order, and the length by fused
  // multiply-adds: one unit in the last place of a direction is worth a thousandth of a picture's contrast.
  const local = [x, y, constant(1), constant(1)];
  const direction = [0, 1, 2].map((row) => {
    const terms = local.map((value, column) => mul(value, entry(row * 4 + column)));
    return sub(add(add(add(terms[0], terms[1]), terms[2]), terms[3]), entry(row * 4 + 3)); // [N, M]
  });
  const [dx, dy, dz] = direction;
  const length = sqrt(fusedMultiplyAdd(dz, dz, fusedMultiplyAdd(dy, dy, mul(dx, dx))));
  const stack = (parts: readonly Tensor[]): Tensor =>
    concat(
      parts.map((part) => broadcastTo(reshape(part, [batch, -1, 1]), [batch, count, 1])),
      2,
    );
  return {
    origins: stack([3, 7, 11].map(entry)),
    directions: stack(direction.map((part) => div(part, length))),
  };
}

/** Where rays enter and leave a centred cube: slab test. A miss gives near -1 and far -2.
 *
 * @returns near and far [..., 1]
 */
export function rayBoxLimits(rays: Rays, side: number): { near: Tensor; far: Tensor } {
  const inverse = div(1, rays.directions);
  const first = mul(sub(-side / 2, rays.origins), inverse);
  const second = mul(sub(side / 2, rays.origins), inverse);
  const ahead = less(inverse, 0);
  const entry = where(ahead, second, first);
  const exit = where(ahead, first, second);
  const near = reduceMax(entry, [-1], true);
  const far = reduceMin(exit, [-1], true);
  const miss = less(far, near);
  return { near: where(miss, -1, near), far: where(miss, -2, far) };
}

/** Limits of every ray for `ray_start = ray_end = 'auto'`: a ray that misses gets the smallest and the largest start. */
export function automaticLimits(rays: Rays, side: number): { near: Tensor; far: Tensor } {
  const { near, far } = rayBoxLimits(rays, side);
  const valid = less(near, far);
  const smallest = reduceMin(where(valid, near, Number.POSITIVE_INFINITY));
  const largest = reduceMax(where(valid, near, Number.NEGATIVE_INFINITY));
  return { near: where(valid, near, smallest), far: where(valid, far, largest) };
}
