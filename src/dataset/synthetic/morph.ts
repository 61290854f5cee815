/** The base mesh after morph targets, its joints, and meshes fitted to it. */

import type { Assets, ProxyMesh } from './assets.ts';

/** [V, 3] base positions plus weighted targets, decimetres. */
export function morph(assets: Assets, weights: ReadonlyMap<string, number>): Float32Array {
  const positions = assets.base.positions.slice();
  for (const [name, weight] of weights) {
    if (Math.abs(weight) < 1e-4) continue;
    const { indices, deltas, scale } = assets.target(name);
    const factor = weight * scale;
    if (indices === undefined) {
      for (let i = 0; i < deltas.length; i++) positions[i] += factor * deltas[i];
      continue;
    }
    for (let i = 0; i < indices.length; i++) {
      const at = 3 * indices[i];
      positions[at] += factor * deltas[3 * i];
      positions[at + 1] += factor * deltas[3 * i + 1];
      positions[at + 2] += factor * deltas[3 * i + 2];
    }
  }
  return positions;
}

/** The mean of some vertices. */
export function jointAt(positions: Float32Array, vertices: readonly number[]): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  for (const v of vertices) for (let k = 0; k < 3; k++) sum[k] += positions[3 * v + k];
  return [sum[0] / vertices.length, sum[1] / vertices.length, sum[2] / vertices.length];
}

/** [V, 3] a proxy fitted to the morphed base. */
export function fitted(proxy: ProxyMesh, base: Float32Array): Float32Array {
  const { refs, weights, offsets, scale, vertexCount } = proxy;
  const s = scale.map(({ a, b, length }, k) => Math.abs(base[3 * a + k] - base[3 * b + k]) / length);
  const out = new Float32Array(3 * vertexCount);
  for (let i = 0; i < out.length; i += 3) {
    const [a, b, c] = [3 * refs[i], 3 * refs[i + 1], 3 * refs[i + 2]];
    const [wa, wb, wc] = [weights[i], weights[i + 1], weights[i + 2]];
    for (let k = 0; k < 3; k++)
      out[i + k] = wa * base[a + k] + wb * base[b + k] + wc * base[c + k] + offsets[i + k] * s[k];
  }
  return out;
}
