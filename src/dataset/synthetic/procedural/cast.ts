/** Where rays from inside the head first meet its surface. */

import type { Anchor } from './builder.ts';
import type { Vec3 } from './neutral.ts';

/** Inside the skull, between the ears: all of the scalp is seen from here. */
export const SKULL_CENTRE: Vec3 = [0, 0.118, 0.035];

export interface Hit {
  readonly anchor: Anchor;
  /** metres, on the surface made smooth */
  readonly place: Vec3;
  /** unit */
  readonly normal: Vec3;
  /** metres from the centre to the triangle itself */
  readonly distance: number;
}

export type Cast = (direction: Vec3) => Hit | undefined;

export interface Surface {
  /** [V, 3] */
  readonly positions: Float32Array;
  /** [V, 3] unit */
  readonly normals: Float32Array;
  /** [T, 3] */
  readonly triangles: Uint32Array;
}

/** Triangles are looked up by the part of the sphere they are seen in. */
const ROWS = 40;
const COLUMNS = 80;

/** A caster of rays from the centre of the skull to a surface: the nearest place that a unit direction meets. */
export function casterOf({ positions, normals, triangles }: Surface): Cast {
  const buckets = bucketsOf(positions, triangles);
  const [cx, cy, cz] = SKULL_CENTRE;
  return (direction) => {
    const [dx, dy, dz] = direction;
    let [best, nearest, bestV, bestW] = [-1, Infinity, 0, 0];
    for (const t of buckets[bucketAt(dx, dy, dz)]) {
      const [a, b, c] = [3 * triangles[t], 3 * triangles[t + 1], 3 * triangles[t + 2]];
      const [ax, ay, az] = [positions[a], positions[a + 1], positions[a + 2]];
      const [ux, uy, uz] = [positions[b] - ax, positions[b + 1] - ay, positions[b + 2] - az];
      const [vx, vy, vz] = [positions[c] - ax, positions[c + 1] - ay, positions[c + 2] - az];
      const [px, py, pz] = [dy * vz - dz * vy, dz * vx - dx * vz, dx * vy - dy * vx];
      const determinant = ux * px + uy * py + uz * pz;
      if (Math.abs(determinant) < 1e-14) continue;
      const [sx, sy, sz] = [cx - ax, cy - ay, cz - az];
      const v = (sx * px + sy * py + sz * pz) / determinant;
      const [qx, qy, qz] = [sy * uz - sz * uy, sz * ux - sx * uz, sx * uy - sy * ux];
      const w = (dx * qx + dy * qy + dz * qz) / determinant;
      if (v < -SLACK || w < -SLACK || v + w > 1 + SLACK) continue;
      const distance = (vx * qx + vy * qy + vz * qz) / determinant;
      if (distance > 0 && distance < nearest) [best, nearest, bestV, bestW] = [t, distance, v, w];
    }
    if (best < 0) return undefined;
    const vertices: [number, number, number] = [triangles[best], triangles[best + 1], triangles[best + 2]];
    return { ...hitAt(positions, normals, vertices, [1 - bestV - bestW, bestV, bestW]), distance: nearest };
  };
}

/** Rays between two triangles meet one of them. */
const SLACK = 1e-5;

/** Phong tessellation (Boubekeur and Alexa 2008): this far from the triangle to the tangent planes of its corners. */
const ROUNDING = 0.75;

function hitAt(
  positions: Float32Array,
  normals: Float32Array,
  vertices: readonly [number, number, number],
  weights: Vec3,
): Omit<Hit, 'distance'> {
  const mix = (of: Float32Array, k: number): number =>
    weights[0] * of[3 * vertices[0] + k] +
    weights[1] * of[3 * vertices[1] + k] +
    weights[2] * of[3 * vertices[2] + k];
  const flat: Vec3 = [mix(positions, 0), mix(positions, 1), mix(positions, 2)];
  let place: Vec3 = flat;
  for (let j = 0; j < 3; j++) {
    const n = 3 * vertices[j];
    const normal: Vec3 = [normals[n], normals[n + 1], normals[n + 2]];
    const corner: Vec3 = [positions[n], positions[n + 1], positions[n + 2]];
    place = along(place, -ROUNDING * weights[j] * (dot(flat, normal) - dot(corner, normal)), normal);
  }
  return {
    anchor: { vertices, weights },
    place,
    normal: normalised([mix(normals, 0), mix(normals, 1), mix(normals, 2)]),
  };
}

const rowOf = (y: number): number =>
  Math.min(
    ROWS - 1,
    Math.max(0, Math.floor((Math.asin(Math.min(1, Math.max(-1, y))) / Math.PI + 0.5) * ROWS)),
  );
const columnOf = (azimuth: number): number => Math.floor((azimuth / (2 * Math.PI)) * COLUMNS + 0.5 * COLUMNS);

function bucketAt(x: number, y: number, z: number): number {
  return rowOf(y) * COLUMNS + Math.min(COLUMNS - 1, columnOf(Math.atan2(x, z)));
}

/** For each part of the sphere the triangles whose cone about the centre touches it. */
function bucketsOf(positions: Float32Array, triangles: Uint32Array): number[][] {
  const buckets: number[][] = Array.from({ length: ROWS * COLUMNS }, () => []);
  const corner = (v: number): Vec3 =>
    normalised([
      positions[3 * v] - SKULL_CENTRE[0],
      positions[3 * v + 1] - SKULL_CENTRE[1],
      positions[3 * v + 2] - SKULL_CENTRE[2],
    ]);
  for (let t = 0; t < triangles.length; t += 3) {
    // The shoulders are never asked for.
    if (positions[3 * triangles[t] + 1] < LOWEST) continue;
    const [a, b, c] = [corner(triangles[t]), corner(triangles[t + 1]), corner(triangles[t + 2])];
    const axis = normalised([a[0] + b[0] + c[0], a[1] + b[1] + c[1], a[2] + b[2] + c[2]]);
    const cosine = Math.min(dot(a, axis), dot(b, axis), dot(c, axis));
    const angle = Math.acos(Math.min(1, cosine)) + 1e-4;
    const elevation = Math.asin(axis[1]);
    const azimuth = Math.atan2(axis[0], axis[2]);
    // How far a circle about the axis reaches round the pole; all the way when the pole is in it.
    const share = Math.sin(angle) / Math.cos(elevation);
    const reach = Math.abs(elevation) + angle >= Math.PI / 2 || share >= 1 ? Math.PI : Math.asin(share);
    const [low, high] = [elevation - angle, elevation + angle].map((e) =>
      rowOf(Math.sin(Math.min(Math.PI / 2, Math.max(-Math.PI / 2, e)))),
    );
    const [left, right] = [columnOf(azimuth - reach), columnOf(azimuth + reach)];
    for (let row = low; row <= high; row++) {
      for (let column = left; column <= Math.min(right, left + COLUMNS - 1); column++)
        buckets[row * COLUMNS + ((column + COLUMNS) % COLUMNS)].push(t);
    }
  }
  return buckets;
}

/** Metres above the neck joint. */
const LOWEST = -0.02;

export function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function normalised(v: Vec3): Vec3 {
  const length = Math.sqrt(dot(v, v)) || 1;
  return [v[0] / length, v[1] / length, v[2] / length];
}

export function cross(a: Vec3, b: Vec3): Vec3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** a + s b */
export function along(a: Vec3, s: number, b: Vec3): Vec3 {
  return [a[0] + s * b[0], a[1] + s * b[1], a[2] + s * b[2]];
}
