/** Everything that goes wrong with a GPU is an error that says so, and nothing is wrong in silence. */

import { afterAll, describe, expect, test } from 'vitest';
import { GpuError, openDevice, webgpuEngine } from '../../src/engines/webgpu/index.ts';
import type { Kernel } from '../../src/engines/webgpu/kernel.ts';
import { openNodeDevice } from '../../src/engines/webgpu/node.ts';
import * as t from '../../src/tensor/index.ts';
import { testGpu } from './adapter.ts';

const { device, missing } = await testGpu();
afterAll(() => device?.destroy());

const doubled = () => t.trace('doubled', { x: t.f32(3) }, ({ x }) => ({ y: t.mul(x, 2) }));
const x = t.ndarray([3], [1, 2, 3]);

/** What a promise fails with, which must be a GpuError. */
async function troubleOf(failure: Promise<unknown>): Promise<{ trouble: string; message: string }> {
  const error = await failure.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GpuError);
  return error as GpuError;
}

describe('without a GPU', () => {
  test('a page without WebGPU', async () => {
    const { trouble, message } = await troubleOf(openDevice(undefined));
    expect(trouble).toBe('unavailable');
    expect(message).toContain('another engine');
  });

  test('no adapter', async () => {
    const { trouble } = await troubleOf(openDevice({ requestAdapter: async () => null } as unknown as GPU));
    expect(trouble).toBe('unavailable');
  });

  test('an adapter below what shaders need', async () => {
    const limits = {
      maxStorageBuffersPerShaderStage: 4,
      maxComputeInvocationsPerWorkgroup: 256,
      maxComputeWorkgroupStorageSize: 16384,
    };
    const adapter = { limits, features: new Set(), info: { vendor: 'small' } };
    const { trouble, message } = await troubleOf(
      openDevice({ requestAdapter: async () => adapter } as unknown as GPU),
    );
    expect(trouble).toBe('limit');
    expect(message).toContain(
      'the adapter small has maxStorageBuffersPerShaderStage 4; at least 8 is needed',
    );
  });
});

