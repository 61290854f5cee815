/** What the engine does with values at the edges: NaN, wide expressions, indices of weights, memory given back. */

import { afterAll, describe, expect, test } from 'vitest';
import { compileProgram } from '../../src/engines/webgpu/compile.ts';
import { GpuError } from '../../src/engines/webgpu/gpu-error.ts';
import { webgpuEngine } from '../../src/engines/webgpu/index.ts';
import { primitiveKernels } from '../../src/engines/webgpu/primitives.ts';
import * as t from '../../src/tensor/index.ts';
import { testGpu } from './adapter.ts';
import { planningFor } from './one-call.ts';

const { device, missing } = await testGpu();
afterAll(() => device?.destroy());

const floats = (...values: number[]): t.NdArray => t.ndarray([values.length], values);
const wholes = (...values: number[]): t.NdArray => ({
  dtype: 'int32',
  shape: [values.length],
  data: Int32Array.from(values),
});

/** Limits that every device has. */
const { abilities } = planningFor({
  limits: {
    maxBufferSize: 2 ** 28,
    maxStorageBufferBindingSize: 2 ** 27,
    maxStorageBuffersPerShaderStage: 8,
    maxComputeWorkgroupStorageSize: 16_384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupsPerDimension: 65_535,
  },
  features: new Set(),
} as unknown as GPUDevice);
const settings = { abilities, kernels: primitiveKernels, half: false };

test('no shader binds more buffers than any device has', () => {
  const names = Array.from({ length: 16 }, (_, i) => `x${i}`);
  const avals = Object.fromEntries(names.map((name) => [name, t.f32(3)]));
  const graph = t.trace('wide', avals, (given) => {
    const four = (first: number) =>
      t.concat(
        names.slice(first, first + 4).map((name) => given[name]),
        0,
      );
    return { y: t.concat([four(0), four(4), four(8), four(12)], 0) };
  });
  const { steps } = compileProgram(graph, settings);
  expect(Math.max(...steps.map(({ bound }) => bound.length))).toBeLessThanOrEqual(8);
});

test('what is doubled again and again stays short', () => {
  const graph = t.trace('doubled', { x: t.f32(2) }, ({ x }) => {
    let y = x;
    for (let i = 0; i < 12; i++) y = t.concat([y, t.reverse(y, [0])], 0);
    return { y };
  });
  const { steps } = compileProgram(graph, settings);
  expect(Math.max(...steps.map(({ shader }) => shader.length))).toBeLessThan(30_000);
});

test('more elements than can be numbered are refused, also where none is stored', () => {
  const graph = t.trace('many', { x: t.f32(1, 1) }, ({ x }) => ({
    y: t.reduceSum(t.add(t.broadcastTo(x, [65_536, 65_537]), 1)),
  }));
  expect(() => compileProgram(graph, settings)).toThrow(GpuError);
});

