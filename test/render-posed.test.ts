/** Rendering a posed body in one kernel, against the renderer's definition over the deformation kernel. */

import { afterAll, expect, test } from 'vitest';
import { carryPoints, meshBlock } from '../src/body/index.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { kernelModule } from '../src/engines/kernels/index.ts';
import { planProgram } from '../src/engines/onnx/planner.ts';
import { cameraLabel, viewCamera } from '../src/portrait/camera.ts';
import { parametersOf } from '../src/portrait/parameters.ts';
import { type Deformation, type RenderingOptions, render } from '../src/portrait/renderer.ts';
import * as t from '../src/tensor/index.ts';
import { bumpySphere } from './body-shapes.ts';
import { distance, random } from './primitives/values.ts';
import { DEFAULTS } from './render-scene.ts';

const module = kernelModule();
const fusedWhole = cpuEngine({ threads: 2 });
const inParts = cpuEngine({
  threads: 2,
  kernels: { ...module, kernels: module.kernels.filter(({ name }) => name !== 'renderRays') },
});

afterAll(async () => {
  await fusedWhole.dispose();
  await inParts.dispose();
});

const options: RenderingOptions = { ...DEFAULTS, samples: 12, importanceSamples: 12 };

test('two poses, moved by their nearest faces', async () => {
  const { vertices, faces } = bumpySphere(12, 0.15);
  const blocks = [0.2, -0.5].map((angle) => {
    const posed = new Float32Array(vertices.length);
    for (let v = 0; v < vertices.length; v += 3) {
      const [x, y, z] = vertices.subarray(v, v + 3);
      posed[v] = Math.cos(angle) * x - Math.sin(angle) * y + 0.02;
      posed[v + 1] = Math.sin(angle) * x + Math.cos(angle) * y;
      posed[v + 2] = 1.1 * z;
    }
    return meshBlock({ posed, canonical: vertices, faces, thickness: 0.25 });
  });
  const words = Math.max(...blocks.map(({ length }) => length));
  const mesh = new Int32Array(2 * words);
  blocks.forEach((block, i) => {
    mesh.set(block, i * words);
  });
  const shapes = new Map<string, t.Aval>([
    ['net.0.weight', t.f32(64, 32)],
    ['net.0.bias', t.f32(64)],
    ['net.2.weight', t.f32(33, 64)],
    ['net.2.bias', t.f32(33)],
  ]);
  const n = 15;
  const declared = { planes: t.f32(2, 288, 16, 16), c: t.f32(2, 25), mesh: t.i32(2, words) };
  const trace = (deform?: Deformation) => (given: Readonly<Record<keyof typeof declared, t.Tensor>>) => ({
    ...render(parametersOf(shapes), given.planes, given.c, n, options, {}, deform),
  });
  const graph = t.trace('render', declared, (given) =>
    trace({ mesh: given.mesh, carry: carryPoints })(given),
  );
  const parameters = Object.fromEntries(
    [...shapes].map(([name, { shape }], i) => [name, random('float32', shape, i + 1)]),
  );
  expect(
    planProgram(graph, module, parameters).steps.some(
      (step) => step.kind === 'threaded' && step.entry === 'renderRays',
    ),
  ).toBe(true);
  const inputs = {
    planes: random('float32', [2, 288, 16, 16], 9),
    c: t.ndarray(
      [2, 25],
      [20, -70].flatMap((yaw) => [...cameraLabel(viewCamera(yaw, 10))]),
    ),
    mesh: { dtype: 'int32' as const, shape: [2, words], data: mesh },
  };
  const expected = await (await inParts.compile(graph, { parameters })).run(inputs);
  const found = await (await fusedWhole.compile(graph, { parameters })).run(inputs);
  for (const name of ['features', 'depth', 'opacity']) {
    if (process.env.SHOW) console.log(name, distance(found[name], expected[name]));
    expect(distance(found[name], expected[name]), name).toBeLessThan(1e-4);
  }
  // The poses do move the picture.
  const unposed = await (await fusedWhole.compile(t.trace('still', declared, trace()), { parameters })).run(
    inputs,
  );
  expect(distance(unposed.features, expected.features)).toBeGreaterThan(0.1);
});
