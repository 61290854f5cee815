/** The renderer's WGSL against its definitions in float64, on small random scenes. */

import { describe, expect, test } from 'vitest';
import { carryByMaps, carryPoints, faceMaps, findFaces, meshBlock } from '../../src/body/index.ts';
import type { Abilities } from '../../src/engines/webgpu/kernel.ts';
import { decoderWeights, density, field } from '../../src/portrait/decoder.ts';
import { parametersOf } from '../../src/portrait/parameters.ts';
import { type ByMesh, type Rendered, type RenderingOptions, render } from '../../src/portrait/renderer.ts';
import * as t from '../../src/tensor/index.ts';
import { bumpySphere } from '../body-shapes.ts';
import { distance, random, randomSource } from '../primitives/values.ts';
import { compose, DEFAULTS, decoderShapes, type Ending, gap, type Scene } from '../render-scene.ts';
import { planningFor } from './one-call.ts';
import {
  computed,
  defined,
  deviceOrReason,
  fusedNamed,
  inputsOf,
  type Program,
  planned,
} from './render-support.ts';

const found = await deviceOrReason();
const reason = typeof found === 'string' ? ` (${found})` : '';
const device = found as GPUDevice;
if (reason !== '') console.warn(`the renderer's shaders are not tested:${reason}`);

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
        expect(distance(array, expected[i]), `${name}, output ${i}`).toBeLessThan(4e-5);
      }
    }
  });
});

const scenes: readonly (readonly [string, Scene])[] = [
  ['the published settings', {}],
  ['one layer', { options: { depth: 1 } }],
  ['two layers, two pictures', { options: { depth: 2 }, batch: 2 }],
  ['every draw given', { draws: ['jitter', 'quantiles', 'coarseNoise', 'fineNoise'], batch: 2 }],
  ['no importance pass', { options: { importanceSamples: 0 } }],
  ['no importance pass, jitter', { options: { importanceSamples: 0 }, draws: ['jitter'] }],
  ['disparity', { options: { disparity: true } }],
  ['white behind', { options: { whiteBack: true } }],
  ['no crop', { options: { cropMargin: 0 } }],
  ['everything cropped', { options: { cropMargin: 2 } }],
  ['limits by the cube', { options: { rayStart: 'auto', rayEnd: 'auto' } }],
  ['a larger cube', { options: { boxWarp: 1.7 } }],
  ['sigmoid', { options: { activation: 'sigmoid' } }],
  ['leaky ReLU, slow learning', { options: { activation: 'lrelu', lrMultiplier: 0.5 } }],
  ['odd sizes', { n: 9, side: 13, options: { samples: 5, importanceSamples: 3 } }],
  ['thin fog', { density: -12 }],
  ['beside the crop, as hard as steel', { density: 2500 }],
  ['an opaque body', { density: 400, options: { samples: 48, importanceSamples: 24 } }],
  [
    'an opaque body, every draw given',
    { density: 400, options: { samples: 40 }, draws: ['jitter', 'quantiles', 'coarseNoise', 'fineNoise'] },
  ],
  [
    'an opaque body, samples out of order',
    { density: 300, options: { samples: 48, rayStart: 3.3, rayEnd: 2.25 } },
  ],
  ...(
    [
      [300, -300],
      [3000, 0],
    ] as const
  ).map(([contrast, density]): [string, Scene] => [
    `thin shells, contrast ${contrast}`,
    { contrast, density, side: 40, tolerance: 1e-4, options: { samples: 48, importanceSamples: 48 } },
  ]),
  ['half opaque', { density: 60, options: { samples: 48, importanceSamples: 48 } }],
];

