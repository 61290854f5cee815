/** Gradients of every primitive and composite: against finite differences, to the second order, and by their laws. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { evaluate } from '../src/tensor/evaluate.ts';
import { allGradients } from '../src/tensor/gradients/all.ts';
import { flat } from '../src/tensor/gradients/rule.ts';
import { inline } from '../src/tensor/graph.ts';
import { hostArrayOf } from '../src/tensor/host.ts';
import * as t from '../src/tensor/index.ts';
import { composites } from './gradients/composites.ts';
import { compareWithDifferences, type Domain } from './gradients/differences.ts';
import { adjointPairs, innerProductsApart } from './primitives/adjoints.ts';
import { type Case, runCases } from './primitives/case.ts';
import { table } from './primitives/table.ts';
import { distance } from './primitives/values.ts';

const reference = referenceEngine();

/** Worst measured: 5.3e-9. */
const TOLERANCE = 1e-7;

/** Away from 0, where quotients and powers are steep and roots end. */
const away: Domain = (x) => x + 0.4 * (x < 0 ? -1 : 1);
const positive: Domain = (x) => Math.abs(x) + 0.2;
const DOMAINS: Readonly<Record<string, Domain>> = { log: positive, sqrt: positive };

/** Half precision has no derivative to measure, special values have none at all, and of 300 sorted numbers some
 * change places within a step. */
function smooth({ name, inputs, program }: Case): boolean {
  if (/special values|5,300|signed zeros|nearest even|towards zero|not zero is true/.test(name)) return false;
  const symbols = inputs.map((value, i) => t.input(String(i), value));
  const outputs = [program(...symbols)].flat() as t.Tensor[];
  return [...symbols, ...outputs].every(({ dtype }) => dtype !== 'float16');
}

test('every primitive has a rule, and every rule a row of cases', () => {
  const rows = Object.keys(table);
  expect(rows.filter((name) => allGradients[name] === undefined)).toEqual([]);
  expect(Object.keys(allGradients).filter((name) => name !== 'source' && !rows.includes(name))).toEqual([]);
});

/** Not the derivative of its values, on purpose. */
const primitives = Object.keys(table).filter((name) => name !== 'stopGradient');

describe.each(primitives)('%s', (name) => {
  const cases = table[name].cases.filter(smooth);
  test.each([1, 2] as const)('order %i as differences', (order) => {
    const found = cases.map((one) => ({
      name: one.name,
      ...compareWithDifferences(one, order, DOMAINS[name] ?? away),
    }));
    expect(found.filter(({ apart }) => !(apart < TOLERANCE))).toEqual([]);
    const sloped = found.some((one) => one.sloped);
    // Rounding to half precision is the only slope of a cast, and has a test of its own.
    if (allGradients[name] === flat || name === 'cast') expect(sloped).toBe(false);
    else expect(sloped).toBe(true);
  });
});

test('every composite that the package exports is differentiated here', () => {
  const index = readFileSync(new URL('../src/tensor/index.ts', import.meta.url), 'utf8');
  const exported = [...index.matchAll(/export \{([^}]*)\} from '\.\/composites\//g)]
    .flatMap(([, names]) => names.split(',').map((name) => name.trim()))
    .filter((name) => /^[a-z]\w*$/.test(name));
  const plain = ['defaultGain', 'makeTaps', 'resizeMatrix'];
  expect(exported.filter((name) => !plain.includes(name) && composites[name] === undefined)).toEqual([]);
});

describe.each(Object.keys(composites))('%s', (name) => {
  test.each([1, 2] as const)('order %i as differences', (order) => {
    const found = composites[name].map((one) => ({ name: one.name, ...compareWithDifferences(one, order) }));
    expect(found.filter(({ apart }) => !(apart < TOLERANCE))).toEqual([]);
    expect(found.some(({ sloped }) => sloped)).toBe(true);
  });
});

describe('adjoints: <A x, y> = <x, gradient of A in x at y>', () => {
  test.each(adjointPairs().map((pair) => [pair.name, pair] as const))(
    '%s',
    async (_, { name, inputs, program }) => {
      const [x, y] = inputs;
      const both: Case = {
        name,
        inputs,
        program: (a, b) => {
          const [forward, written] = program(a, b) as readonly t.Tensor[];
          return [forward, written, t.grad(forward, [a], b)[0]!];
        },
      };
      const [[forward, written, found]] = await runCases(reference, name, [both]);
      expect(innerProductsApart(forward, y, x, found)).toBeLessThan(5e-7); // worst measured 9.8e-8
      expect(distance(found, written)).toBeLessThan(1e-6);
    },
  );
});

/** Every kind of fused operation with a gradient of its own, over the composites that hold one. */
describe('gradients written by hand', () => {
  const own = Object.entries(composites).flatMap(([name, cases]) =>
    cases.filter((one) => t.trace(name, named(one), (given) => outputsOf(one, given)).nodes.some(hasOwn)),
  );
  test('there are some', () => expect(own.length).toBeGreaterThan(3));
  test.each(own.map((one, i) => [`${i} ${one.name}`, one] as const))(
    '%s is that of the definition',
    async (_, one) => {
      const gradients = (given: Record<string, t.Tensor>, expand: boolean) => {
        const graph = t.trace('forward', named(one), (symbols) => outputsOf(one, symbols));
        const forward = expand ? t.expandFused(graph) : graph;
        const y = inline(forward, Object.values(given));
        const wrt = Object.values(given);
        return t.grad(
          y.reduce((sum, part) => t.add(sum, t.reduceSum(part)), t.constant(0)),
          wrt,
        );
      };
      const graph = t.trace('both', named(one), (given) => {
        const [a, b] = [gradients(given, false), gradients(given, true)];
        return Object.fromEntries([...a, ...b].map((tensor, i) => [String(i), tensor!]));
      });
      const values = evaluate(t.expandFused(graph), (key) => hostArrayOf(named(one)[key]));
      const half = values.length / 2;
      for (let i = 0; i < half; i++) {
        values[i].data.forEach((value, k) => {
          // Worst measured: 1.5e-14, of sums of some hundreds.
          expect(Math.abs(value - values[half + i].data[k])).toBeLessThan(1e-13);
        });
      }
    },
  );
});

const named = (one: Case) => Object.fromEntries(one.inputs.map((value, i) => [`x${i}`, value]));
const outputsOf = (one: Case, given: Readonly<Record<string, t.Tensor>>) =>
  Object.fromEntries([one.program(...Object.values(given))].flat().map((y, i) => [`y${i}`, y as t.Tensor]));
const hasOwn = (node: t.Node) => node.op.gradient !== undefined;
