import { describe, expect, test } from 'vitest';
import { marchingCubes } from './marching-cubes.ts';
import { boundsOf, measureMesh } from './mesh.ts';
import { checkLevel, type Sampler, sampleVolume, type VolumeOptions } from './volume.ts';

const SIDE = 50;

/** A sampler of a function of grid coordinates that counts its calls. */
function samplerOf(f: (x: number, y: number, z: number) => number): { sampler: Sampler; asked: number[] } {
  const asked: number[] = [];
  const sampler: Sampler = async (indices) => {
    asked.push(indices.length);
    return Float32Array.from(indices, (i) =>
      f(Math.floor(i / SIDE / SIDE), Math.floor(i / SIDE) % SIDE, i % SIDE),
    );
  };
  return { sampler, asked };
}

const options = (more: Partial<VolumeOptions>): VolumeOptions => ({
  side: SIDE,
  level: 0,
  pad: 1,
  stride: 4,
  batch: 1000,
  ...more,
});

/** A body with a thin limb and waves: hardly any coarse sample hits the limb. */
const body = (x: number, y: number, z: number): number =>
  Math.max(
    14 - Math.hypot(x - 24.3, y - 24.6, z - 20.1) + Math.sin(x) + Math.cos(1.3 * y),
    1.2 - Math.hypot(x - 25.5, y - 22.3) + (z > 43 ? 43 - z : 0) + (z < 20 ? z - 20 : 0),
  );

describe('sparse sampling', () => {
  test.each([2, 4, 5, 8])('gives the mesh of the full grid, number for number: stride %i', async (stride) => {
    const dense = await sampleVolume(samplerOf(body).sampler, options({ stride: 1 }));
    const { sampler, asked } = samplerOf(body);
    const sparse = await sampleVolume(sampler, options({ stride }));
    expect(marchingCubes(sparse, 0)).toEqual(marchingCubes(dense, 0));
    expect(dense.computed).toBe((SIDE - 2) ** 3);
    expect(sparse.computed).toBeLessThan(0.8 * dense.computed);
    expect(asked.reduce((a, b) => a + b, 0)).toBe(sparse.computed);
    expect(Math.max(...asked)).toBeLessThanOrEqual(1000);
    expect(measureMesh(marchingCubes(sparse, 0)).openEdges).toBe(0);
  });

  test('misses only specks that hang together with nothing', async () => {
    const speck = (x: number, y: number, z: number): number =>
      Math.max(body(x, y, z), Math.hypot(x - 42, y - 42, z - 42) < 0.5 ? 1 : -30);
    const sparse = await sampleVolume(samplerOf(speck).sampler, options({}));
    const dense = await sampleVolume(samplerOf(speck).sampler, options({ stride: 1 }));
    const faces = (volume: typeof dense): number => marchingCubes(volume, 0).indices.length / 3;
    expect(faces(dense) - faces(sparse)).toBe(8);
  });

  test('the border counts as empty', async () => {
    const cut = await sampleVolume(samplerOf((x) => x - 24.5).sampler, options({ pad: 5 }));
    const mesh = marchingCubes(cut, 0);
    expect(measureMesh(mesh)).toMatchObject({ openEdges: 0, euler: 2 });
    const { min, max } = boundsOf(mesh.positions);
    expect(min.map(Math.round)).toEqual([25, 5, 5]);
    expect(max.map(Math.round)).toEqual([44, 44, 44]);
  });
});

describe('no surface', () => {
  test.each([
    [
      15,
      1,
      'there is no surface at level 15: the density goes from -6.500 to 14.25; choose a --level between',
    ],
    [15, 4, 'the density goes from -6.500 to 14.25 on the coarse grid; choose a --level between'],
    [
      -9,
      1,
      'there is no surface at level -9: the density goes from -6.500 to 14.25; choose a --level between',
    ],
  ])('a level of %i outside the range names it (stride %i)', async (level, stride, message) => {
    const f = (x: number): number => Math.max(-6.5, Math.min(x - 25, 14.25));
    const volume = await sampleVolume(samplerOf(f).sampler, options({ level, stride }));
    expect(() => checkLevel(volume, level, stride)).toThrow(message);
  });

  test('a grid that is all border, and a density that is no number', async () => {
    await expect(sampleVolume(samplerOf(body).sampler, options({ pad: 25 }))).rejects.toThrow(
      'has nothing inside',
    );
    const broken = samplerOf((x) => (x > 30 ? Number.NaN : 1)).sampler;
    await expect(sampleVolume(broken, options({}))).rejects.toThrow(
      /the density at sample \d+ of the grid is NaN/,
    );
  });
});
