/** Triangle meshes in memory, and what can be measured on them. */

/** Triangles over shared vertices. */
export interface Mesh {
  /** [V, 3], x y z a vertex */
  readonly positions: Float32Array;
  /** [F, 3], counter-clockwise seen from outside */
  readonly indices: Uint32Array;
}

/** What belongs to the vertices of a mesh and goes into a file with it. */
export interface MeshAttributes {
  /** [V, 3], unit length */
  readonly normals?: Float32Array;
  /** [V, 3], sRGB bytes */
  readonly colours?: Uint8Array;
}

/** What a mesh measures. */
export interface MeshMeasures {
  readonly vertices: number;
  readonly faces: number;
  readonly area: number;
  /** Positive when triangles are counter-clockwise seen from outside. */
  readonly volume: number;
  /** V - E + F: 2 for each closed surface without handles, 2 less for each handle. */
  readonly euler: number;
  /** Edges that do not lie between exactly two triangles that run through them in opposite directions. */
  readonly openEdges: number;
}

/** Smallest and largest corner of the box round all vertices. */
export function boundsOf(positions: Float32Array): { readonly min: number[]; readonly max: number[] } {
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < positions.length; i++) {
    const axis = i % 3;
    if (positions[i] < min[axis]) min[axis] = positions[i];
    if (positions[i] > max[axis]) max[axis] = positions[i];
  }
  return { min, max };
}

/** Measures area, volume and topology. */
export function measureMesh({ positions, indices }: Mesh): MeshMeasures {
  let [area, volume] = [0, 0];
  for (let f = 0; f < indices.length; f += 3) {
    const [a, b, c] = [indices[f] * 3, indices[f + 1] * 3, indices[f + 2] * 3];
    const [nx, ny, nz] = crossOfTriangle(positions, a, b, c);
    area += Math.hypot(nx, ny, nz) / 2;
    volume += (positions[a] * nx + positions[a + 1] * ny + positions[a + 2] * nz) / 6;
  }
  const { edges, openEdges } = edgesOf(indices);
  const [vertices, faces] = [positions.length / 3, indices.length / 3];
  return { vertices, faces, area, volume, euler: vertices - edges + faces, openEdges };
}

/** Twice the area of a triangle along its normal; a, b and c are offsets into `positions`. */
export function crossOfTriangle(
  p: Float32Array,
  a: number,
  b: number,
  c: number,
): readonly [number, number, number] {
  const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
  const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
  return [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
}

function edgesOf(indices: Uint32Array): { edges: number; openEdges: number } {
  // Per undirected edge: how often it is run through upwards and downwards.
  const runs = new Map<number, number>();
  const STEP = 2 ** 26;
  for (let f = 0; f < indices.length; f += 3) {
    for (let k = 0; k < 3; k++) {
      const [from, to] = [indices[f + k], indices[f + ((k + 1) % 3)]];
      const key = Math.min(from, to) * STEP + Math.max(from, to);
      runs.set(key, (runs.get(key) ?? 0) + (from < to ? 1 : 1000));
    }
  }
  let openEdges = 0;
  for (const count of runs.values()) if (count !== 1001) openEdges++;
  return { edges: runs.size, openEdges };
}

/** Unit normals of vertices: the mean over their triangles, weighted by area. */
export function vertexNormals({ positions, indices }: Mesh): Float32Array {
  const normals = new Float32Array(positions.length);
  for (let f = 0; f < indices.length; f += 3) {
    const corners = [indices[f] * 3, indices[f + 1] * 3, indices[f + 2] * 3];
    const [nx, ny, nz] = crossOfTriangle(positions, corners[0], corners[1], corners[2]);
    for (const corner of corners) {
      normals[corner] += nx;
      normals[corner + 1] += ny;
      normals[corner + 2] += nz;
    }
  }
  for (let v = 0; v < normals.length; v += 3) {
    const length = Math.hypot(normals[v], normals[v + 1], normals[v + 2]);
    if (length > 0) for (let k = 0; k < 3; k++) normals[v + k] /= length;
    // A vertex of degenerate triangles only; formats ask for unit length.
    else normals[v + 1] = 1;
  }
  return normals;
}

/** The mesh without vertices that no triangle uses. */
export function compactMesh({ positions, indices }: Mesh): Mesh {
  const renamed = new Int32Array(positions.length / 3).fill(-1);
  let count = 0;
  for (const v of indices) if (renamed[v] < 0) renamed[v] = count++;
  const kept = new Float32Array(count * 3);
  for (let v = 0; v < renamed.length; v++) {
    if (renamed[v] >= 0) kept.set(positions.subarray(v * 3, v * 3 + 3), renamed[v] * 3);
  }
  return { positions: kept, indices: indices.map((v) => renamed[v]) };
}

/** The mesh with the corners of each triangle in the other order. */
export function flippedMesh({ positions, indices }: Mesh): Mesh {
  const flipped = indices.slice();
  for (let f = 0; f < flipped.length; f += 3)
    [flipped[f + 1], flipped[f + 2]] = [flipped[f + 2], flipped[f + 1]];
  return { positions, indices: flipped };
}
