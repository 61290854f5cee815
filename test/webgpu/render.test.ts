/** The renderer's WGSL against its definitions in float64, on small random scenes. */

import { describe, expect, test } from 'vitest';
import { carryPoints, findFaces, meshBlock } from '../../src/body/index.ts';
import { type Planning, shaderOf } from '../../src/engines/webgpu/kernel.ts';
import { renderKernels } from '../../src/engines/webgpu/render/index.ts';
import { decoderWeights, density, field } from '../../src/portrait/decoder.ts';
import { parametersOf } from '../../src/portrait/parameters.ts';
import type { Rendered } from '../../src/portrait/renderer.ts';
import * as t from '../../src/tensor/index.ts';
import { bumpySphere } from '../body-shapes.ts';
import { distance, random, randomSource } from '../primitives/values.ts';
import { compose, DEFAULTS, decoderShapes, gap, type Scene } from '../render-scene.ts';
import { SCENES } from '../render-scenes.ts';
import { openDevice, planningFor } from './one-call.ts';
import {
  ALL,
  computed,
  defined,
  deviceOrReason,
  fusedNamed,
  gradients,
  inputsOf,
  narrowed,
  type Program,
  planned,
  posedScene,
} from './render-support.ts';

const found = await deviceOrReason();
const reason = typeof found === 'string' ? ` (${found})` : '';
const device = found as GPUDevice;
if (reason !== '') console.warn(`the renderer's shaders are not tested:${reason}`);

/** Limits of a usual GPU. */
const generous: Planning = {
  abilities: {
    limits: {
      maxBufferSize: 2 ** 31,
      maxStorageBufferBindingSize: 2 ** 31 - 4,
      maxStorageBuffersPerShaderStage: 10,
      maxComputeWorkgroupStorageSize: 32_768,
      maxComputeInvocationsPerWorkgroup: 256,
      maxComputeWorkgroupsPerDimension: 65_535,
    },
    ...{ half: false, matrixUnits: [], software: false },
  },
  half: false,
  faultOf: () => 0,
  storageOf: ({ dtype }) => (dtype === 'int32' ? 'i32' : 'f32'),
};

describe.skipIf(reason !== '')(`decoded points${reason}`, () => {
  const cases = (['none', 'sigmoid', 'lrelu'] as const).flatMap((activation) =>
    [1, 3].map((depth) => ({ activation, depth })),
  );
  test.each(cases)('$activation, $depth layers', async ({ activation, depth }) => {
    const options = { ...DEFAULTS, activation, depth, boxWarp: depth === 1 ? 1.7 : 1 };
    const declared = { planes: t.f32(2, 96 * depth, 12, 12), points: t.f32(2, 77, 3) };
    const graph = t.trace('field', declared, (given) => {
      const weights = decoderWeights(parametersOf(decoderShapes(32)));
      return {
        ...field(weights, given.planes, given.points, options),
        alone: density(weights, given.planes, given.points, options),
      };
    });
    const { parameters } = compose({}, 5);
    const inputs = {
      planes: random('float32', declared.planes.shape, 6),
      points: random('float32', declared.points.shape, 7),
    };
    inputs.points.data.set(inputs.points.data.map((x) => x / 3));
    const program = { graph, parameters, inputs };
    for (const name of ['decodePoints', 'decodeDensity']) {
      const node = fusedNamed(program, name);
      const given = inputsOf(program, node);
      const expected = defined(node, given);
      const made = await computed(device, node, given);
      for (const [i, array] of made.entries()) {
        if (process.env.SHOW) console.log(name, i, distance(array, expected[i]));
        expect(distance(array, expected[i]), `${name}, output ${i}`).toBeLessThan(2e-5); // worst measured 1.7e-6
      }
    }
  });
});

describe.skipIf(reason !== '')(`rays${reason}`, () => {
  test.each(SCENES)('%s', async (_, scene) => {
    const program = compose(scene, 1);
    const node = fusedNamed(program, 'renderRays');
    const given = inputsOf(program, node);
    const expected = defined(node, given);
    const made = await computed(device, node, given);
    for (const [i, array] of made.entries()) {
      const apart = distance(array, expected[i]);
      if (process.env.SHOW) console.log(_, i, apart);
      expect(apart, `output ${i}`).toBeLessThan(4 * (scene.tolerance ?? 1e-5)); // worst measured 4.0e-6
    }
  });
});

describe('what the shaders do not take', () => {
  test.each([
    ['other channel counts', { channels: 16 }],
    ['too few coarse samples', { options: { samples: 3 } }],
  ] as const)('%s', (_, scene) => {
    const node = fusedNamed(compose(scene, 3), 'renderRays');
    expect(renderKernels.find(({ name }) => name === 'renderRays')!.plan(node, generous)).toBeUndefined();
    const usual = fusedNamed(compose({}, 3), 'renderRays');
    expect(renderKernels.find(({ name }) => name === 'renderRays')!.plan(usual, generous)).toBeDefined();
  });
});

