/**
 * What never changes about a mesh of the asset package: its triangles, its texture coordinates, and how strongly
 * each vertex follows the joints that we turn. Made once, used by every identity.
 */

import type { Assets, ProxyMesh } from './assets.ts';

/** Groups of bones that turn together, in the order of {@link MeshTemplate.follow}. */
export const FOLLOW_GROUPS = [
  'clavicle.L',
  'shoulder.L',
  'arm.L',
  'clavicle.R',
  'shoulder.R',
  'arm.R',
  'neck',
  'head',
] as const;
export const GROUPS = FOLLOW_GROUPS.length;
export const NECK = 6;
export const HEAD = 7;

export interface MeshTemplate {
  /** Vertices as geometry; texture seams do not count. */
  readonly vertexCount: number;
  /** [T, 3] geometric vertices, counter-clockwise from outside */
  readonly triangles: Uint32Array;
  /** [S] the geometric vertex of each corner with a texture coordinate of its own */
  readonly cornerVertex: Uint32Array;
  /** [S, 2] u to the right, v down */
  readonly uvs: Float32Array;
  /** [T, 3] corners */
  readonly indices: Uint32Array;
  /** [V, 8] how much a vertex follows each group; what remains to 1 stays still */
  readonly follow: Float32Array;
}

/** Bones that follow neck and head: the same shares as in the body that ships (`tools/make-body.ts`). */
const NECK_SHARES: Readonly<Record<string, readonly [neck: number, head: number]>> = {
  neck01: [1, 0],
  neck02: [1, 0],
  neck03: [0.5, 0.5],
};
const ARM_BONES: Readonly<Record<string, number>> = {
  'clavicle.L': 0,
  'shoulder01.L': 1,
  'upperarm01.L': 2,
  'upperarm02.L': 2,
  'lowerarm01.L': 2,
  'clavicle.R': 3,
  'shoulder01.R': 4,
  'upperarm01.R': 5,
  'upperarm02.R': 5,
  'lowerarm01.R': 5,
};

/** [V, 8] of the base mesh. */
export function baseFollow({ base, bones, boneIndex, boneWeight }: Assets): Float32Array {
  const head = bones.findIndex(({ name }) => name === 'head');
  const shares = bones.map(({ name }, number) => {
    const share = new Float32Array(GROUPS);
    if (name in ARM_BONES) share[ARM_BONES[name]] = 1;
    else if (name in NECK_SHARES) [share[NECK], share[HEAD]] = NECK_SHARES[name];
    else for (let b = number; b >= 0; b = bones[b].parent) if (b === head) share[HEAD] = 1;
    return share;
  });
  const follow = new Float32Array(base.vertexCount * GROUPS);
  for (let v = 0; v < base.vertexCount; v++) {
    for (let i = 8 * v; i < 8 * v + 8; i++) {
      const weight = boneWeight[i] / 65535;
      if (weight > 0)
        for (let g = 0; g < GROUPS; g++) follow[GROUPS * v + g] += weight * shares[boneIndex[i]][g];
    }
  }
  return follow;
}

/** The base mesh, or those quads of it that `keep` names. */
export function baseTemplate(
  { base }: Assets,
  follow: Float32Array,
  keep: (quad: number) => boolean,
): MeshTemplate {
  const pick = picker(base.quadGroup.length, keep);
  return template(base.vertexCount, pick(base.quads), pick(base.quadUvs), base.uvs, follow);
}

/** A proxy, or those quads of it that `keep` names; its vertices follow as the base vertices that carry them do. */
export function proxyTemplate(
  proxy: ProxyMesh,
  base: Float32Array,
  keep: (quad: number) => boolean = () => true,
): MeshTemplate {
  const { vertexCount, refs, weights } = proxy;
  const follow = new Float32Array(vertexCount * GROUPS);
  for (let v = 0; v < vertexCount; v++) {
    const shares = [0, 1, 2].map((j) => Math.max(0, weights[3 * v + j]));
    const sum = shares[0] + shares[1] + shares[2];
    for (let j = 0; j < 3; j++) {
      for (let g = 0; g < GROUPS; g++)
        follow[GROUPS * v + g] += (shares[j] / sum) * base[GROUPS * refs[3 * v + j] + g];
    }
  }
  const pick = picker(proxy.quads.length / 4, keep);
  return template(vertexCount, pick(proxy.quads), pick(proxy.quadUvs), proxy.uvs, follow);
}

/** Takes the corners of some quads out of an array of all. */
function picker(count: number, keep: (quad: number) => boolean): (from: ArrayLike<number>) => number[] {
  const kept = Array.from({ length: count }, (_, quad) => quad).filter(keep);
  return (from) => kept.flatMap((quad) => [0, 1, 2, 3].map((k) => from[4 * quad + k]));
}

/** Quads to triangles; each pair of vertex and texture coordinate becomes one corner. */
export function template(
  vertexCount: number,
  quads: ArrayLike<number>,
  quadUvs: ArrayLike<number>,
  uvs: ArrayLike<number>,
  follow: Float32Array,
): MeshTemplate {
  const corners = new Map<number, number>();
  const [cornerVertex, cornerUvs, triangles, indices]: number[][] = [[], [], [], []];
  const corner = (at: number): number => {
    const key = quads[at] * 65536 + quadUvs[at];
    let number = corners.get(key);
    if (number === undefined) {
      number = cornerVertex.length;
      corners.set(key, number);
      cornerVertex.push(quads[at]);
      cornerUvs.push(uvs[2 * quadUvs[at]], uvs[2 * quadUvs[at] + 1]);
    }
    return number;
  };
  for (let q = 0; q < quads.length; q += 4) {
    const halves =
      quads[q + 3] === quads[q]
        ? [[0, 1, 2]]
        : [
            [0, 1, 2],
            [0, 2, 3],
          ]; // prettier-ignore
    for (const half of halves) {
      for (const k of half) {
        triangles.push(quads[q + k]);
        indices.push(corner(q + k));
      }
    }
  }
  return {
    vertexCount,
    triangles: Uint32Array.from(triangles),
    cornerVertex: Uint32Array.from(cornerVertex),
    uvs: Float32Array.from(cornerUvs),
    indices: Uint32Array.from(indices),
    follow,
  };
}
