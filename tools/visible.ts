/** Which triangles of a mesh can be seen from outside: the insides of mouths and nostrils cannot. */

/** Pixels a side of the depth pictures. */
const SIDE = 900;
/** How far behind the nearest surface still counts as seen, metres. */
const SLACK = 0.0015;

/** 1 for every triangle that faces some direction from which one of its corners or its centre is in sight.
 *
 * @param directions unit vectors towards the eye
 */
export function visibleFaces(
  vertices: ArrayLike<number>,
  faces: Int32Array,
  directions: readonly (readonly number[])[],
): Uint8Array {
  const seen = new Uint8Array(faces.length / 3);
  let reach = 0;
  for (let i = 0; i < vertices.length; i++) reach = Math.max(reach, Math.abs(vertices[i]));
  const scale = SIDE / (2 * 1.8 * reach);
  const count = vertices.length / 3;
  const flat = new Float64Array(3 * count);
  for (const w of directions) {
    const u = Math.abs(w[1]) > 0.9 ? unit(cross([1, 0, 0], w)) : unit(cross([0, 1, 0], w));
    const v = cross(w, u);
    for (let i = 0; i < count; i++) {
      const p = [vertices[3 * i], vertices[3 * i + 1], vertices[3 * i + 2]];
      flat.set([SIDE / 2 + scale * dot(p, u), SIDE / 2 + scale * dot(p, v), dot(p, w)], 3 * i);
    }
    const depth = new Float64Array(SIDE * SIDE).fill(Number.NEGATIVE_INFINITY);
    for (let f = 0; f < seen.length; f++) draw(depth, flat, faces, f);
    const inSight = (x: number, y: number, z: number): boolean =>
      z >= depth[Math.floor(y) * SIDE + Math.floor(x)] - SLACK;
    for (let f = 0; f < seen.length; f++) {
      if (seen[f]) continue;
      const c = [0, 1, 2].map((k) => flat.subarray(3 * faces[3 * f + k], 3 * faces[3 * f + k] + 3));
      const turn = (c[1][0] - c[0][0]) * (c[2][1] - c[0][1]) - (c[1][1] - c[0][1]) * (c[2][0] - c[0][0]);
      if (turn <= 0) continue;
      const [x, y, z] = [0, 1, 2].map((k) => (c[0][k] + c[1][k] + c[2][k]) / 3);
      if (inSight(x, y, z)) seen[f] = 1;
    }
  }
  return seen;
}

/** Draws a triangle into a depth picture; larger is nearer. */
function draw(depth: Float64Array, flat: Float64Array, faces: Int32Array, f: number): void {
  const [a, b, c] = [0, 1, 2].map((k) => flat.subarray(3 * faces[3 * f + k], 3 * faces[3 * f + k] + 3));
  const area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
  if (area === 0) return;
  const low = (k: number): number => Math.max(0, Math.floor(Math.min(a[k], b[k], c[k])));
  const high = (k: number): number => Math.min(SIDE - 1, Math.ceil(Math.max(a[k], b[k], c[k])));
  for (let y = low(1); y <= high(1); y++) {
    for (let x = low(0); x <= high(0); x++) {
      const [px, py] = [x + 0.5, y + 0.5];
      const s = ((px - a[0]) * (c[1] - a[1]) - (py - a[1]) * (c[0] - a[0])) / area;
      const t = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) / area;
      if (s < 0 || t < 0 || s + t > 1) continue;
      const z = a[2] + s * (b[2] - a[2]) + t * (c[2] - a[2]);
      if (z > depth[y * SIDE + x]) depth[y * SIDE + x] = z;
    }
  }
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function unit(a: readonly number[]): number[] {
  const length = Math.hypot(...a);
  return a.map((value) => value / length);
}
