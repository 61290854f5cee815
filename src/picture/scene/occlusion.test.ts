import { describe, expect, test } from 'vitest';
import { createSceneRenderer } from './renderer.ts';
import type { OcclusionMesh } from './types.ts';

const renderer = await createSceneRenderer();

/** A grid of squares over [-half, half] in x and z, facing up. */
function floor(half: number, y: number, cells: number): OcclusionMesh {
  const positions: number[] = [];
  const indices: number[] = [];
  for (let i = 0; i <= cells; i++) {
    for (let j = 0; j <= cells; j++) {
      const a = positions.length / 3;
      positions.push(half * ((2 * j) / cells - 1), y, half * ((2 * i) / cells - 1));
      if (i < cells && j < cells) indices.push(a, a + cells + 1, a + 1, a + 1, a + cells + 1, a + cells + 2);
    }
  }
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}

function ball(rows: number): OcclusionMesh {
  const positions: number[] = [];
  const indices: number[] = [];
  for (let i = 0; i <= rows; i++) {
    for (let j = 0; j <= 2 * rows; j++) {
      const a = positions.length / 3;
      const [p, r] = [(i / rows) * Math.PI, (j / rows) * Math.PI];
      positions.push(Math.sin(p) * Math.sin(r), Math.cos(p), Math.sin(p) * Math.cos(r));
      if (i === rows || j === 2 * rows) continue;
      const below = a + 2 * rows + 1;
      indices.push(a, below, a + 1, a + 1, below, below + 1);
    }
  }
  const normals = Float32Array.from(positions);
  return { positions: normals, normals, indices: Uint32Array.from(indices) };
}

describe('ambient occlusion', () => {
  test('of a ball alone is 1, of what is inside it 0', () => {
    for (const rows of [20, 64, 120]) {
      const outer = ball(rows);
      const small = outer.positions.map((value) => 0.6 * value);
      const [open, closed] = renderer.occlusion([outer, { ...outer, positions: small }]);
      expect(open.length).toBe(outer.positions.length / 3);
      // Measured: .970 and up; 0.
      expect(Math.min(...open)).toBeGreaterThan(0.96);
      expect(Math.max(...closed)).toBe(0);
    }
  });

  test('of a floor: open 1, under a roof what is seen past it, through a thin one more', () => {
    const ground = floor(1, 0, 20);
    const [open] = renderer.occlusion([ground]);
    expect(Math.min(...open)).toBe(1);
    const middle = 10 * 21 + 10;
    const roof = floor(0.5, 0.5, 10);
    const under = (density: number, directions = 200): number =>
      renderer.occlusion([ground, { ...roof, density }], { directions })[0][middle];
    // A square of side 1 at height .5 over its middle: its form factor, 4 (a / sqrt(1 + a^2)) atan(...) / pi, a = 1.
    const a = 1;
    const corner = (a / Math.sqrt(1 + a * a)) * Math.atan(a / Math.sqrt(1 + a * a));
    const factor = (4 * corner) / Math.PI;
    expect(under(1)).toBeCloseTo(1 - factor, 1);
    expect(under(0.5)).toBeCloseTo(1 - factor / 2, 1);
    expect(under(0)).toBe(1);
  });

  test('leans to the sky when asked', () => {
    const wall = floor(1, 0, 4);
    // Turned so that it faces +z, with a floor in front of it.
    const upright = {
      positions: wall.positions.map((_, i) => [wall.positions[i], -wall.positions[i + 1], 0][i % 3]),
      normals: wall.positions.map((_, i) => [0, 0, 1][i % 3]),
      indices: wall.indices,
    };
    for (let i = 0; i < upright.positions.length; i += 3) upright.positions[i + 1] = -wall.positions[i + 2];
    const ground = floor(2, -1.05, 20);
    const at = 2 * 5 + 2;
    const [even] = renderer.occlusion([upright, ground], { directions: 100 });
    const [sky] = renderer.occlusion([upright, ground], { directions: 100, upward: 1 });
    expect(sky[at]).toBeGreaterThan(even[at] + 0.1);
  });

  test('refuses what cannot be', () => {
    const mesh = floor(1, 0, 2);
    expect(() => renderer.occlusion([{ ...mesh, indices: Uint32Array.of(0, 1, 99) }])).toThrow(
      'mesh 0: indices points to vertex 99 but there are 9',
    );
    expect(() => renderer.occlusion([mesh], { directions: 0 })).toThrow('directions');
    expect(() => renderer.occlusion([mesh], { side: 33 })).toThrow('side');
    expect(() => renderer.occlusion([{ ...mesh, density: 2 }])).toThrow('mesh 0: density');
    expect(() => renderer.occlusion([{ ...mesh, normals: new Float32Array(3) }])).toThrow('mesh 0: normals');
    expect(() => renderer.occlusion([{ ...mesh, positions: mesh.positions.map(() => Number.NaN) }])).toThrow(
      'mesh 0: positions[0] is NaN',
    );
    expect(renderer.occlusion([])).toEqual([]);
  });
});
