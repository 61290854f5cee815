/**
 * The place where sample points of a tile leave posed space for canonical space: between "positions along the
 * rays" and "crop and look-up", once a tile and pass. Ray depths stay those of posed space.
 */

import { FACE, moveByBlock, nearestLeaf, SCRATCH } from './nearest';

/** Hints of 16 rays, a moved point, then the search's own memory. */
export const MOVE_BYTES: usize = 64 + 16 + SCRATCH;

/** Starts a pass. */
export function forgetHints(scratch: usize): void {
  memory.fill(scratch, 0xff, 64); // -1
}

/** Moves points in place; coordinates lie apart. A point's ray is its slot / `stride`. Faces [count] i32 get the
 * face that moved the point, -1 where none did.
 *
 * A ray's search starts from the leaf that answered its sample before.
 *
 * @param maps       [faceCount, 12] motions, row-major rotation then translation; 0 for those of the mesh block
 * @param facesGiven faces hold those to move by, where one is near enough
 */
export function movePoints(
  mesh: usize, maps: usize, faceCount: i32, facesGiven: bool, scratch: usize,
  xs: usize, ys: usize, zs: usize, slots: usize, faces: usize, stride: i32, count: i32,
): void {
  const moved = scratch + 64;
  const search = scratch + 80;
  const end = <usize>count << 2;
  for (let at: usize = 0; at < end; at += 4) {
    const mine = scratch + (<usize>(load<i32>(slots + at) / stride) << 2);
    const hint = load<i32>(mine);
    const x = load<f32>(xs + at);
    const y = load<f32>(ys + at);
    const z = load<f32>(zs + at);
    const leaf = nearestLeaf(mesh, search, x, y, z, hint);
    if (leaf < 0) {
      store<i32>(faces + at, -1);
      continue;
    }
    store<i32>(mine, leaf);
    const near = load<i32>(search, FACE);
    if (maps == 0) {
      moveByBlock(mesh, near, x, y, z, moved);
      store<i32>(faces + at, near);
    } else {
      const face = facesGiven ? min(max(load<i32>(faces + at), 0), faceCount - 1) : near;
      moveByMap(maps + <usize>face * 48, x, y, z, moved);
      store<i32>(faces + at, face);
    }
    store<f32>(xs + at, load<f32>(moved));
    store<f32>(ys + at, load<f32>(moved, 4));
    store<f32>(zs + at, load<f32>(moved, 8));
  }
}

// @ts-ignore: decorator
@inline
function moveByMap(map: usize, x: f32, y: f32, z: f32, moved: usize): void {
  for (let row: usize = 0; row < 3; row++) {
    const at = map + row * 12;
    const turned = load<f32>(at) * x + load<f32>(at, 4) * y + load<f32>(at, 8) * z;
    store<f32>(moved + (row << 2), turned + load<f32>(map + (row << 2), 36));
  }
}
