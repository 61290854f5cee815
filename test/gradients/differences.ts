/** Gradients against central finite differences, in float64 with nothing rounded in between. */

import { evaluate } from '../../src/tensor/evaluate.ts';
import type { HostArray } from '../../src/tensor/graph.ts';
import { hostArrayOf } from '../../src/tensor/host.ts';
import * as t from '../../src/tensor/index.ts';
import type { Case } from '../primitives/case.ts';
import { randomSource } from '../primitives/values.ts';

/** Half the distance of the two points of a difference: its square and the rounding of a sum balance near here.
 * Programs that jump (a gradient across the kink of a leaky ReLU) need less of it. */
const STEP = 1e-5;
const DIRECTIONS = 3;

export interface Comparison {
  /** Largest |difference - gradient . direction| over all float inputs, in parts of the sum of magnitudes and of
   * a ten-thousandth of the value: the difference of two values has no more digits. */
  readonly apart: number;
  /** Whether any gradient differs from zero. */
  readonly sloped: boolean;
  /** Whether the program depends on any float input at all. */
  readonly related: boolean;
}

export type Domain = (x: number) => number;

/** The case's scalar `sum(r y^2)` with fixed random r, y its outputs as floats; its gradient by difference.
 *
 * @param order   1 for that scalar itself, 2 for a random projection of its gradient.
 * @param domain  moves the case's inputs to where the operation is smooth.
 */
export function compareWithDifferences(one: Case, order: 1 | 2, domain: Domain = (x) => x): Comparison {
  const inputs = Object.fromEntries(one.inputs.map((value, i) => [`x${i}`, value]));
  const floats = Object.keys(inputs).filter((name) => inputs[name].dtype === 'float32');
  const graph = t.trace(one.name, inputs, (given) => {
    const wrt = floats.map((name) => given[name]);
    let value = scalarOf([one.program(...Object.values(given))].flat() as t.Tensor[]);
    let gradients = t.grad(value, wrt);
    if (order === 2) {
      value = scalarOf(gradients.filter((tensor) => tensor !== undefined));
      gradients = t.grad(value, wrt);
    }
    const named = gradients.flatMap((tensor, i) =>
      tensor === undefined ? [] : [[floats[i], tensor] as const],
    );
    return { value, ...Object.fromEntries(named) };
  });
  const at = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, moved(hostArrayOf(value), domain)]),
  );
  return differences(graph, at, floats);
}

/** The same for a graph that gives `value` and gradients under the names of its inputs. */
export function differences(
  graph: t.Graph,
  at: Readonly<Record<string, HostArray>>,
  wrt: readonly string[],
  half = STEP,
): Comparison {
  const plain = t.expandFused(graph);
  const valueOnly = { ...plain, outputs: plain.outputs.filter(({ name }) => name === 'value') };
  const run = (program: t.Graph, values: Readonly<Record<string, HostArray>>) =>
    evaluate(program, (name) => values[name]).map(({ data }) => data);
  const results = run(plain, at);
  const gradients = new Map(plain.outputs.map(({ name }, i) => [name, results[i]]));
  const leastMagnitude = 1e-4 * Math.abs(gradients.get('value')![0]) + 1e-9;
  let [apart, sloped] = [0, false];
  const next = randomSource(99);
  for (const name of wrt) {
    const x = at[name];
    const gradient = gradients.get(name);
    if (x.data.length === 0) continue;
    if (gradient?.some((value) => value !== 0)) sloped = true;
    for (let k = 0; k < DIRECTIONS; k++) {
      const direction = Array.from(x.data, () => next() * 2 - 1);
      const along = (step: number): number => {
        const data = Float64Array.from(x.data, (value, i) => value + step * direction[i]);
        return run(valueOnly, { ...at, [name]: { ...x, data } })[0][0];
      };
      const expected = (along(half) - along(-half)) / (2 * half);
      let [found, magnitude] = [0, leastMagnitude];
      direction.forEach((value, i) => {
        const part = value * (gradient?.[i] ?? 0);
        found += part;
        magnitude += Math.abs(part);
      });
      const error = Math.abs(found - expected) / magnitude;
      apart = Math.max(apart, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
    }
  }
  return { apart, sloped, related: gradients.size > 1 };
}

function scalarOf(tensors: readonly t.Tensor[]): t.Tensor {
  const next = randomSource(tensors.length + 5);
  return tensors.reduce((total, tensor) => {
    const y = t.cast(tensor, 'float32');
    const weights = t.constant(
      t.ndarray(
        y.shape,
        Float32Array.from({ length: t.sizeOf(y.shape) }, () => 0.5 + next()),
      ),
    );
    return t.add(total, t.reduceSum(t.mul(weights, t.mul(y, y))));
  }, t.constant(0));
}

function moved(value: HostArray, domain: Domain): HostArray {
  return value.dtype === 'float32' ? { ...value, data: Float64Array.from(value.data, domain) } : value;
}