describe.skipIf(reason !== '')(`the nearest face${reason}`, () => {
  const next = randomSource(31);
  const cloud = (count: number, side = 0.6): Float32Array =>
    Float32Array.from({ length: 3 * count }, () => side * (next() - 0.5));

  test.each([2, 5, 12, 40])('a bumpy sphere of %d rings', async (rings) => {
    const { vertices, faces } = bumpySphere(rings, 0.15);
    const posed = vertices.map((value, i) => (i % 3 === 1 ? 1.2 * value + 0.01 : value));
    for (const thickness of [0.05, 0.25, Number.POSITIVE_INFINITY]) {
      const block = meshBlock({ posed, canonical: vertices, faces, thickness });
      const points = cloud(300);
      // Corners, middles of edges and centres are among the points: there faces tie.
      for (let i = 0; i < 60; i++) {
        const f = 3 * Math.floor((next() * faces.length) / 3);
        const corners = [0, 1, 2].slice(0, (i % 3) + 1).map((k) => 3 * faces[f + k]);
        for (let k = 0; k < 3; k++) {
          points[3 * i + k] = corners.reduce((sum, v) => sum + posed[v + k], 0) / corners.length;
        }
      }
      const mesh = t.zerosFor(t.i32(2, block.length));
      mesh.data.set(block);
      mesh.data.set(block, block.length);
      const inputs = { mesh, points: t.ndarray([2, 150, 3], points) };
      const graph = t.trace('search', inputs, (given) => ({
        ...findFaces(given.mesh, given.points),
        moved: carryPoints(given.mesh, given.points),
      }));
      const program = { graph, parameters: {}, inputs };
      const near = fusedNamed(program, 'nearestFaces');
      const carried = fusedNamed(program, 'deformPoints');
      const [sqdist, face] = defined(near, [mesh, inputs.points]);
      const [madeSqdist, madeFace] = await computed(device, near, [mesh, inputs.points]);
      const [moved] = defined(carried, [mesh, inputs.points]);
      const [madeMoved] = await computed(device, carried, [mesh, inputs.points]);
      let different = 0;
      sqdist.data.forEach((d, i) => {
        if (face.data[i] !== madeFace.data[i]) different++;
        if (d === Number.POSITIVE_INFINITY) expect(madeSqdist.data[i]).toBe(d);
        else expect(Math.abs(madeSqdist.data[i] - d)).toBeLessThanOrEqual(1e-6 * d + 1e-9);
        if (face.data[i] !== madeFace.data[i]) return;
        for (const k of [0, 1, 2])
          expect(Math.abs(madeMoved.data[3 * i + k] - moved.data[3 * i + k])).toBeLessThan(1e-6);
      });
      if (process.env.SHOW) console.log(rings, thickness, 'different', different);
      // Single precision decides ties near the bound differently.
      expect(different).toBeLessThanOrEqual(6);
    }
  });
});

describe.skipIf(reason !== '')(`rays through a posed body${reason}`, () => {
  test.each([
    ['block', {}],
    ['block', { importanceSamples: 0 }],
    ['maps', {}],
    ['faces', { cropMargin: 0.3 }],
  ] as const)('by %s, %o', async (by, changes) => {
    const program = posedScene(by, { ...DEFAULTS, ...changes }, [6, 12]);
    const node = fusedNamed(program, 'renderRays');
    const given = inputsOf(program, node);
    const expected = defined(node, given);
    const made = await computed(device, node, given);
    for (const [i, array] of made.entries()) {
      const apart = distance(array, expected[i]);
      if (process.env.SHOW) console.log(by, i, apart);
      expect(apart, `output ${i}`).toBeLessThan(4e-5); // worst measured 4.5e-7
    }
    // The poses do move the picture.
    const still = fusedNamed(compose({ batch: 2, options: changes }, 5), 'renderRays');
    expect(distance(defined(still, given)[0], expected[0])).toBeGreaterThan(0.01);
  });
});

describe.skipIf(reason !== '')(`tile by tile${reason}`, () => {
  test.each(['renderRays', 'renderRaysGrad'])('%s', async (name) => {
    const scene: Scene = { n: 19, batch: 2, options: { samples: 4, importanceSamples: 2, depth: 1 } };
    const program = compose(scene, 3, gradients(ALL));
    const node = fusedNamed(program, name);
    const given = inputsOf(program, node);
    const expected = defined(node, given);
    const planning = planningFor(device);
    // Room for two blocks of 8 x 8 rays, of the nine that a picture has.
    const narrow = narrowed(planning, { maxStorageBufferBindingSize: 2 * 64 * 6 * 170 });
    const calls = [narrow, planning].map((by) => planned(node, by).dispatches.length);
    expect(calls[0]).toBeGreaterThan(5 * calls[1]);
    const made = await computed(device, node, given, narrow);
    for (const [i, array] of made.entries()) {
      const apart = gap(array, expected[i]);
      if (process.env.SHOW) console.log(name, i, apart);
      expect(apart, `output ${i}`).toBeLessThan(3e-5); // worst measured 3.6e-6
    }
  });
});

