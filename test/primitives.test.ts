/** Every primitive on every engine against the reference, and the laws that tie primitives together. */

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { allRules } from '../src/engines/onnx/rules/all.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { webEngine } from '../src/engines/web/index.ts';
import type { NdArray } from '../src/tensor/index.ts';
import { adjointPairs, innerProductsApart } from './primitives/adjoints.ts';
import { type Case, disagreements, runCases } from './primitives/case.ts';
import { shapeFamilies } from './primitives/shapes.ts';
import { table } from './primitives/table.ts';
import { allowance, gpuEngines } from './webgpu/adapter.ts';

const reference = referenceEngine();
const cpu = cpuEngine({ threads: 2 });
const web = webEngine({ threads: 1 });
const gpus = await gpuEngines();

afterAll(async () => {
  await cpu.dispose();
  for (const engine of [web, ...gpus]) await engine.dispose();
});

test('the table has a row for every operation that engines write', () => {
  const rows = new Set(Object.keys(table));
  expect(Object.keys(allRules).filter((name) => !name.startsWith('fused:') && !rows.has(name))).toEqual([]);
});

describe.each(Object.keys(table))('%s', (name) => {
  const { cases, tolerance } = table[name];
  let expected: NdArray[][];
  beforeAll(async () => {
    expected = await runCases(reference, name, cases);
  });
  test.each([cpu, web, ...gpus])('$name as the reference', async (engine) => {
    expect(
      disagreements(cases, await runCases(engine, name, cases), expected, tolerance * allowance(engine)),
    ).toEqual([]);
  });
});

describe.each([cpu, ...gpus])('random shapes on $name', (engine) => {
  // Worst measured over 20 seeds: convolutions 9.0e-6 (weight gradients sum up to 484 products), matmul 3.7e-7,
  // reductions 3.0e-7, the others 0.
  const tolerances: Record<string, number> = { convolution: 3e-5 };
  test.each(Object.keys(shapeFamilies))('%s', async (family) => {
    const drawn: Case[] = fc.sample(shapeFamilies[family], { numRuns: 60, seed: 4242 });
    const expected = await runCases(reference, family, drawn);
    expect(
      disagreements(
        drawn,
        await runCases(engine, family, drawn),
        expected,
        (tolerances[family] ?? 1e-6) * allowance(engine),
      ),
    ).toEqual([]);
  });
});

describe('adjoints: <A x, y> = <x, A* y>', () => {
  test.each([reference, cpu, ...gpus])('on $name', async (engine) => {
    const cases = adjointPairs();
    const results = await runCases(engine, 'adjoints', cases);
    const found = cases.map(({ name, inputs: [x, y] }, i) => {
      const [forward, backward] = results[i];
      return [name, innerProductsApart(forward, y, x, backward)] as const;
    });
    // Worst measured: 9.8e-8, from results rounded to float32.
    expect(found.filter(([, apart]) => !(apart < 5e-7))).toEqual([]);
  });
});
