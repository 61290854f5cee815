/** Weights on a device: shared by programs, and not kept in the memory of the process besides. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import { webgpuEngine } from '../../src/engines/webgpu/index.ts';
import * as t from '../../src/tensor/index.ts';
import { testGpu } from './adapter.ts';

const { device, missing } = await testGpu();
afterAll(() => device?.destroy());

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const scaled = (by: number) =>
  t.trace('scaled', { x: t.f32(4) }, ({ x }) => ({ y: t.mul(t.mul(x, t.parameter('w', t.f32(4))), by) }));
const x = t.ndarray([4], [1, 2, 3, 4]);

test.skipIf(missing)(`programs share weights, and only the device keeps them${missing}`, async () => {
  const engine = webgpuEngine({ device: device as GPUDevice });
  const parameters = { w: t.ndarray([4], [1, 10, 100, 1000]) };
  const first = await engine.compile(scaled(2), { parameters });
  const one = engine.memory().held;
  const second = await engine.compile(scaled(3), { parameters });
  expect(engine.memory().held).toBe(one);
  const weights = new WeakRef(parameters.w.data);
  parameters.w = t.ndarray([4], [0, 0, 0, 0]);
  // What a WeakRef gave in this turn of the event loop lives until its end.
  await new Promise((resolve) => setTimeout(resolve));
  collectGarbage();
  expect(weights.deref()).toBeUndefined();
  expect([...(await second.run({ x })).y.data]).toEqual([3, 60, 900, 12000]);
  await second.dispose();
  expect([...(await first.run({ x })).y.data]).toEqual([2, 40, 600, 8000]);
  await first.dispose();
  expect(engine.memory().held).toBe(0);
  await engine.dispose();
});