describe.skipIf(reason !== '')(`rays${reason}`, () => {
  test.each(scenes)('%s', async (_, scene) => {
    const program = compose(scene, 1);
    const node = fusedNamed(program, 'renderRays');
    const given = inputsOf(program, node);
    const expected = defined(node, given);
    const made = await computed(device, node, given);
    for (const [i, array] of made.entries()) {
      const apart = distance(array, expected[i]);
      if (process.env.SHOW) console.log(_, i, apart);
      expect(apart, `output ${i}`).toBeLessThan(4 * (scene.tolerance ?? 1e-5));
    }
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

/** Rays through a posed sphere; moved by the block, by motions of the nearest faces, or of given ones. */
function posedScene(
  by: 'block' | 'maps' | 'faces',
  options: RenderingOptions,
  [n, side]: readonly [number, number],
  ending: (rendered: Rendered, planes: t.Tensor, posed: t.Tensor) => Record<string, t.Tensor> = (
    rendered,
  ) => ({
    ...rendered,
  }),
): Program {
  const { vertices, faces } = bumpySphere(8, 0.15);
  const batch = 2;
  const bodies = [0.2, -0.5].map((angle) => {
    const posed = new Float32Array(vertices.length);
    for (let v = 0; v < vertices.length; v += 3) {
      const [x, y, z] = vertices.subarray(v, v + 3);
      posed[v] = Math.cos(angle) * x - Math.sin(angle) * y + 0.02;
      posed[v + 1] = Math.sin(angle) * x + Math.cos(angle) * y;
      posed[v + 2] = 1.1 * z;
    }
    return posed;
  });
  const blocks = bodies.map((posed) => meshBlock({ posed, canonical: vertices, faces, thickness: 0.25 }));
  const words = blocks[0].length;
  const next = randomSource(11);
  const face = (count: number): t.NdArray => ({
    dtype: 'int32',
    shape: [batch, n * n * count],
    data: Int32Array.from({ length: batch * n * n * count }, () => Math.floor((next() * faces.length) / 3)),
  });
  const mesh = t.zerosFor(t.i32(batch, words));
  blocks.forEach((block, i) => {
    mesh.data.set(block, i * words);
  });
  const posed = t.zerosFor(t.f32(batch, vertices.length / 3, 3));
  bodies.forEach((body, i) => {
    posed.data.set(body, i * vertices.length);
  });
  const { samples, importanceSamples } = options;
  const given: Record<string, t.NdArray> =
    by === 'faces' ? { coarse: face(samples), fine: face(importanceSamples) } : {};
  const composed = compose({ batch, n, side, options }, 5);
  const inputs = { ...composed.inputs, mesh, posed, ...given };
  const graph = t.trace('posed', inputs as Record<string, t.NdArray>, (known) => {
    const canonical = t.constant(t.ndarray([vertices.length / 3, 3], vertices));
    const maps = faceMaps(known.posed, canonical, faces);
    const carry: ByMesh['carry'] = (block, points, motions, number) =>
      motions === undefined ? carryPoints(block, points) : carryByMaps(block, points, motions, number);
    const deform: ByMesh = {
      ...{ mesh: known.mesh, carry },
      ...(by === 'block' ? {} : { maps }),
      ...(by === 'faces' ? { faces: { coarse: known.coarse, fine: known.fine } } : {}),
    };
    const rendered = render(parametersOf(decoderShapes(32)), known.planes, known.c, n, options, {}, deform);
    return ending(rendered, known.planes, known.posed);
  });
  return { graph, parameters: composed.parameters, inputs };
}

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
      expect(apart, `output ${i}`).toBeLessThan(4e-5);
    }
  });
});

type Seen = 'features' | 'depth' | 'opacity';

const ALL: readonly Seen[] = ['features', 'depth', 'opacity'];

/** Gradients of the sum of what is seen, times random numbers. */
const gradients =
  (seen: readonly Seen[], wanted: readonly string[] = ['planes', ...decoderShapes(32).keys()]): Ending =>
  (rendered, planes, decoder) => {
    const value = seen
      .map((name, i) => {
        const weights = random('float32', rendered[name].shape, 40 + i);
        return t.reduceSum(t.mul(rendered[name], t.constant(weights)));
      })
      .reduce(t.add);
    const all: Record<string, t.Tensor> = { planes, ...decoder };
    const found = t.grad(
      value,
      wanted.map((name) => all[name]),
    );
    return { value, ...Object.fromEntries(wanted.map((name, i) => [name, found[i]!])) };
  };

