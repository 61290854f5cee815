/**
 * Nearest faces by trying all: the definition that every faster search is held to (spec page 3.5).
 *
 * Most points are nearest to a corner or an edge, where several faces are equally near, and each carries the
 * point with its own frame. So the rule is: the lowest number among all faces whose squared distance is
 * within {@link TIE} (relative) of the smallest.
 */

/** Relative difference of squared distances that counts as equal. */
export const TIE = 1e-6;

/** Squared distances below this are zero: (1e-8 m)^2, below the rounding of coordinates. */
export const ZERO = 1e-16;

/** Squared distance from p to the triangle a b c; the arrays hold xyz at the offsets.
 *
 * Edges and corners are evaluated from `a`, `b`, `c` in the order given: pass corners sorted by vertex number
 * and faces that share an edge get bit-equal distances to it.
 */
export function squaredDistance(
  px: number,
  py: number,
  pz: number,
  corners: ArrayLike<number>,
  a: number,
  b: number,
  c: number,
): number {
  const [ax, ay, az] = [px - corners[a], py - corners[a + 1], pz - corners[a + 2]];
  const [bx, by, bz] = [px - corners[b], py - corners[b + 1], pz - corners[b + 2]];
  const ux = corners[b] - corners[a];
  const uy = corners[b + 1] - corners[a + 1];
  const uz = corners[b + 2] - corners[a + 2];
  const vx = corners[c] - corners[a];
  const vy = corners[c + 1] - corners[a + 1];
  const vz = corners[c + 2] - corners[a + 2];
  const nx = uy * vz - uz * vy;
  const ny = uz * vx - ux * vz;
  const nz = ux * vy - uy * vx;
  const nn = nx * nx + ny * ny + nz * nz;
  // Barycentric coordinates of the foot: (a x v) . n and (u x a) . n over n . n.
  const s = (ay * vz - az * vy) * nx + (az * vx - ax * vz) * ny + (ax * vy - ay * vx) * nz;
  const t = (uy * az - uz * ay) * nx + (uz * ax - ux * az) * ny + (ux * ay - uy * ax) * nz;
  if (s >= 0 && t >= 0 && s + t <= nn) {
    const h = ax * nx + ay * ny + az * nz;
    return (h * h) / nn;
  }
  const wx = corners[c] - corners[b];
  const wy = corners[c + 1] - corners[b + 1];
  const wz = corners[c + 2] - corners[b + 2];
  return Math.min(
    toSegment(ax, ay, az, ux, uy, uz),
    toSegment(ax, ay, az, vx, vy, vz),
    toSegment(bx, by, bz, wx, wy, wz),
  );
}

/** Squared distance to a segment, both relative to its start. */
function toSegment(px: number, py: number, pz: number, ex: number, ey: number, ez: number): number {
  const ee = ex * ex + ey * ey + ez * ez;
  const along = ee === 0 ? 0 : (px * ex + py * ey + pz * ez) / ee;
  const u = Math.min(Math.max(along, 0), 1);
  const dx = px - u * ex;
  const dy = py - u * ey;
  const dz = pz - u * ez;
  return dx * dx + dy * dy + dz * dz;
}

/** What a search answers for each point. */
export interface NearestFaces {
  /** [P] squared distances, Infinity where no face is within the radius. */
  readonly sqdist: Float32Array;
  /** [P] numbers in the list of faces, -1 where no face is within the radius. */
  readonly face: Int32Array;
}

/** Nearest faces of points [P, 3] on a mesh, trying all faces.
 *
 * @param radius points at this distance or farther have no answer
 */
export function nearestFacesPlain(
  vertices: ArrayLike<number>,
  faces: Int32Array,
  points: ArrayLike<number>,
  radius: number = Number.POSITIVE_INFINITY,
): NearestFaces {
  const count = points.length / 3;
  const faceCount = faces.length / 3;
  const corners = sortedCorners(faces);
  const distances = new Float64Array(faceCount);
  const sqdist = new Float32Array(count).fill(Number.POSITIVE_INFINITY);
  const face = new Int32Array(count).fill(-1);
  for (let i = 0; i < count; i++) {
    const [x, y, z] = [points[3 * i], points[3 * i + 1], points[3 * i + 2]];
    let best = Number.POSITIVE_INFINITY;
    for (let f = 0; f < faceCount; f++) {
      const [a, b, c] = [3 * corners[3 * f], 3 * corners[3 * f + 1], 3 * corners[3 * f + 2]];
      distances[f] = squaredDistance(x, y, z, vertices, a, b, c);
      if (distances[f] < best) best = distances[f];
    }
    if (!(Math.sqrt(best) < radius)) continue;
    sqdist[i] = best;
    face[i] = distances.findIndex((d) => d <= best * (1 + TIE) + ZERO);
  }
  return { sqdist, face };
}

/** The corners of each face in ascending order of vertex number. */
export function sortedCorners(faces: Int32Array): Int32Array {
  const out = Int32Array.from(faces);
  for (let f = 0; f < out.length; f += 3) out.subarray(f, f + 3).sort();
  return out;
}
