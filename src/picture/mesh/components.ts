/** Parts of a mesh that hang together. */

import { compactMesh, crossOfTriangle, type Mesh } from './mesh.ts';

/** The parts of a mesh. */
export interface Components {
  readonly parts: number;
  /** The part that encloses most: an outer surface comes before the walls of hollows in it, which enclose less
   * than nothing, and before what floats around it. */
  readonly largest: () => Mesh;
}

/** Finds the parts of a mesh that hang together. */
export function components(mesh: Mesh): Components {
  const { positions, indices } = mesh;
  const root = componentRoots(mesh);
  const volumes = new Map<number, number>();
  for (let f = 0; f < indices.length; f += 3) {
    const [a, b, c] = [indices[f] * 3, indices[f + 1] * 3, indices[f + 2] * 3];
    const [nx, ny, nz] = crossOfTriangle(positions, a, b, c);
    const volume = positions[a] * nx + positions[a + 1] * ny + positions[a + 2] * nz;
    volumes.set(root[indices[f]], (volumes.get(root[indices[f]]) ?? 0) + volume);
  }
  return {
    parts: volumes.size,
    largest() {
      if (volumes.size <= 1) return mesh;
      const [most] = [...volumes].reduce((best, entry) => (entry[1] > best[1] ? entry : best));
      return compactMesh({ positions, indices: indices.filter((_, i) => root[indices[i]] === most) });
    },
  };
}

/** For each vertex the lowest vertex it hangs together with. */
export function componentRoots({ positions, indices }: Mesh): Uint32Array {
  const parent = Uint32Array.from({ length: positions.length / 3 }, (_, v) => v);
  const find = (v: number): number => {
    let at = v;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]];
      at = parent[at];
    }
    return at;
  };
  for (let f = 0; f < indices.length; f += 3) {
    const a = find(indices[f]);
    for (let k = 1; k < 3; k++) {
      const [low, b] = [find(a), find(indices[f + k])];
      if (low !== b) parent[Math.max(low, b)] = Math.min(low, b);
    }
  }
  return parent.map((_, v) => find(v));
}
