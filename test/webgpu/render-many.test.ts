/** So many points that a workgroup decodes several blocks of them, one after the other. */

import { afterAll, expect, test } from 'vitest';
import { cpuEngine } from '../../src/engines/cpu/index.ts';
import { decoderWeights, field } from '../../src/portrait/decoder.ts';
import { parametersOf } from '../../src/portrait/parameters.ts';
import * as t from '../../src/tensor/index.ts';
import { distance, random } from '../primitives/values.ts';
import { decoderShapes } from '../render-scene.ts';
import { gpuEngines } from './adapter.ts';

const [gpu] = await gpuEngines();
const cpu = cpuEngine({ threads: 2 });
afterAll(async () => {
  await cpu.dispose();
  await gpu?.dispose();
});

test.skipIf(gpu === undefined)('points in several blocks a workgroup', async () => {
  const shapes = decoderShapes(32);
  const inputs = {
    planes: random('float32', [1, 96, 8, 8]),
    points: random('float32', [1, (1 << 18) + 77, 3]),
  };
  const graph = t.trace('many', inputs, ({ planes, points }) => ({
    ...field(decoderWeights(parametersOf(shapes)), planes, points, {
      ...{ depth: 1, boxWarp: 4, activation: 'none', lrMultiplier: 1 },
    }),
  }));
  const parameters = Object.fromEntries(
    [...shapes].map(([name, { shape }], i) => [name, random('float32', shape, i)]),
  );
  const [expected, found] = await Promise.all(
    [cpu, gpu].map(async (engine) => (await engine.compile(graph, { parameters })).run(inputs)),
  );
  expect(distance(found.sigma, expected.sigma)).toBeLessThan(4e-5);
  expect(distance(found.rgb, expected.rgb)).toBeLessThan(4e-5);
});
