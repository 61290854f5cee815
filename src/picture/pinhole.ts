/** Where a camera, given as its 25-number label, sees a point. */

import { ShapeError } from '../errors.ts';

/** A camera ready to project: a point X of the world has the picture position (x / depth, y / depth), where
 * (x, y, depth) = matrix (X, 1); positions run from 0 to 1 over the picture, from the top left. */
export interface Pinhole {
  /** 12 numbers, row-major 3 x 4 */
  readonly matrix: Float64Array;
  readonly centre: readonly [number, number, number];
  /** World to camera rotation, row-major 3 x 3: rows right, down, forward. */
  readonly rotation: Float64Array;
  /** fx, skew, cx, fy, cy in units of the picture's side. */
  readonly intrinsics: readonly [number, number, number, number, number];
}

/** Reads a label: 16 numbers of cam2world and 9 of the intrinsic matrix, row-major. */
export function pinholeOf(label: ArrayLike<number>): Pinhole {
  if (label.length !== 25) throw new ShapeError(`a camera label has 25 numbers, not ${label.length}`);
  const m = (row: number, column: number): number => label[row * 4 + column];
  const [fx, skew, cx, fy, cy] = [label[16], label[17], label[18], label[20], label[21]];
  const centre: [number, number, number] = [m(0, 3), m(1, 3), m(2, 3)];
  // The inverse of a rigid motion: axes as rows.
  const rotation = Float64Array.from({ length: 9 }, (_, i) => m(i % 3, Math.floor(i / 3)));
  const view = [0, 1, 2].map((row) => {
    const axis = rotation.subarray(row * 3, row * 3 + 3);
    return [...axis, -(axis[0] * centre[0] + axis[1] * centre[1] + axis[2] * centre[2])];
  });
  const matrix = new Float64Array(12);
  for (let k = 0; k < 4; k++) {
    matrix[k] = fx * view[0][k] + skew * view[1][k] + cx * view[2][k];
    matrix[4 + k] = fy * view[1][k] + cy * view[2][k];
    matrix[8 + k] = view[2][k];
  }
  return { matrix, centre, rotation, intrinsics: [fx, skew, cx, fy, cy] };
}

/** Length of the ray through a picture position for each unit of depth: distance along the ray = depth times this. */
export function rayStretch({ intrinsics: [fx, skew, cx, fy, cy] }: Pinhole, x: number, y: number): number {
  const v = (y - cy) / fy;
  const u = (x - cx - skew * v) / fx;
  return Math.sqrt(u * u + v * v + 1);
}
