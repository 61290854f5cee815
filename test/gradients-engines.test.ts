/** Programs that hold gradients and gradients of gradients, on every engine against the reference. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { webEngine } from '../src/engines/web/index.ts';
import * as t from '../src/tensor/index.ts';
import { composites } from './gradients/composites.ts';
import { type Case, runCases } from './primitives/case.ts';
import { table } from './primitives/table.ts';
import { allowance, gpuEngines } from './webgpu/adapter.ts';

const reference = referenceEngine();
const engines = [cpuEngine({ threads: 2 }), webEngine({ threads: 1 }), ...(await gpuEngines())];
afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});

/** The case's first and second gradients, of sums of squares. */
function derived(one: Case): Case {
  const program: Case['program'] = (...given) => {
    const wrt = given.filter(({ dtype }) => dtype === 'float32');
    const squares = (tensors: readonly (t.Tensor | undefined)[]) =>
      tensors.reduce<t.Tensor>((sum, y) => {
        if (y === undefined) return sum;
        const value = t.cast(y, 'float32');
        return t.add(sum, t.mul(t.reduceSum(t.mul(value, value)), 0.1));
      }, t.constant(0));
    const first = t.grad(squares([one.program(...given)].flat() as t.Tensor[]), wrt);
    const second = t.grad(squares(first), wrt);
    return [...first, ...second].filter((tensor) => tensor !== undefined);
  };
  return { ...one, program };
}

/** Largest difference in units of the expected array's largest magnitude: second gradients are sums of hundreds
 * that cancel. */
function gap(found: t.NdArray, expected: t.NdArray): number {
  const largest = Math.max(1, ...[...expected.data].map(Math.abs));
  return Math.max(0, ...[...expected.data].map((value, i) => Math.abs(found.data[i] - value))) / largest;
}

/** Quotients, logarithms and roots of numbers near 0 amplify rounding: their rules are other primitives' anyway. */
const STEEP = new Set(['div', 'log', 'sqrt', 'pow', 'exp', 'stopGradient']);

const rows: Record<string, Case[]> = Object.fromEntries(
  [...Object.entries(table).map(([name, { cases }]) => [name, cases] as const), ...Object.entries(composites)]
    .filter(([name]) => !STEEP.has(name))
    .map(([name, cases]) => [
      name,
      cases.filter((one) => !/special|signed|nearest even/.test(one.name)).map(derived),
    ]),
);

describe.each(Object.keys(rows))('%s', (name) => {
  const cases = rows[name];
  let expected: t.NdArray[][];
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
