/**
 * The place where sample points of a tile leave posed space for canonical space: between "positions along the
 * rays" and "crop and look-up", once a tile and pass. Ray depths stay those of posed space.
 */

import { deformPoint, SCRATCH } from './nearest';

/** Hints of 16 rays, a moved point, then the search's own memory. */
export const MOVE_BYTES: usize = 64 + 16 + SCRATCH;

/** Moves points in place; coordinates lie apart, and the points of one depth step next to each other.
 *
 * A ray's search starts from the leaf that answered its sample before.
 */
export function movePoints(
  mesh: usize, scratch: usize, xs: usize, ys: usize, zs: usize, rays: i32, samples: i32,
): void {
  const moved = scratch + 64;
  const search = scratch + 80;
  memory.fill(scratch, 0xff, 64); // no hints: -1
  let at: usize = 0;
  for (let s = 0; s < samples; s++) {
    for (let r: usize = 0; r < <usize>rays; r++) {
      const hint = load<i32>(scratch + (r << 2));
      const leaf = deformPoint(mesh, search, load<f32>(xs + at), load<f32>(ys + at), load<f32>(zs + at), hint, moved);
      store<i32>(scratch + (r << 2), leaf);
      store<f32>(xs + at, load<f32>(moved));
      store<f32>(ys + at, load<f32>(moved, 4));
      store<f32>(zs + at, load<f32>(moved, 8));
      at += 4;
    }
  }
}
