/** Half precision: what is stored so, and that devices with `shader-f16` and matrix units take the shaders. They are
 * checked by Dawn's null device, which computes nothing: a software adapter has no half precision. */

import { expect, test } from 'vitest';
import { compileProgram } from '../../src/engines/webgpu/compile.ts';
import { denseKernels } from '../../src/engines/webgpu/dense/index.ts';
import { webgpuEngine } from '../../src/engines/webgpu/index.ts';
import { openNodeDevice } from '../../src/engines/webgpu/node.ts';
import { primitiveKernels } from '../../src/engines/webgpu/primitives.ts';
import { generatorConfig } from '../../src/portrait/config.ts';
import { picturesGraph, planesGraph, renderGraph } from '../../src/portrait/generator.ts';
import { generatorRecord, presetOf } from '../../src/portrait/presets.ts';
import * as t from '../../src/tensor/index.ts';
import { planningFor } from './one-call.ts';

const checker = await openNodeDevice({
  dawnFlags: ['backend=null', 'enable-dawn-features=allow_unsafe_apis'],
  features: ['shader-f16'],
}).catch((error) => console.warn(`SKIPPED half precision: ${error}`));

const { abilities } = planningFor(
  {
    limits: {
      maxBufferSize: 2 ** 31,
      maxStorageBufferBindingSize: 2 ** 31 - 4,
      maxStorageBuffersPerShaderStage: 10,
      maxComputeWorkgroupStorageSize: 32_768,
      maxComputeInvocationsPerWorkgroup: 256,
      maxComputeWorkgroupsPerDimension: 65_535,
    },
    features: new Set(['shader-f16']),
  } as unknown as GPUDevice,
  { software: false },
);
const settings = { abilities, kernels: [...primitiveKernels, ...denseKernels] };

/** Two convolutions with a scattered image added between them. */
const layers = t.trace('layers', { x: t.f32(1, 8, 64, 64), at: t.i32(64) }, ({ x, at }) => {
  const weight = t.parameter('w', t.f32(8, 8, 3, 3));
  const first = t.conv2d(x, weight, { padding: 1 });
  const scattered = t.scatterAdd(first, at, 64, 3);
  const second = t.conv2d(t.tanh(t.add(first, scattered)), weight, { padding: 1 });
  return { y: second, small: t.conv2d(first, t.parameter('v', t.f32(1, 8, 64, 64))) };
});

test('large intermediate images alone are stored in half precision', () => {
  const storages = (half: boolean) =>
    compileProgram(layers, { ...settings, half })
      .values.filter(({ bytes }) => bytes >= 1024)
      .map(({ kind, storage }) => `${kind} ${storage}`)
      .sort();
  expect(storages(false).filter((text) => text.endsWith('f16'))).toEqual([]);
  // The sum alone: what a scatter reads and writes is words.
  const halved = storages(true);
  expect(halved.filter((text) => text === 'transient f16').length).toBe(1);
  expect(halved.filter((text) => text.endsWith('f16') && !text.startsWith('transient'))).toEqual([]);
  expect(halved).toContain('transient f32');
});

test.skipIf(!checker)('a device with half precision takes the shaders of whole stages', async () => {
  const device = checker as GPUDevice;
  const preset = presetOf('64-32');
  const { shapes, ...record } = generatorRecord(preset);
  const network = { config: generatorConfig({ shapes, ...record }), shapes };
  const engine = webgpuEngine({ device, half: true });
  const n = network.config.neuralResolution;
  for (const graph of [
    planesGraph(network, 1, 'const'),
    renderGraph(network, 1, n, network.config.rendering),
    picturesGraph(network, 1, n, true),
  ]) {
    const parameters = Object.fromEntries(
      graph.parameters.map(({ name, tensor }) => [name, t.zerosFor(tensor)]),
    );
    const program = await engine.compile(graph, { parameters });
    await program.dispose();
  }
  await engine.dispose();
  device.destroy();
});
