/** Frames of faces and the rigid motion between two bodies' frames, in plain code (spec page 3.4). */

const from = new Float64Array(9);
const to = new Float64Array(9);

/** Axes of the frame of a triangle as 9 numbers: first edge, normal, their cross product, each of length 1. */
function frame(v: Float32Array, a: number, b: number, c: number, axes: Float64Array): void {
  const [ux, uy, uz] = [v[b] - v[a], v[b + 1] - v[a + 1], v[b + 2] - v[a + 2]];
  const [wx, wy, wz] = [v[c] - v[a], v[c + 1] - v[a + 1], v[c + 2] - v[a + 2]];
  const [nx, ny, nz] = [uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx];
  const length = Math.sqrt(ux * ux + uy * uy + uz * uz);
  const area = Math.sqrt(nx * nx + ny * ny + nz * nz);
  axes[0] = ux / length;
  axes[1] = uy / length;
  axes[2] = uz / length;
  axes[3] = nx / area;
  axes[4] = ny / area;
  axes[5] = nz / area;
  axes[6] = axes[1] * axes[5] - axes[2] * axes[4];
  axes[7] = axes[2] * axes[3] - axes[0] * axes[5];
  axes[8] = axes[0] * axes[4] - axes[1] * axes[3];
}

/** Writes the motion that carries points with a face from one body to the other: columns of R, then t. */
export function writeFaceMap(
  posed: Float32Array,
  canonical: Float32Array,
  faces: Int32Array,
  face: number,
  out: Float32Array,
  at: number,
): void {
  const [a, b, c] = [3 * faces[3 * face], 3 * faces[3 * face + 1], 3 * faces[3 * face + 2]];
  frame(posed, a, b, c, from);
  frame(canonical, a, b, c, to);
  for (let row = 0; row < 3; row++) {
    let shift = canonical[a + row];
    for (let column = 0; column < 3; column++) {
      const entry = to[row] * from[column] + to[3 + row] * from[3 + column] + to[6 + row] * from[6 + column];
      out[at + 3 * column + row] = entry;
      shift -= entry * posed[a + column];
    }
    out[at + 9 + row] = shift;
  }
}
