/**
 * Skin that would show through a garment is moved under it, and hair that would sink into a garment lies on it.
 *
 * Which garment vertices can be near a vertex is found once, on the undeformed base; at the garment's open edges
 * (collar, sleeves) nothing moves.
 */

import type { MeshTemplate } from './mesh-template.ts';

/** Candidates of a vertex. */
const CANDIDATES = 6;
/** Decimetres on the undeformed base. */
const REACH = 0.6;
/** To a cell of this side and to its neighbours. */
const STEPS = [-REACH, 0, REACH].flatMap((x) =>
  [-REACH, 0, REACH].flatMap((y) => [-REACH, 0, REACH].map((z) => [x, y, z] as const)),
);

/** The number of a cell; nothing of a person is further away than this allows. */
function cellOf(x: number, y: number, z: number): number {
  return (
    (Math.floor(x / REACH) + 64) * 16384 + (Math.floor(y / REACH) + 64) * 128 + Math.floor(z / REACH) + 64
  );
}

export interface Neighbours {
  /** Vertices that may have to move. */
  readonly vertices: Uint32Array;
  /** [vertices, CANDIDATES] garment vertices */
  readonly near: Uint32Array;
  /** [garment vertices] 1 on an open edge */
  readonly edge: Uint8Array;
}

/** Finds what can be near a garment.
 *
 * @param vertices  of `positions` that matter
 * @param positions [V, 3] decimetres, undeformed, as `cloth` is
 */
export function neighboursOf(
  vertices: Iterable<number>,
  positions: Float32Array,
  cloth: Float32Array,
  template: MeshTemplate,
): Neighbours {
  const cells = new Map<number, number[]>();
  for (let g = 0; g < template.vertexCount; g++) {
    const key = cellOf(cloth[3 * g], cloth[3 * g + 1], cloth[3 * g + 2]);
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, [g]);
    else cell.push(g);
  }
  const [moving, near]: number[][] = [[], []];
  for (const v of vertices) {
    const at = positions.subarray(3 * v, 3 * v + 3);
    const found: [distance: number, vertex: number][] = [];
    for (const step of STEPS) {
      for (const g of cells.get(cellOf(at[0] + step[0], at[1] + step[1], at[2] + step[2])) ?? []) {
        const x = at[0] - cloth[3 * g];
        const y = at[1] - cloth[3 * g + 1];
        const z = at[2] - cloth[3 * g + 2];
        const distance = x * x + y * y + z * z;
        if (distance < REACH * REACH) found.push([distance, g]);
      }
    }
    if (found.length === 0) continue;
    found.sort((p, q) => p[0] - q[0] || p[1] - q[1]);
    moving.push(v);
    for (let i = 0; i < CANDIDATES; i++) near.push(found[Math.min(i, found.length - 1)][1]);
  }
  return { vertices: Uint32Array.from(moving), near: Uint32Array.from(near), edge: openEdges(template) };
}

/** Vertices of edges that belong to one triangle only. */
function openEdges({ triangles, vertexCount }: MeshTemplate): Uint8Array {
  const uses = new Map<number, number>();
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [a, b] = [triangles[t + k], triangles[t + ((k + 1) % 3)]];
      const key = Math.min(a, b) * vertexCount + Math.max(a, b);
      uses.set(key, (uses.get(key) ?? 0) + 1);
    }
  }
  const edge = new Uint8Array(vertexCount);
  for (const [key, count] of uses) {
    if (count > 1) continue;
    edge[Math.floor(key / vertexCount)] = 1;
    edge[key % vertexCount] = 1;
  }
  return edge;
}

/** A mesh at rest, metres. */
interface Surface {
  readonly positions: Float32Array;
  readonly normals: Float32Array;
}

/** Metres: how near a garment must be, how deep skin goes, how far it may have been outside. */
const NEAR = 0.03;
const DEPTH = 0.004;
const OUTSIDE = 0.025;
/** Cosine between the normals. */
const ALIKE = 0.6;

/** Moves skin under a garment, in place. */
export function tuckSkin(neighbours: Neighbours, skin: Surface, cloth: Surface): void {
  forNearest(neighbours, skin.positions, cloth, NEAR, (v, n, out) => {
    const { normals } = skin;
    const facing = n[0] * normals[v] + n[1] * normals[v + 1] + n[2] * normals[v + 2];
    return facing >= ALIKE && out > -DEPTH && out < OUTSIDE ? -DEPTH : undefined;
  });
}

/** Metres: how far hair lies on a garment, how deep it may have been inside. */
const ON = 0.006;
const INSIDE = -0.05;

/** Moves hair onto a garment, in place. */
export function layHair(neighbours: Neighbours, hair: Surface, cloth: Surface): void {
  forNearest(neighbours, hair.positions, cloth, -INSIDE, (_, __, out) => {
    return out < ON && out > INSIDE ? ON : undefined;
  });
}

/** Moves vertices to a height over the nearest place of a garment.
 *
 * @param target the height that a vertex should have, given its own: at 3 v, the garment's normal, height now
 */
function forNearest(
  { vertices, near, edge }: Neighbours,
  positions: Float32Array,
  cloth: Surface,
  reach: number,
  target: (v: number, normal: Float32Array, out: number) => number | undefined,
): void {
  for (let i = 0; i < vertices.length; i++) {
    const v = 3 * vertices[i];
    let [best, nearest] = [-1, reach * reach];
    for (let k = CANDIDATES * i; k < CANDIDATES * (i + 1); k++) {
      const g = 3 * near[k];
      const x = positions[v] - cloth.positions[g];
      const y = positions[v + 1] - cloth.positions[g + 1];
      const z = positions[v + 2] - cloth.positions[g + 2];
      const distance = x * x + y * y + z * z;
      if (distance < nearest) [best, nearest] = [near[k], distance];
    }
    if (best < 0 || edge[best] === 1) continue;
    const g = 3 * best;
    const n = cloth.normals.subarray(g, g + 3);
    let out = 0;
    for (let k = 0; k < 3; k++) out += (positions[v + k] - cloth.positions[g + k]) * n[k];
    const height = target(v, n, out);
    if (height === undefined) continue;
    for (let k = 0; k < 3; k++) positions[v + k] += (height - out) * n[k];
  }
}