describe.skipIf(missing)(`on an adapter${missing}`, () => {
  const run = async (graph: t.Graph, inputs: t.Arrays): Promise<Record<string, number[]>> => {
    const engine = webgpuEngine({ device: device as GPUDevice });
    const outputs = await (await engine.compile(graph)).run(inputs);
    await engine.dispose();
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...data]]));
  };

  test('NaN stays: in extremes, and last in sorted rows', async () => {
    const graph = t.trace('nan', { x: t.f32(4) }, ({ x }) => {
      const { values, indices } = t.sort(t.reshape(x, [1, 4]));
      return {
        values,
        indices,
        most: t.reduceMax(x),
        least: t.reduceMin(x),
        pooled: t.maxPool(t.reshape(x, [1, 1, 1, 4]), [1, 4]),
      };
    });
    expect(await run(graph, { x: floats(3, Number.NaN, 1, Number.NaN) })).toEqual({
      values: [1, 3, Number.NaN, Number.NaN],
      indices: [2, 0, 1, 3],
      most: [Number.NaN],
      least: [Number.NaN],
      pooled: [Number.NaN],
    });
  });

  test('whole numbers are divided by 0 to 0, and raised to whole powers exactly', async () => {
    const graph = t.trace('whole', { x: t.i32(3), y: t.i32(3) }, ({ x, y }) => ({
      none: t.div(x, 0),
      power: t.pow(x, y),
    }));
    expect(await run(graph, { x: wholes(7, 10, -3), y: wholes(9, 7, 3) })).toEqual({
      none: [0, 0, 0],
      power: [40_353_607, 10_000_000, -27],
    });
  });

  test('indices among the weights are checked when a program is loaded', async () => {
    const engine = webgpuEngine({ device: device as GPUDevice });
    const graph = t.trace('fixed', { x: t.f32(2) }, ({ x }) => ({
      y: t.add(
        x,
        t.broadcastTo(t.reduceSum(t.gather(t.parameter('w', t.f32(3)), t.parameter('k', t.i32(2)))), [2]),
      ),
    }));
    const w = floats(1, 2, 3);
    await expect(engine.compile(graph, { parameters: { w, k: wholes(0, 7) } })).rejects.toThrow(
      /^fixed: gather@engine\.test\.ts:\d+: an index is out of range$/,
    );
    const program = await engine.compile(graph, { parameters: { w, k: wholes(0, 2) } });
    const { y } = await program.run({ x: floats(0, 0) });
    expect([...y.data]).toEqual([4, 4]);
    await engine.dispose();
  });

  test('disposing gives all memory back, also that of programs and values nobody gave back', async () => {
    const live = new Set<GPUBuffer>();
    const counting = new Proxy(device as GPUDevice, {
      get: (target, name) => {
        const value = Reflect.get(target, name, target);
        if (name !== 'createBuffer') return typeof value === 'function' ? value.bind(target) : value;
        return (descriptor: GPUBufferDescriptor) => {
          const buffer = target.createBuffer(descriptor);
          const { destroy } = buffer;
          live.add(buffer);
          buffer.destroy = () => {
            live.delete(buffer);
            return destroy.call(buffer);
          };
          return buffer;
        };
      },
    });
    const engine = webgpuEngine({ device: counting });
    const graph = t.trace('kept', { x: t.f32(3) }, ({ x }) => ({
      y: t.mul(x, t.exp(t.parameter('w', t.f32(3)))),
    }));
    const program = await engine.compile(graph, { parameters: { w: floats(1, 2, 3) } });
    await program.runResident({ x: await engine.upload(floats(1, 1, 1)) });
    await program.run({ x: floats(1, 2, 3) });
    expect(live.size).toBeGreaterThan(2);
    await engine.dispose();
    expect(live.size).toBe(0);
  });

  test('goes on after buffers that could not be had', async () => {
    let refusing = false;
    const meagre = new Proxy(device as GPUDevice, {
      get: (target, name) => {
        const value = Reflect.get(target, name, target);
        if (name !== 'createBuffer') return typeof value === 'function' ? value.bind(target) : value;
        // What cannot be had has the size that was asked for, and every use of it is refused.
        return (descriptor: GPUBufferDescriptor) =>
          target.createBuffer(
            refusing ? { ...descriptor, size: 2 * target.limits.maxBufferSize } : descriptor,
          );
      },
    });
    const engine = webgpuEngine({ device: meagre });
    const graph = t.trace('sums', { x: t.f32(4) }, ({ x }) => {
      const sum = t.reduceSum(t.exp(x));
      return { y: t.div(t.reduceSum(t.mul(x, t.broadcastTo(sum, [4]))), sum) };
    });
    const program = await engine.compile(graph);
    refusing = true;
    await expect(program.run({ x: floats(1, 2, 3, 4) })).rejects.toThrow(GpuError);
    refusing = false;
    for (let again = 0; again < 2; again++) {
      const { y } = await program.run({ x: floats(1, 2, 3, 4) });
      expect(y.data[0]).toBeCloseTo(10, 4);
    }
    await engine.dispose();
  });

  test('a run that is not begun keeps nothing', async () => {
    const engine = webgpuEngine({ device: device as GPUDevice });
    const graph = t.trace('pair', { a: t.f32(3), b: t.f32(3) }, ({ a, b }) => ({ y: t.add(a, b) }));
    const program = await engine.compile(graph);
    const gone = await engine.upload(floats(1, 2, 3));
    await engine.release(gone);
    const { held } = engine.memory();
    await expect(program.run({ a: floats(1, 2, 3), b: gone })).rejects.toThrow(
      'a resident value was released',
    );
    expect(engine.memory().held).toBe(held);
    await expect(engine.upload({ ...floats(1), shape: [4] })).rejects.toThrow('has 1 values');
    await engine.dispose();
    await expect(engine.upload(floats(1))).rejects.toThrow('the webgpu engine was disposed');
  });
});
