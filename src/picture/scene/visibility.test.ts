import { describe, expect, test } from 'vitest';
import { frontView, MATTE, randomNumbers, square, WHITE } from '../../../test/scene-support.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { pinholeOf, rayStretch } from '../pinhole.ts';
import { rasterise } from '../rasterise.ts';
import { createSceneRenderer } from './renderer.ts';
import type { SceneMaterial, ScenePart, SceneView } from './types.ts';

const renderer = await createSceneRenderer();

/** Each triangle a part of its own, so that the part tells the triangle. */
function partsOf({ positions, indices }: Mesh, material: SceneMaterial = MATTE): ScenePart[] {
  return Array.from({ length: indices.length / 3 }, (_, f) => ({
    positions: Float32Array.from(
      { length: 9 },
      (_, i) => positions[indices[f * 3 + Math.floor(i / 3)] * 3 + (i % 3)],
    ),
    normals: Float32Array.of(0, 0, 1, 0, 0, 1, 0, 0, 1),
    uvs: new Float32Array(6),
    indices: Uint32Array.of(0, 1, 2),
    material,
  }));
}

/** How many samples differ from the plain rasteriser in triangle or in distance. */
function differences(
  mesh: Mesh,
  view: SceneView,
  material = MATTE,
): { triangle: number; distance: number; seen: number } {
  const { width, height, label } = view;
  const camera = pinholeOf(label);
  const truth = rasterise(mesh, camera, { width, height, cullInner: !material.doubleSided });
  const picture = renderer.render(partsOf(mesh, material), WHITE, view);
  const out = { triangle: 0, distance: 0, seen: 0 };
  truth.face.forEach((face, i) => {
    if (face >= 0) out.seen++;
    if (picture.part[i] !== face) out.triangle++;
    const stretch = rayStretch(camera, ((i % width) + 0.5) / width, (Math.floor(i / width) + 0.5) / height);
    const expected = truth.depth[i] * stretch;
    // 1.05e-6 is the worst measured.
    if (picture.depth[i] !== expected && !(Math.abs(picture.depth[i] / expected - 1) < 4e-6)) out.distance++;
  });
  return out;
}

function soup(count: number, size: number, seed: number): Mesh {
  const random = randomNumbers(seed);
  const positions = new Float32Array(count * 9);
  for (let f = 0; f < count; f++) {
    const centre = [random() - 0.5, random() - 0.5, random() - 0.5];
    for (let i = 0; i < 9; i++) positions[f * 9 + i] = centre[i % 3] + size * (random() - 0.5);
  }
  return { positions, indices: Uint32Array.from({ length: count * 3 }, (_, i) => i) };
}

describe('what each sample sees', () => {
  for (const [name, doubleSided] of [
    ['both sides', true],
    ['outer sides', false],
  ] as const) {
    test(`is what the plain rasteriser sees: ${name}`, () => {
      for (const [count, size, seed] of [
        [250, 0.3, 1],
        [250, 0.05, 2],
        [100, 1.5, 3],
      ]) {
        const { triangle, distance, seen } = differences(soup(count, size, seed), frontView(97), {
          ...MATTE,
          doubleSided,
        });
        expect(seen).toBeGreaterThan(size < 0.1 ? 150 : 2000);
        // None measured; a sample on an edge, to rounding, might differ.
        expect(triangle).toBeLessThanOrEqual(1);
        expect(distance).toBeLessThanOrEqual(1);
      }
    });
  }

  test('of a camera that is turned, skewed and off centre', () => {
    const view = frontView(90);
    const label = Array.from(view.label);
    const [c, s] = [Math.cos(0.4), Math.sin(0.4)];
    [c, 0, -s, 2 * s, 0, -1, 0, 0.05, -s, 0, -c, 2 * c].forEach((value, i) => {
      label[i] = value;
    });
    [label[17], label[18], label[21], label[20]] = [0.2, 0.47, 0.54, 1.6];
    const { triangle, distance } = differences(soup(200, 0.4, 4), { ...view, label, height: 60 });
    expect(triangle).toBeLessThanOrEqual(1);
    expect(distance).toBeLessThanOrEqual(1);
  });

  test('triangles that reach behind the camera are drawn as far as they are seen', () => {
    const floor: Mesh = {
      positions: Float32Array.of(-9, -0.5, -5, 9, -0.5, -5, 0, -0.5, 50, 0.2, -1, 50, 0.4, 3, -5, 0.3, 1, 60),
      indices: Uint32Array.of(0, 1, 2, 3, 4, 5),
    };
    const { triangle, distance, seen } = differences(floor, frontView(65));
    expect(seen).toBeGreaterThan(1400);
    expect(triangle).toBeLessThanOrEqual(1);
    expect(distance).toBeLessThanOrEqual(1);
    const behind = renderer.render([square(0.5, 3, MATTE)], WHITE, frontView(8));
    expect(behind.alpha.every((alpha) => alpha === 0)).toBe(true);
    expect(behind.part.every((part) => part === -1)).toBe(true);
  });

  test('coverage is the share of samples; depth is along the ray of the nearest', () => {
    const half = square(0.25, 0, MATTE);
    const { alpha, depth } = renderer.render([half], WHITE, frontView(6, 2));
    expect(Array.from(alpha.subarray(12, 18))).toEqual([0, 0.5, 1, 1, 0.5, 0]);
    expect(Array.from(alpha.subarray(6, 12))).toEqual([0, 0.25, 0.5, 0.5, 0.25, 0]);
    expect(depth[0]).toBe(Infinity);
    const slope = 0.5 / 12 / 2;
    expect(depth[2 * 6 + 2]).toBeCloseTo(2 * Math.hypot(1, slope, slope), 5);
  });

  test('two blended triangles share an edge without a seam', () => {
    const random = randomNumbers(7);
    for (let i = 0; i < 20; i++) {
      const part = square(0.7, 0, { ...MATTE, mode: 'blend', opacity: 0.5 });
      // The diagonal anywhere: a point inside that all four triangles share.
      const [x, y] = [random() - 0.5, random() - 0.5];
      const fan: ScenePart = {
        ...part,
        positions: Float32Array.of(...part.positions, x, y, 0),
        normals: Float32Array.of(...part.normals, 0, 0, 1),
        uvs: new Float32Array(10),
        indices: Uint32Array.of(0, 4, 1, 1, 4, 2, 2, 4, 3, 3, 4, 0),
      };
      const { alpha } = renderer.render([fan], WHITE, frontView(40));
      expect(alpha.every((value) => value === 0.5)).toBe(true);
    }
  });
});