const gradientScenes: readonly (readonly [
  string,
  Scene & { readonly seen?: readonly Seen[]; readonly wanted?: readonly string[] },
])[] = [
  ['the published settings', {}],
  ['features alone', { seen: ['features'] }],
  ['opacity alone', { seen: ['opacity'] }],
  // A mean depth does not follow densities that grow together: the last bias has a sum that nearly cancels.
  ['depth alone', { seen: ['depth'], tolerance: 2e-4 }],
  ['the planes alone', { wanted: ['planes'] }],
  ['the decoder alone', { wanted: ['net.0.weight', 'net.2.bias'] }],
  ['one layer', { options: { depth: 1 } }],
  ['two layers, two pictures', { options: { depth: 2 }, batch: 2 }],
  ['three pictures', { batch: 3, n: 5 }],
  ['every draw given', { draws: ['jitter', 'quantiles', 'coarseNoise', 'fineNoise'], batch: 2 }],
  ['no importance pass', { options: { importanceSamples: 0 } }],
  ['no importance pass, noise', { options: { importanceSamples: 0 }, draws: ['jitter', 'coarseNoise'] }],
  ['disparity', { options: { disparity: true } }],
  ['white behind', { options: { whiteBack: true } }],
  ['no crop', { options: { cropMargin: 0 } }],
  ['everything cropped', { options: { cropMargin: 2 } }],
  ['limits by the cube', { options: { rayStart: 'auto', rayEnd: 'auto' } }],
  ['a larger cube', { options: { boxWarp: 1.7 } }],
  ['sigmoid', { options: { activation: 'sigmoid' } }],
  [
    'leaky ReLU, slow learning, white',
    { options: { activation: 'lrelu', lrMultiplier: 0.5, whiteBack: true } },
  ],
  ['odd sizes', { n: 9, side: 13, options: { samples: 5, importanceSamples: 3 } }],
  ['thin fog', { density: -12, seen: ['features', 'opacity'], tolerance: 2e-2 }],
  ['an opaque body', { density: 400, options: { samples: 48, importanceSamples: 24 } }],
  ['half opaque', { density: 60, options: { samples: 48, importanceSamples: 48 } }],
  ['half opaque, sigmoid', { density: 60, options: { activation: 'sigmoid', samples: 48 } }],
];

describe.skipIf(reason !== '')(`gradients of rays${reason}`, () => {
  test.each(gradientScenes)('%s', async (_, scene) => {
    const program = compose(scene, 1, gradients(scene.seen ?? ALL, scene.wanted));
    const node = fusedNamed(program, 'renderRaysGrad');
    const given = inputsOf(program, node);
    const expected = defined(node, given);
    const made = await computed(device, node, given);
    const { outputs } = node.attrs.options as unknown as { outputs: string[] };
    for (const [i, array] of made.entries()) {
      const apart = gap(array, expected[i]);
      if (process.env.SHOW) console.log(_, outputs[i], apart);
      expect(apart, outputs[i]).toBeLessThan(4 * (scene.tolerance ?? 3e-5));
    }
  });
});

