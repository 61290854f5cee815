/**
 * Skin that would show through a garment is moved under it.
 *
 * A vertex of visible skin near a garment, facing as it does, goes a little behind the garment's surface; at the
 * garment's open edges (collar, sleeves) nothing moves. Which garment vertices can be near is found once.
 */

import type { Assets, ProxyMesh } from './assets.ts';
import type { MeshTemplate } from './mesh-template.ts';
import { fitted, morph } from './morph.ts';

/** Candidates of a vertex. */
const CANDIDATES = 6;
/** Decimetres on the undeformed base. */
const REACH = 1;

export interface Tuck {
  /** Skin vertices that may have to move. */
  readonly skin: Uint32Array;
  /** [skin, CANDIDATES] garment vertices */
  readonly near: Uint32Array;
  /** [garment vertices] 1 on an open edge */
  readonly edge: Uint8Array;
}

/** Prepares a garment. @param under the skin that it leaves visible */
export function tuckOf(
  assets: Assets,
  garment: ProxyMesh,
  template: MeshTemplate,
  under: MeshTemplate,
): Tuck {
  const base = morph(assets, new Map());
  const cloth = fitted(garment, base);
  const visible = new Set(under.triangles);
  const [skin, near]: number[][] = [[], []];
  for (const v of visible) {
    const found: [distance: number, vertex: number][] = [];
    for (let g = 0; g < garment.vertexCount; g++) {
      const x = base[3 * v] - cloth[3 * g];
      const y = base[3 * v + 1] - cloth[3 * g + 1];
      const z = base[3 * v + 2] - cloth[3 * g + 2];
      const distance = x * x + y * y + z * z;
      if (distance < REACH * REACH) found.push([distance, g]);
    }
    if (found.length === 0) continue;
    found.sort((a, b) => a[0] - b[0]);
    skin.push(v);
    for (let i = 0; i < CANDIDATES; i++) near.push(found[Math.min(i, found.length - 1)][1]);
  }
  return { skin: Uint32Array.from(skin), near: Uint32Array.from(near), edge: openEdges(template) };
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

/** Metres: how near a garment must be, how deep the skin goes, how far it may have been outside. */
const NEAR = 0.03;
const DEPTH = 0.004;
const OUTSIDE = 0.025;
/** Cosine between the normals. */
const ALIKE = 0.6;

/** Moves skin under a garment, in place; both at rest, metres. */
export function tuck(
  { skin, near, edge }: Tuck,
  positions: Float32Array,
  normals: Float32Array,
  cloth: { readonly positions: Float32Array; readonly normals: Float32Array },
): void {
  for (let i = 0; i < skin.length; i++) {
    const v = 3 * skin[i];
    let [best, nearest] = [-1, NEAR * NEAR];
    for (let k = CANDIDATES * i; k < CANDIDATES * (i + 1); k++) {
      const g = 3 * near[k];
      const [x, y, z] = [
        positions[v] - cloth.positions[g],
        positions[v + 1] - cloth.positions[g + 1],
        positions[v + 2] - cloth.positions[g + 2],
      ];
      const distance = x * x + y * y + z * z;
      if (distance < nearest) [best, nearest] = [near[k], distance];
    }
    if (best < 0 || edge[best] === 1) continue;
    const g = 3 * best;
    const n = cloth.normals.subarray(g, g + 3);
    const facing = n[0] * normals[v] + n[1] * normals[v + 1] + n[2] * normals[v + 2];
    if (facing < ALIKE) continue;
    let out = 0;
    for (let k = 0; k < 3; k++) out += (positions[v + k] - cloth.positions[g + k]) * n[k];
    if (out <= -DEPTH || out >= OUTSIDE) continue;
    for (let k = 0; k < 3; k++) positions[v + k] -= (out + DEPTH) * n[k];
  }
}
