/**
 * The place where sample points of a tile leave posed space for canonical space: between "positions along the
 * rays" and "crop and look-up", once a tile and pass. Ray depths stay those of posed space.
 */

import { deformPoint, SCRATCH } from './nearest';

/** Hints of 16 rays, a moved point, then the search's own memory. */
export const MOVE_BYTES: usize = 64 + 16 + SCRATCH;

/** Starts a pass. */
export function forgetHints(scratch: usize): void {
  memory.fill(scratch, 0xff, 64); // -1
}

/** Moves points in place; coordinates lie apart. A point's ray is its slot / `stride`.
 *
 * A ray's search starts from the leaf that answered its sample before.
 */
export function movePoints(
  mesh: usize, scratch: usize, xs: usize, ys: usize, zs: usize, slots: usize, stride: i32, count: i32,
): void {
  const moved = scratch + 64;
  const search = scratch + 80;
  const end = <usize>count << 2;
  for (let at: usize = 0; at < end; at += 4) {
    const mine = scratch + (<usize>(load<i32>(slots + at) / stride) << 2);
    const hint = load<i32>(mine);
    store<i32>(
      mine, deformPoint(mesh, search, load<f32>(xs + at), load<f32>(ys + at), load<f32>(zs + at), hint, moved),
    );
    store<f32>(xs + at, load<f32>(moved));
    store<f32>(ys + at, load<f32>(moved, 4));
    store<f32>(zs + at, load<f32>(moved, 8));
  }
}