describe.skipIf(missing)(`on an adapter${missing}`, () => {
  test('a feature that no adapter has', async () => {
    const { trouble, message } = await troubleOf(openNodeDevice({ features: ['mind-reading'] }));
    expect(trouble).toBe('feature');
    expect(message).toContain('"mind-reading"');
  });

  test('half precision on a device that was opened without it', async () => {
    const plain = new Proxy(device as GPUDevice, {
      get: (target, name) => {
        if (name === 'features') return new Set(['timestamp-query']);
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    expect(() => webgpuEngine({ device: plain, half: true })).toThrow(/shader-f16/);
  });

  test('a value that no buffer holds', async () => {
    const engine = webgpuEngine({ device: device as GPUDevice });
    const count = Math.min(device!.limits.maxBufferSize, device!.limits.maxStorageBufferBindingSize) / 4 + 4;
    const graph = t.trace('huge', { x: t.f32(1) }, ({ x: one }) => ({
      y: t.exp(t.broadcastTo(one, [count])),
    }));
    const { trouble, message } = await troubleOf(engine.compile(graph));
    expect(trouble).toBe('limit');
    expect(message).toMatch(
      /^huge: .*errors\.test\.ts:\d+ takes \d+ MB but a buffer of this device holds \d+ MB/,
    );
    await engine.dispose();
  });

  test('a shader that the device refuses', async () => {
    const broken: Kernel = {
      name: 'sort',
      plan: () => ({
        dispatches: [{ label: 'broken', code: 'fn main( {', bound: [], groups: [1, 1, 1] }],
      }),
    };
    const engine = webgpuEngine({ device: device as GPUDevice, kernels: [broken] });
    const graph = t.trace('sorted', { x: t.f32(1, 3) }, ({ x: row }) => ({ y: t.sort(row).values }));
    const { trouble, message } = await troubleOf(engine.compile(graph));
    expect(trouble).toBe('validation');
    expect(message).toContain('a shader was refused');
    await engine.dispose();
  });

  test('a dispatch that the device refuses, also when nobody waits for it', async () => {
    const most = device!.limits.maxComputeWorkgroupsPerDimension;
    const wide: Kernel = {
      name: 'sort',
      plan: () => ({
        dispatches: [
          {
            label: 'wide',
            code: '@compute @workgroup_size(1) fn main() { values[0] = 1.0; order[0] = 1; }',
            bound: [
              { name: 'values', at: { output: 0 }, type: 'f32', write: true },
              { name: 'order', at: { output: 1 }, type: 'i32', write: true },
            ],
            groups: [most + 1, 1, 1],
          },
        ],
      }),
    };
    const engine = webgpuEngine({ device: device as GPUDevice, kernels: [wide] });
    const graph = t.trace('sorted', { x: t.f32(1, 3) }, ({ x: row }) => ({ y: t.sort(row).values }));
    const program = await engine.compile(graph);
    const row = t.ndarray([1, 3], [3, 1, 2]);
    expect((await troubleOf(program.run({ x: row }))).trouble).toBe('validation');
    const { y } = await program.runResident({ x: row });
    await device!.queue.onSubmittedWorkDone();
    expect((await troubleOf(engine.download(y))).trouble).toBe('validation');
    // The refused run is the one that fails, whatever runs beside and after it.
    const good = await engine.compile(doubled());
    const [bad, beside] = await Promise.allSettled([program.run({ x: row }), good.run({ x })]);
    expect(bad).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('sorted') } });
    expect(beside).toMatchObject({ status: 'fulfilled' });
    expect([...(await good.run({ x })).y.data]).toEqual([2, 4, 6]);
    await engine.dispose();
  });

  test('an index out of range is told by the next call that waits', async () => {
    const engine = webgpuEngine({ device: device as GPUDevice });
    const graph = t.trace('rows', { x: t.f32(3), k: t.i32(2) }, ({ x: rows, k }) => ({
      y: t.gather(rows, k),
    }));
    const program = await engine.compile(graph);
    const far = { ...t.zerosFor(t.i32(2)), data: Int32Array.of(0, 3) };
    await expect(program.run({ x, k: far })).rejects.toThrow(
      /^rows: gather@errors\.test\.ts:\d+: an index is out of range$/,
    );
    const { y } = await program.runResident({ x, k: far });
    await device!.queue.onSubmittedWorkDone();
    await expect(engine.download(y)).rejects.toThrow(/an index is out of range/);
    await engine.dispose();
  });

  test('a lost device: every call says so, and a new device goes on', async () => {
    const doomed = await openNodeDevice();
    const engine = webgpuEngine({ device: doomed });
    const program = await engine.compile(doubled());
    const held = await engine.upload(x);
    expect([...(await program.run({ x })).y.data]).toEqual([2, 4, 6]);
    const inFlight = program.run({ x: held });
    doomed.destroy();
    const outcome = await inFlight.then(
      ({ y }) => [...y.data],
      (error) => error.trouble,
    );
    expect([[2, 4, 6], 'lost']).toContainEqual(outcome);
    await doomed.lost;
    const other = t.trace('other', { x: t.f32(3) }, (given) => ({ y: t.exp(given.x) }));
    const calls = [
      () => program.run({ x }),
      () => engine.compile(other),
      () => engine.upload(x),
      () => engine.download(held),
    ];
    for (const call of calls) {
      const { trouble, message } = await troubleOf(call());
      expect(trouble).toBe('lost');
      expect(message).toContain('make a new engine');
    }
    await engine.dispose();
    const next = webgpuEngine({ device: device as GPUDevice });
    const again = await next.compile(doubled());
    expect([...(await again.run({ x })).y.data]).toEqual([2, 4, 6]);
    await next.dispose();
  });
});
