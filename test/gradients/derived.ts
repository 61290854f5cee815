/** Programs that hold gradients and gradients of gradients, one row a primitive or composite. */

import * as t from '../../src/tensor/index.ts';
import type { Case } from '../primitives/case.ts';
import { table } from '../primitives/table.ts';
import { composites } from './composites.ts';

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
export function gap(found: t.NdArray, expected: t.NdArray): number {
  const largest = Math.max(1, ...[...expected.data].map(Math.abs));
  return Math.max(0, ...[...expected.data].map((value, i) => Math.abs(found.data[i] - value))) / largest;
}

/** Quotients, logarithms and roots of numbers near 0 amplify rounding: their rules are other primitives' anyway. */
const STEEP = new Set(['div', 'log', 'sqrt', 'pow', 'exp', 'stopGradient']);

/** First and second gradients of all cases of primitives and composites. */
export const gradientRows: Record<string, Case[]> = Object.fromEntries(
  [...Object.entries(table).map(([name, { cases }]) => [name, cases] as const), ...Object.entries(composites)]
    .filter(([name]) => !STEEP.has(name))
    .map(([name, cases]) => [
      name,
      cases.filter((one) => !/special|signed|nearest even/.test(one.name)).map(derived),
    ]),
);
