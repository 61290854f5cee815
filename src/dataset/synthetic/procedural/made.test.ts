import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { measureMesh } from '../../../picture/mesh/mesh.ts';
import { type ProxyMesh, readAssets } from '../assets.ts';
import { madeParts } from './made.ts';
import { neutralOf } from './neutral.ts';
import { onNeutral, trianglesOf } from './under-hat.ts';

const assets = readAssets('packages/assets');
const neutral = neutralOf(assets);
const made = madeParts(assets);

const proxyOf = (name: string): ProxyMesh => {
  const found = made.get(name);
  if (found === undefined) throw new Error(`no part "${name}"`);
  return found.proxy;
};
const largest = (values: ArrayLike<number>): number => {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]);
  return most;
};

describe('made parts', () => {
  it('are all there', () => {
    expect([...made.keys()].sort()).toEqual([
      'afro',
      'beanie',
      'buzz',
      'cap',
      'curls',
      'fedora band',
      'full',
      'goatee',
      'moustache',
      'round',
      'round lenses',
      'square',
      'square lenses',
    ]);
  });

  it.each([...made.values()])('$name is fitted to vertices that exist', ({ proxy, colours, texture }) => {
    const { vertexCount, quads, quadUvs, uvs, refs, weights, offsets } = proxy;
    for (const array of [refs, weights, offsets]) expect(array.length).toBe(3 * vertexCount);
    expect(largest(refs)).toBeLessThan(assets.base.vertexCount);
    expect(largest(quads)).toBe(vertexCount - 1);
    expect(quadUvs.length).toBe(quads.length);
    expect(largest(quadUvs)).toBeLessThan(uvs.length / 2);
    expect(uvs.every(Number.isFinite)).toBe(true);
    expect(offsets.every(Number.isFinite)).toBe(true);
    // What hangs on the package's own fedora has its weights, rounded to 1e-5.
    let off = 0;
    for (let i = 0; i < weights.length; i += 3)
      off = Math.max(off, Math.abs(weights[i] + weights[i + 1] + weights[i + 2] - 1));
    expect(off).toBeLessThan(2e-5);
    if (colours !== undefined) {
      expect(colours.length).toBe(4 * vertexCount);
      expect(colours.every((value) => value >= 0 && value <= 1.3)).toBe(true);
    }
    for (const detail of [1 / 2, 1 / 4]) {
      const image = texture?.(detail);
      if (image !== undefined) expect(image.data.length).toBe(4 * image.width * image.height);
    }
  });

  it('are written down so that the neutral wears them where they were modelled', () => {
    const rims = onNeutral(neutral, proxyOf('round'));
    const front = largest(Array.from({ length: rims.length / 3 }, (_, v) => rims[3 * v + 2]));
    // The bridge stands before the lens plane by a wire and a little more.
    expect(front).toBeGreaterThan(0.136);
    expect(front).toBeLessThan(0.14);
  });

  it('frames are closed and face outwards; what lies on the head is open', () => {
    const measured = (name: string) =>
      measureMesh({ positions: onNeutral(neutral, proxyOf(name)), indices: trianglesOf(proxyOf(name)) });
    for (const name of ['round', 'square']) {
      expect(measured(name).openEdges).toBe(0);
      expect(measured(name).volume).toBeGreaterThan(0);
    }
    for (const name of ['buzz', 'full', 'beanie', 'round lenses'])
      expect(measured(name).openEdges).toBeGreaterThan(0);
  });

  it('are the same bytes each time', () => {
    const digest = (parts: typeof made): string => {
      const hash = createHash('sha256');
      for (const { proxy, colours, texture } of parts.values()) {
        const { quads, quadUvs, uvs, refs, weights, offsets } = proxy;
        for (const array of [quads, quadUvs, uvs, refs, weights, offsets, colours, texture?.(1 / 4).data])
          if (array !== undefined)
            hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      }
      return hash.digest('hex');
    };
    expect(digest(madeParts(assets))).toBe(digest(made));
  });
});
