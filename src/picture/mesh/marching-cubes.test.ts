import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { componentRoots, components } from './components.ts';
import { AMBIGUOUS, cubeCase } from './cube-cases.ts';
import { marchingCubes, type SampledGrid } from './marching-cubes.ts';
import { boundsOf, flippedMesh, measureMesh, vertexNormals } from './mesh.ts';

/** Samples a function of grid coordinates; the border is empty. */
function gridOf(side: number, f: (x: number, y: number, z: number) => number): SampledGrid {
  const values = new Float32Array(side ** 3);
  for (let i = 0; i < values.length; i++) {
    const at = [Math.floor(i / side / side), Math.floor(i / side) % side, i % side];
    values[i] = at.some((k) => k === 0 || k === side - 1) ? -1000 : f(at[0], at[1], at[2]);
  }
  return { shape: [side, side, side], values };
}

const ball =
  (radius: number, x0: number, y0: number, z0: number) =>
  (x: number, y: number, z: number): number =>
    radius - Math.hypot(x - x0, y - y0, z - z0);

describe('shapes with known measures', () => {
  test('a ball: volume, area, topology, winding, bounds', () => {
    const mesh = marchingCubes(gridOf(48, ball(18, 23.3, 23.7, 24.1)), 0);
    const { volume, area, euler, openEdges, faces, vertices } = measureMesh(mesh);
    expect([euler, openEdges]).toEqual([2, 0]);
    expect(faces).toBe(2 * vertices - 4);
    // Chords lie inside: measured -.19 % and -.09 %. Positive: triangles are counter-clockwise from outside.
    expect(volume / ((4 / 3) * Math.PI * 18 ** 3)).toBeCloseTo(1, 2);
    expect(area / (4 * Math.PI * 18 ** 2)).toBeCloseTo(1, 2);
    expect(measureMesh(flippedMesh(mesh)).volume).toBeCloseTo(-volume, 5);
    const { min, max } = boundsOf(mesh.positions);
    [23.3, 23.7, 24.1].forEach((centre, k) => {
      expect(Math.abs(min[k] - centre + 18)).toBeLessThan(0.05);
      expect(Math.abs(max[k] - centre - 18)).toBeLessThan(0.05);
    });
    const normals = vertexNormals(mesh);
    for (let v = 0; v < normals.length; v += 3) {
      const out = [23.3, 23.7, 24.1].map((centre, k) => (mesh.positions[v + k] - centre) / 18);
      expect(out[0] * normals[v] + out[1] * normals[v + 1] + out[2] * normals[v + 2]).toBeGreaterThan(0.98);
    }
  });

  test('a ring has no Euler characteristic, two rings neither; a hollow ball has twice 2', () => {
    const ring = (x: number, y: number, z: number): number =>
      5 - Math.hypot(Math.hypot(x - 20.2, y - 19.9) - 12, z - 20.1);
    expect(measureMesh(marchingCubes(gridOf(40, ring), 0))).toMatchObject({ euler: 0, openEdges: 0 });
    const hollow = (x: number, y: number, z: number): number =>
      Math.min(ball(15, 20, 20, 20)(x, y, z), -ball(9, 20, 20, 20)(x, y, z));
    const mesh = marchingCubes(gridOf(40, hollow), 0);
    expect(measureMesh(mesh)).toMatchObject({ euler: 4, openEdges: 0 });
    expect(measureMesh(mesh).volume / ((4 / 3) * Math.PI * (15 ** 3 - 9 ** 3))).toBeCloseTo(1, 2);
  });

  test('a body that leaves the grid is cut flat and stays closed', () => {
    const mesh = marchingCubes(gridOf(24, ball(16, 12, 12, 12)), 0);
    expect(measureMesh(mesh)).toMatchObject({ euler: 2, openEdges: 0 });
    expect(boundsOf(mesh.positions).min[0]).toBeLessThan(1);
  });
});

test('any field, however rough, gives a closed surface without duplicate vertices', () => {
  const side = 7;
  fc.assert(
    fc.property(
      // Few distinct values: levels are met exactly and faces are ties.
      fc.array(fc.integer({ min: -3, max: 3 }), { minLength: side ** 3, maxLength: side ** 3 }),
      (numbers) => {
        const mesh = marchingCubes(
          gridOf(side, (x, y, z) => numbers[(x * side + y) * side + z]),
          0,
        );
        const { openEdges, volume, vertices } = measureMesh(mesh);
        expect(openEdges).toBe(0);
        expect(volume).toBeGreaterThanOrEqual(0);
        const places = new Set<string>();
        for (let v = 0; v < vertices; v++) places.add(mesh.positions.subarray(v * 3, v * 3 + 3).join());
        expect(places.size).toBe(vertices);
        expect(new Set(mesh.indices).size).toBe(vertices);
      },
    ),
    { numRuns: 60, seed: 1 },
  );
});

test('every case: each cut edge belongs to one loop, and complements mirror each other', () => {
  for (let inside = 0; inside < 256; inside++) {
    for (let joined = 0; joined < 64; joined++) {
      if ((joined & AMBIGUOUS[inside]) !== joined) continue;
      const { triangles, middles } = cubeCase(inside, joined);
      // Sides that only one triangle has, from which the loop is made, run round each cut edge once.
      const sides = new Map<string, number>();
      for (let t = 0; t < triangles.length; t += 3) {
        for (let k = 0; k < 3; k++) {
          const [a, b] = [triangles[t + k], triangles[t + ((k + 1) % 3)]];
          if (sides.has(`${b} ${a}`)) sides.delete(`${b} ${a}`);
          else sides.set(`${a} ${b}`, 1);
        }
      }
      const starts = [...sides.keys()].map((key) => Number(key.split(' ')[0]));
      expect(new Set(starts).size).toBe(starts.length);
      expect(starts.every((edge) => edge < 12)).toBe(true);
      expect(middles.every((loop) => loop.length >= 4)).toBe(true);
    }
  }
});

test('the largest part encloses most', () => {
  const two = (x: number, y: number, z: number): number =>
    Math.max(
      Math.min(ball(13, 16, 16, 16)(x, y, z), -ball(11, 16, 16, 16)(x, y, z)),
      ball(4, 34, 34, 34)(x, y, z),
    );
  const mesh = marchingCubes(gridOf(42, two), 0);
  const { parts, largest } = components(mesh);
  expect(parts).toBe(3);
  expect(new Set(componentRoots(mesh)).size).toBe(3);
  // The outer skin of the hollow ball, without its inner wall.
  expect(measureMesh(largest())).toMatchObject({ euler: 2, openEdges: 0 });
  expect(measureMesh(largest()).volume / ((4 / 3) * Math.PI * 13 ** 3)).toBeCloseTo(1, 1);
});
