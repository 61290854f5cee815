/**
 * The surface where a sampled function passes a level, as triangles (Lorensen and Cline 1987).
 *
 * Vertices are shared: one for each cut edge of the grid. The surface is closed wherever it does not leave the
 * grid. Cubes are visited in the order of the samples, so that leaving out cubes that nothing cuts changes
 * nothing in the result.
 */

import { AMBIGUOUS, cubeCase, EDGES, FACES } from './cube-cases.ts';
import type { Mesh } from './mesh.ts';

/** Samples at whole coordinates; the last axis varies fastest. */
export interface SampledGrid {
  readonly shape: readonly [number, number, number];
  readonly values: Float32Array;
  /** Blocks of cubes that something may cut; all of them when left out. */
  readonly blocks?: ActiveBlocks;
}

/** Blocks of `side`^3 cubes; `active` has one entry a block, last axis fastest. */
export interface ActiveBlocks {
  readonly side: number;
  readonly counts: readonly [number, number, number];
  readonly active: Uint8Array;
}

/** A vertex keeps this distance, in grid steps, from the samples at both ends of its edge: no two coincide. */
const MARGIN = 1e-3;

/** Makes the surface between values above `level`, its inside, and others. Coordinates are grid indices. */
export function marchingCubes({ shape, values, blocks }: SampledGrid, level: number): Mesh {
  const [nx, ny, nz] = shape;
  const plane = ny * nz;
  const offsets = [0, 1, 2, 3, 4, 5, 6, 7].map((c) => (c & 1) * plane + ((c >> 1) & 1) * nz + ((c >> 2) & 1));
  const positions = growing(Float32Array);
  const indices = growing(Uint32Array);
  // Vertices on the edges that start in two neighbouring planes of samples, by axis.
  const made = [0, 1].map(() => [0, 1, 2].map(() => new Int32Array(plane).fill(-1)));
  const corner = new Float64Array(8);
  const found = new Int32Array(24);

  const vertexOn = (edge: number, x: number, y: number, z: number): number => {
    const [from, to] = EDGES[edge];
    const axis = edge >> 2;
    const [dx, dy, dz] = [from & 1, (from >> 1) & 1, from >> 2];
    const memory = made[(x + dx) & 1][axis];
    const slot = (y + dy) * nz + z + dz;
    if (memory[slot] >= 0) return memory[slot];
    const t = (level - corner[from]) / (corner[to] - corner[from]);
    const at = Math.min(1 - MARGIN, Math.max(MARGIN, t));
    const vertex = positions.length / 3;
    positions.push(
      x + dx + (axis === 0 ? at : 0),
      y + dy + (axis === 1 ? at : 0),
      z + dz + (axis === 2 ? at : 0),
    );
    memory[slot] = vertex;
    return vertex;
  };

  const cut = (inside: number, x: number, y: number, z: number, sample: number): void => {
    for (let c = 0; c < 8; c++) corner[c] = values[sample + offsets[c]];
    const { triangles, middles } = cubeCase(inside, joinedFaces(AMBIGUOUS[inside], corner, level));
    found.fill(-1);
    middles.forEach((loop, k) => {
      const sum = [0, 0, 0];
      for (const edge of loop) {
        const vertex = vertexOn(edge, x, y, z);
        for (let axis = 0; axis < 3; axis++) sum[axis] += positions.data[vertex * 3 + axis] / loop.length;
      }
      found[12 + k] = positions.length / 3;
      positions.push(sum[0], sum[1], sum[2]);
    });
    for (const edge of triangles) {
      if (found[edge] < 0) found[edge] = vertexOn(edge, x, y, z);
    }
    for (let t = 0; t < triangles.length; t += 3)
      indices.push(found[triangles[t]], found[triangles[t + 1]], found[triangles[t + 2]]);
  };

  const rowOfCubes = (x: number, y: number, from: number, to: number): void => {
    let sample = x * plane + y * nz + from;
    const four = (s: number): number =>
      (values[s] > level ? 1 : 0) |
      (values[s + plane] > level ? 2 : 0) |
      (values[s + nz] > level ? 4 : 0) |
      (values[s + plane + nz] > level ? 8 : 0);
    let low = four(sample);
    for (let z = from; z < to; z++, sample++) {
      const high = four(sample + 1);
      const inside = low | (high << 4);
      if (inside !== 0 && inside !== 255) cut(inside, x, y, z, sample);
      low = high;
    }
  };

  for (let x = 0; x < nx - 1; x++) {
    for (const memory of made[(x + 1) & 1]) memory.fill(-1);
    for (let y = 0; y < ny - 1; y++) {
      if (blocks === undefined) {
        rowOfCubes(x, y, 0, nz - 1);
        continue;
      }
      const { side, counts, active } = blocks;
      const row = (Math.floor(x / side) * counts[1] + Math.floor(y / side)) * counts[2];
      for (let b = 0; b < counts[2]; b++) {
        if (active[row + b] !== 0) rowOfCubes(x, y, b * side, Math.min((b + 1) * side, nz - 1));
      }
    }
  }
  return { positions: positions.done(), indices: indices.done() };
}

/** On which of the ambiguous faces inside corners are joined: where the saddle of the bilinear interpolation
 * lies inside. */
function joinedFaces(ambiguous: number, corner: Float64Array, level: number): number {
  let joined = 0;
  for (let f = 0; ambiguous >> f !== 0; f++) {
    if (((ambiguous >> f) & 1) === 0) continue;
    const [a, b, c, d] = FACES[f];
    const even = (corner[a] - level) * (corner[c] - level);
    const odd = (corner[b] - level) * (corner[d] - level);
    if (corner[a] > level ? even > odd : odd > even) joined |= 1 << f;
  }
  return joined;
}

/** A typed array that numbers are appended to. */
function growing<T extends Float32Array | Uint32Array>(kind: new (size: number) => T) {
  let data = new kind(3 << 12);
  let length = 0;
  return {
    get data(): T {
      return data;
    },
    get length(): number {
      return length;
    },
    push(a: number, b: number, c: number): void {
      if (length + 3 > data.length) {
        const larger = new kind(data.length * 2);
        larger.set(data);
        data = larger;
      }
      data[length++] = a;
      data[length++] = b;
      data[length++] = c;
    },
    done: (): T => data.slice(0, length) as T,
  };
}
