/** The search through a mesh block and its WebAssembly kernel against trying all faces. */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  carryPoints,
  deformPoints,
  facesInBox,
  findFaces,
  meshBlock,
  meshBlockWords,
  nearestFaces,
  nearestFacesPlain,
  poseBody,
  readCompactBody,
} from '../src/body/index.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import * as t from '../src/tensor/index.ts';
import { openSearch } from './body-kernel.ts';
import { bumpySphere } from './body-shapes.ts';

/** A repeatable source of numbers in [0, 1). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function cloud(count: number, seed: number, side = 0.6): Float32Array {
  const draw = uniform(seed);
  return Float32Array.from({ length: 3 * count }, () => side * (draw() - 0.5));
}

const search = openSearch();

describe('nearest faces', () => {
  const meshes = [2, 5, 12, 40].map((rings) => bumpySphere(rings, 0.15));

  it('block and kernel agree with trying all', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3 }),
        fc.integer(),
        fc.constantFrom(0.05, 0.25, 10),
        (m, seed, radius) => {
          const { vertices, faces } = meshes[m];
          const points = cloud(50, seed);
          // Corners, edge middles and centres themselves are among the points.
          for (let i = 0; i < 30; i++) {
            const f = 3 * ((seed >>> i) % (faces.length / 3));
            const sum = [0, 1, 2].slice(0, (i % 3) + 1).map((k) => 3 * faces[f + k]);
            for (let k = 0; k < 3; k++) {
              points[3 * i + k] = sum.reduce((total, v) => total + vertices[v + k], 0) / sum.length;
            }
          }
          const block = meshBlock({ posed: vertices, canonical: vertices, faces, thickness: radius });
          const plain = nearestFacesPlain(vertices, faces, points, radius);
          const walked = nearestFaces(block, points);
          expect(walked.face).toEqual(plain.face);
          const found = search.nearest(block, points);
          let different = 0;
          plain.sqdist.forEach((d, i) => {
            if (d === Number.POSITIVE_INFINITY) {
              expect(found.sqdist[i]).toBe(d);
              return;
            }
            expect(Math.abs(walked.sqdist[i] - d)).toBeLessThanOrEqual(1e-6 * d + 1e-12);
            expect(Math.abs(found.sqdist[i] - d)).toBeLessThanOrEqual(1e-6 * d + 1e-9);
            if (found.face[i] !== plain.face[i]) different++;
          });
          // Single precision decides ties near the bound differently.
          expect(different).toBeLessThanOrEqual(4);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('finds the one face in reach where nearer boxes hold none', () => {
    const body = readCompactBody(readFileSync(new URL('../models/body.bin', import.meta.url)));
    const faces = facesInBox(body, 1);
    const options = { posed: poseBody(body, [0.3, 0.2, 0, 0.2, 0.2, 0]), canonical: body.canonical, faces };
    const points = cloud(3000, 5, 0.7);
    const wide = search.nearest(meshBlock({ ...options, thickness: 10 }), points);
    for (const thickness of [0.02, 0.05, 0.1, 0.25]) {
      const found = search.nearest(meshBlock({ ...options, thickness }), points);
      const want = wide.face.map((face, i) => (Math.sqrt(wide.sqdist[i]) < thickness ? face : -1));
      expect(found.face).toEqual(want);
    }
  });

  it('moves points alike in double and in the kernel, and leaves far ones', () => {
    const { vertices, faces } = meshes[2];
    const posed = vertices.map((value, i) =>
      i % 3 === 0 ? -vertices[i + 1] : i % 3 === 1 ? vertices[i - 1] : value,
    );
    const block = meshBlock({ posed, canonical: vertices, faces, thickness: 0.05 });
    const points = cloud(4000, 3);
    const want = deformPoints(block, points);
    const got = search.deform(block, points);
    let moved = 0;
    for (let i = 0; i < points.length; i += 3) {
      if (want[i] !== points[i]) moved++;
      // A quarter turn about z brings every point back, whatever its face.
      const near = want[i] !== points[i];
      expect(Math.abs(want[i] - (near ? points[i + 1] : points[i]))).toBeLessThan(1e-6);
      for (let k = 0; k < 3; k++) expect(Math.abs(got[i + k] - want[i + k])).toBeLessThan(1e-6);
    }
    expect(moved).toBeGreaterThan(400);
    expect(moved).toBeLessThan(3600);
  });

  it('blocks of as many faces have one size', () => {
    for (const { vertices, faces } of meshes) {
      const block = meshBlock({ posed: vertices, canonical: vertices, faces, thickness: 1 });
      expect(block.length).toBe(meshBlockWords(faces.length / 3));
      expect(block.length % 4).toBe(0);
    }
  });

  it('refuses vertices that are not numbers, and thickness of nothing', () => {
    const { vertices, faces } = meshes[0];
    const broken = Float32Array.from(vertices);
    broken[4] = Number.NaN;
    const options = { posed: broken, canonical: vertices, faces, thickness: 1 };
    expect(() => meshBlock(options)).toThrow(/coordinate 4/);
    expect(() => meshBlock({ ...options, posed: vertices, thickness: 0 })).toThrow(/thickness/);
    expect(() => nearestFaces(new Int32Array(16), [0, 0, 0])).toThrow(/mesh block/);
  });
});

it('the operations run on the reference and by the kernel of the cpu engine', async () => {
  const { vertices, faces } = bumpySphere(12, 0.15);
  const own = meshBlock({ posed: vertices, canonical: vertices, faces, thickness: 0.1 });
  const mesh: t.NdArray = { dtype: 'int32', shape: [2, own.length], data: Int32Array.of(...own, ...own) };
  const points = t.ndarray([2, 100, 3], cloud(200, 9));
  const graph = t.trace('search', { mesh, points }, (given) => ({
    ...findFaces(given.mesh, given.points),
    moved: carryPoints(given.mesh, given.points),
  }));
  const engines = [referenceEngine(), cpuEngine()];
  const [want, got] = await Promise.all(
    engines.map(async (engine) => (await engine.compile(graph)).run({ mesh, points })),
  );
  for (const engine of engines) await engine.dispose();
  expect(got.face.data).toEqual(want.face.data);
  got.moved.data.forEach((value, i) => {
    expect(Math.abs(value - want.moved.data[i])).toBeLessThan(1e-6);
  });
});
