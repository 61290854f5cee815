/** Writes a made mesh down as one that is fitted to the base: who carries each vertex, and how far off it lies. */

import type { ProxyMesh } from '../assets.ts';
import type { Neutral, Vec3 } from './neutral.ts';

/** A point of the base: base vertices and their shares, which add up to 1. */
export interface Anchor {
  readonly vertices: readonly [number, number, number];
  readonly weights: Vec3;
}

export interface Builder {
  /** Adds a vertex at a place of the neutral (metres); returns its number. */
  vertex(place: Vec3, anchor: Anchor, colour?: readonly [number, number, number, number]): number;
  /** Adds a texture coordinate; returns its number. */
  uv(u: number, v: number): number;
  /** Adds a quad, counter-clockwise from outside; a triangle repeats its first corner. */
  quad(vertices: readonly number[], uvs: readonly number[]): void;
  vertexCount(): number;
  build(name: string, category: ProxyMesh['category']): { proxy: ProxyMesh; colours: Float32Array };
}

/** Base vertices whose distance along x, y, z scales what lies off the surface: the asset package's own for heads. */
const SCALE_VERTICES = [
  [2731, 5709],
  [791, 881],
  [962, 2652],
] as const;

/** The anchor of one base vertex. */
export function onVertex(vertex: number): Anchor {
  return { vertices: [vertex, vertex, vertex], weights: [1, 0, 0] };
}

/** Where an anchor is on the neutral, metres. */
export function anchorAt({ positions }: Neutral, { vertices, weights }: Anchor): Vec3 {
  const at = (k: number): number =>
    weights[0] * positions[3 * vertices[0] + k] +
    weights[1] * positions[3 * vertices[1] + k] +
    weights[2] * positions[3 * vertices[2] + k];
  return [at(0), at(1), at(2)];
}

/** Starts a mesh. */
export function builderOf(neutral: Neutral): Builder {
  const { raw, positions, unit } = neutral;
  const [refs, weights, offsets, uvs, quads, quadUvs, colours]: number[][] = [[], [], [], [], [], [], []];
  return {
    vertex(place, anchor, colour = [1, 1, 1, 1]) {
      const {
        vertices: [a, b, c],
        weights: w,
      } = anchor;
      refs.push(a, b, c);
      weights.push(w[0], w[1], w[2]);
      for (let k = 0; k < 3; k++) {
        const on = w[0] * positions[3 * a + k] + w[1] * positions[3 * b + k] + w[2] * positions[3 * c + k];
        offsets.push((place[k] - on) * unit);
      }
      colours.push(colour[0], colour[1], colour[2], colour[3]);
      return refs.length / 3 - 1;
    },
    uv: (u, v) => uvs.push(u, v) / 2 - 1,
    quad(vertices, corners) {
      for (let k = 0; k < 4; k++) {
        quads.push(vertices[k]);
        quadUvs.push(corners[k]);
      }
    },
    vertexCount: () => refs.length / 3,
    build(name, category) {
      const vertexCount = refs.length / 3;
      if (Math.max(vertexCount, uvs.length / 2) > 65536)
        throw new Error(`internal: the made part "${name}" is too large for 16-bit indices`);
      return {
        proxy: {
          name,
          category,
          tags: [],
          vertexCount,
          quads: new Uint16Array(quads),
          quadUvs: new Uint16Array(quadUvs),
          uvs: new Float32Array(uvs),
          refs: new Uint16Array(refs),
          weights: new Float32Array(weights),
          offsets: new Float32Array(offsets),
          scale: SCALE_VERTICES.map(([a, b], k) => ({
            a,
            b,
            length: Math.abs(raw[3 * a + k] - raw[3 * b + k]),
          })),
          deleteVertices: undefined,
          textures: [],
        },
        colours: new Float32Array(colours),
      };
    },
  };
}

/** The anchor of the vertex of the body's surface that is nearest to a place of the neutral. */
export function nearestAnchor({ positions, triangles }: Neutral, [x, y, z]: Vec3): Anchor {
  let [best, vertex] = [Infinity, 0];
  for (const v of triangles) {
    const distance =
      (positions[3 * v] - x) ** 2 + (positions[3 * v + 1] - y) ** 2 + (positions[3 * v + 2] - z) ** 2;
    if (distance < best) [best, vertex] = [distance, v];
  }
  return onVertex(vertex);
}
