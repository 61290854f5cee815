/** Programs that hold gradients and gradients of gradients, on every engine against the reference. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { webEngine } from '../src/engines/web/index.ts';
import type { NdArray } from '../src/tensor/index.ts';
import { gap, gradientRows } from './gradients/derived.ts';
import { runCases } from './primitives/case.ts';
import { allowance, gpuEngines } from './webgpu/adapter.ts';

const reference = referenceEngine();
const engines = [cpuEngine({ threads: 2 }), webEngine({ threads: 1 }), ...(await gpuEngines())];
afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});

describe.each(Object.keys(gradientRows))('%s', (name) => {
  const cases = gradientRows[name];
  let expected: NdArray[][];
  beforeAll(async () => {
    expected = await runCases(reference, name, cases);
  });
  test.each(engines)('$name as the reference', async (engine) => {
    const found = await runCases(engine, name, cases);
    const apart = cases.map((one, i) => ({
      name: one.name,
      worst: Math.max(0, ...found[i].map((array, k) => gap(array, expected[i][k]))),
    }));
    // Worst measured: 1.4e-6.
    expect(apart.filter(({ worst }) => !(worst < 1e-5 * allowance(engine)))).toEqual([]);
  });
});
