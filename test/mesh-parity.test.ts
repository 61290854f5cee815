/** The original's shape grid and surfaces, as recorded from its own code. */

import { afterAll, describe, expect, test } from 'vitest';
import {
  compatibleGrid,
  densitySampler,
  exactGrid,
  GRID_BATCH,
  meshInOriginalFrame,
} from '../src/cli/mesh-grid.ts';
import { openNetworks } from '../src/cli/network.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { marchingCubes } from '../src/picture/mesh/marching-cubes.ts';
import { boundsOf, measureMesh } from '../src/picture/mesh/mesh.ts';
import { type Sampler, sampleVolume } from '../src/picture/mesh/volume.ts';
import { type PortraitGenerator, portraitGenerator } from '../src/portrait/session.ts';
import { ndarray } from '../src/tensor/index.ts';
import { readNpz, toFloat32 } from '../src/weights/index.ts';
import { parityFile } from './parity-files.ts';

const network = parityFile('tiny/network.pkl');
const CASES = ['front_nodef', 'right_nodef', 'mixed_nodef', 'trunc_nodef', 'front_def', 'right_def'];
const SIDE = 48;

describe.skipIf(network === undefined)('recorded volumes', () => {
  const engine = cpuEngine();
  let generator: PortraitGenerator | undefined;
  afterAll(() => engine.dispose());

  test.each(CASES)('%s: density, surface bounds and counts', async (name) => {
    generator ??= portraitGenerator(engine, (await openNetworks(network)).generator);
    const arrays = await readNpz(parityFile(`tiny/gen_${name}.npz`)!);
    const array = (key: string): Float32Array => toFloat32(arrays.get(key)!);
    const planes = await generator.planes(ndarray(arrays.get('ws')!.shape, array('ws')));
    const grid = compatibleGrid(SIDE, generator.config.rendering.boxWarp);

    const places = new Float32Array(63 * 3);
    for (let i = 0; i < 63; i++) grid.place(i * 1777, places, i * 3);
    expect(places).toEqual(array('volume_points_sub'));

    const recorded = array('volume_sigma');
    const sigma = await densitySampler(generator, planes, grid)(Uint32Array.from(recorded, (_, i) => i));
    await generator.release(planes);
    const mean = recorded.reduce((a, b) => a + b, 0) / recorded.length;
    const deviation = Math.sqrt(recorded.reduce((a, b) => a + (b - mean) ** 2, 0) / recorded.length);
    // Measured 5e-6 of the standard deviation.
    expect(sigma.reduce((worst, v, i) => Math.max(worst, Math.abs(v - recorded[i])), 0)).toBeLessThan(
      1e-4 * deviation,
    );

    const again: Sampler = async (indices) => Float32Array.from(indices, (i) => sigma[i]);
    const [levels, verts, faces, bounds] = ['levels', 'num_verts', 'num_faces', 'bounds'].map((key) =>
      array(`iso_${key}`),
    );
    for (let l = 0; l < levels.length; l++) {
      const options = { side: SIDE, pad: grid.pad, level: levels[l], stride: 1, batch: GRID_BATCH };
      const mesh = meshInOriginalFrame(marchingCubes(await sampleVolume(again, options), levels[l]), grid);
      const measures = measureMesh(mesh);
      // Measured: vertices within .2 %, triangles within .4 % (Lewiner's tunnels), bounds within 5e-6 voxels.
      expect(Math.abs(measures.vertices / verts[l] - 1)).toBeLessThan(0.01);
      expect(Math.abs(measures.faces / faces[l] - 1)).toBeLessThan(0.01);
      expect(measures.openEdges).toBe(0);
      const { min, max } = boundsOf(mesh.positions);
      [...min, ...max].forEach((value, k) => {
        expect(Math.abs(value - bounds[l * 6 + k])).toBeLessThan(0.1);
      });
    }
  });
});

test('the exact grid has its corners at the corners, and the compatible one is sheared as published', () => {
  const at = (grid: ReturnType<typeof exactGrid>, index: number): number[] => {
    const place = new Float32Array(3);
    grid.place(index, place, 0);
    return [...place];
  };
  const exact = exactGrid(5, 0.8);
  expect(at(exact, 0).map((v) => v + 0.4)).toEqual([0, 0, 0].map((v) => expect.closeTo(v, 6)));
  expect(at(exact, 124)).toEqual([0.4, 0.4, 0.4].map((v) => expect.closeTo(v, 6)));
  expect(at(exact, 25 + 10 + 3)).toEqual([-0.2, 0, 0.2].map((v) => expect.closeTo(v, 6)));
  const sheared = compatibleGrid(5, 1);
  // fy = 7.6 mod 5, fx = 1.52: y is off by z / N steps, x by y / N.
  expect(at(sheared, 38)).toEqual(
    [-0.4 + 1.52 * 0.2, -0.4 + 2.6 * 0.2, 0.2].map((v) => expect.closeTo(v, 6)),
  );
});