describe.skipIf(reason !== '')(`gradients of rays through a posed body${reason}`, () => {
  test.each([
    ['maps', {}],
    ['faces', {}],
    ['faces', { samples: 7, importanceSamples: 5, activation: 'sigmoid' }],
    ['faces', { importanceSamples: 0 }],
    ['block', {}],
  ] as const)('by %s, %o', async (by, changes) => {
    const program = posedScene(by, { ...DEFAULTS, ...changes }, [6, 12], (rendered, planes, posed) => {
      const value = ALL.map((name, i) => {
        const weights = random('float32', rendered[name].shape, 40 + i);
        return t.reduceSum(t.mul(rendered[name], t.constant(weights)));
      }).reduce(t.add);
      const found = t.grad(value, by === 'block' ? [planes] : [planes, posed]);
      return Object.fromEntries(found.map((tensor, i) => [`${i}`, tensor!]));
    });
    const node = fusedNamed(program, 'renderRaysGrad');
    const given = inputsOf(program, node);
    const expected = defined(node, given);
    const made = await computed(device, node, given);
    const { outputs } = node.attrs.options as unknown as { outputs: string[] };
    expect(outputs).toEqual(by === 'block' ? ['planes'] : ['planes', 'maps']);
    for (const [i, array] of made.entries()) {
      const apart = gap(array, expected[i]);
      if (process.env.SHOW) console.log(by, outputs[i], apart);
      expect(apart, outputs[i]).toBeLessThan(1.2e-4);
    }
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
    const { limits: all } = planning.abilities;
    const limits: Abilities['limits'] = {
      maxBufferSize: all.maxBufferSize,
      maxStorageBufferBindingSize: 2 * 64 * 6 * 170,
      maxStorageBuffersPerShaderStage: all.maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize: all.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: all.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupsPerDimension: all.maxComputeWorkgroupsPerDimension,
    };
    const narrow = planningFor(device, { limits });
    const calls = [narrow, planning].map((by) => planned(node, by).dispatches.length);
    expect(calls[0]).toBeGreaterThan(5 * calls[1]);
    const made = await computed(device, node, given, narrow);
    for (const [i, array] of made.entries()) {
      const apart = gap(array, expected[i]);
      if (process.env.SHOW) console.log(name, i, apart);
      expect(apart, `output ${i}`).toBeLessThan(1.2e-4);
    }
  });
});

describe.skipIf(reason !== '')(`gradients of decoded points${reason}`, () => {
  const cases = (['none', 'sigmoid', 'lrelu'] as const).flatMap((activation) =>
    (['colours', 'densities'] as const).map((what) => ({ activation, what })),
  );
  test.each(cases)('$activation, $what', async ({ activation, what }) => {
    const options = { ...DEFAULTS, activation };
    const shapes = decoderShapes(32);
    const inputs: Record<string, t.NdArray> = {
      planes: random('float32', [2, 288, 12, 12], 6),
      points: random('float32', [2, 77, 3], 7),
    };
    inputs.points.data.set(inputs.points.data.map((x) => x / 3));
    const graph = t.trace('field', inputs, ({ planes, points }) => {
      const p = parametersOf(shapes);
      const weights = decoderWeights(p);
      const made =
        what === 'colours'
          ? Object.values(field(weights, planes, points, options))
          : [density(weights, planes, points, options)];
      const value = made
        .map((tensor: t.Tensor, i) =>
          t.reduceSum(t.mul(tensor, t.constant(random('float32', tensor.shape, 50 + i)))),
        )
        .reduce(t.add);
      const wrt: Record<string, t.Tensor> = { planes, points };
      for (const name of shapes.keys()) wrt[name] = p.get(name);
      const found = t.grad(value, Object.values(wrt));
      return Object.fromEntries(Object.keys(wrt).map((name, i) => [name, found[i]!]));
    });
    const { parameters } = compose({}, 5);
    const program = { graph, parameters, inputs };
    const node = fusedNamed(program, 'decodePointsGrad');
    const given = inputsOf(program, node);
    const expected = defined(node, given);
    const made = await computed(device, node, given);
    const { outputs } = node.attrs.options as unknown as { outputs: string[] };
    expect(outputs.length).toBe(6);
    for (const [i, array] of made.entries()) {
      const apart = gap(array, expected[i]);
      if (process.env.SHOW) console.log(activation, what, outputs[i], apart);
      expect(apart, outputs[i]).toBeLessThan(4e-5);
    }
  });
});