/** Shaders are checked, nothing runs: what software adapters do not offer. */
describe.skipIf(reason !== '')(`in half precision${reason}`, () => {
  const everything = { draws: ['jitter', 'quantiles', 'coarseNoise', 'fineNoise'], batch: 2 } as const;
  const back = (rendered: Rendered, planes: t.Tensor, posed: t.Tensor): Record<string, t.Tensor> => {
    const value = ALL.map((name) => t.reduceSum(rendered[name])).reduce(t.add);
    const [ofPlanes, ofPosed] = t.grad(value, [planes, posed]);
    return { ofPlanes: ofPlanes!, ofPosed: ofPosed! };
  };
  const points = (name: string): Program => {
    const inputs = { planes: t.f32(2, 96, 12, 12), points: t.f32(2, 77, 3) };
    const graph = t.trace(name, inputs, (given) => {
      const p = parametersOf(decoderShapes(32));
      const options = { ...DEFAULTS, depth: 1 };
      const { sigma, rgb } = field(decoderWeights(p), given.planes, given.points, options);
      const alone = density(decoderWeights(p), given.planes, given.points, options);
      const value = t.add(t.reduceSum(sigma), t.reduceSum(rgb));
      const found = t.grad(value, [given.planes, given.points, p.get('net.0.weight')]);
      return { sigma, rgb, alone, a: found[0]!, b: found[1]!, c: found[2]! };
    });
    return { graph, parameters: {}, inputs: {} };
  };
  const search = (): Program => {
    const { vertices, faces } = bumpySphere(3, 0.15);
    const block = meshBlock({ posed: vertices, canonical: vertices, faces, thickness: 0.1 });
    const declared = { mesh: t.i32(1, block.length), points: t.f32(1, 77, 3) };
    const graph = t.trace('search', declared, ({ mesh, points: given }) => ({
      ...findFaces(mesh, given),
      moved: carryPoints(mesh, given),
    }));
    return { graph, parameters: {}, inputs: {} };
  };
  const programs: readonly (readonly [string, () => Program])[] = [
    ['renderRays', () => compose(everything, 1)],
    ['renderRays', () => posedScene('faces', DEFAULTS, [6, 12])],
    ['renderRays', () => compose({ options: { activation: 'sigmoid', importanceSamples: 0 } }, 1)],
    ['renderRaysGrad', () => compose(everything, 1, gradients(ALL))],
    [
      'renderRaysGrad',
      () => compose({ options: { activation: 'lrelu', whiteBack: true } }, 1, gradients(ALL)),
    ],
    ['renderRaysGrad', () => posedScene('faces', DEFAULTS, [6, 12], back)],
    ...['decodePoints', 'decodeDensity', 'decodePointsGrad'].map(
      (name) => [name, () => points(name)] as const,
    ),
    ...['nearestFaces', 'deformPoints'].map((name) => [name, search] as const),
  ];
  test.each(programs)('%s %#', async (name, program) => {
    const checker = await openDevice(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
    expect(checker.features.has('shader-f16')).toBe(true);
    const node = fusedNamed(program(), name);
    for (const half of [true, false]) {
      for (const storage of ['f16', 'f32'] as const) {
        for (const bytes of [49_152, 32_768]) {
          const planning = narrowed(planningFor(checker, { software: false }, half), {
            maxComputeWorkgroupStorageSize: bytes,
          });
          const storageOf: Planning['storageOf'] = (tensor) =>
            tensor.dtype === 'float32' ? storage : planning.storageOf(tensor);
          const { dispatches } = planned(node, { ...planning, storageOf });
          const halved = dispatches.some((dispatch) =>
            /\bf16\b/.test(shaderOf(dispatch.code, dispatch.bound)),
          );
          expect(halved).toBe(storage === 'f16' || (half && /^(render|decode)/.test(name)));
          for (const dispatch of dispatches) {
            checker.pushErrorScope('validation');
            const module = checker.createShaderModule({ code: shaderOf(dispatch.code, dispatch.bound) });
            checker.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
            const message = (await checker.popErrorScope())?.message ?? '';
            // A device that computes nothing has little workgroup memory.
            if (!message.startsWith('The total use of workgroup storage'))
              expect(message, dispatch.label).toBe('');
            expect(dispatch.bound.length).toBeLessThanOrEqual(12);
          }
        }
      }
    }
    checker.destroy();
  });
});
