/** Kernels between ONNX segments: what is planned, and that it computes what the definitions say. */

import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { planProgram } from '../src/engines/onnx/planner.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { webEngine } from '../src/engines/web/index.ts';
import * as t from '../src/tensor/index.ts';
import { double, doublingKernels } from './primitives/doubling-kernel.ts';
import { distance, random } from './primitives/values.ts';

const kernels = doublingKernels();
const engines = { cpu: cpuEngine({ threads: 2, kernels }), web: webEngine({ threads: 1, kernels }) };
const reference = referenceEngine();

afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.dispose();
});

/** Runs a graph on an engine and on the reference; the larger of the outputs' distances. */
async function apart(engine: keyof typeof engines, graph: t.Graph, seed: number): Promise<number> {
  const fill = (list: readonly t.Named[], offset: number) =>
    Object.fromEntries(
      list.map(({ name, tensor }, i) => [name, random(tensor.dtype, tensor.shape, seed + offset + i)]),
    );
  const parameters = fill(graph.parameters, 1);
  const inputs = fill(graph.inputs, 100);
  const expected = await (await reference.compile(graph, { parameters })).run(inputs);
  const program = await engines[engine].compile(graph, { parameters });
  let worst = 0;
  // Twice: the second run meets the first one's memory.
  for (let round = 0; round < 2; round++) {
    const found = await program.run(inputs);
    for (const { name } of graph.outputs) worst = Math.max(worst, distance(found[name], expected[name]));
  }
  await program.dispose();
  return worst;
}

const show = (graph: t.Graph) => {
  const plan = planProgram(graph, kernels, zeros(graph));
  const text = (steps: typeof plan.steps) => steps.map(({ kind }) => kind).join(' ');
  return { prologue: text(plan.prologue), steps: text(plan.steps), resident: plan.resident.length };
};

const zeros = (graph: t.Graph) =>
  Object.fromEntries(graph.parameters.map(({ name, tensor }) => [name, t.zerosFor(tensor)]));

const between = t.trace('between', { x: t.f32(2, 6) }, ({ x }) => {
  const first = double(t.tanh(x));
  const second = double(t.reshape(first, [3, 4]));
  return { y: t.add(second, t.parameter('b', t.f32(4))), first };
});

const weightsOnly = t.trace('weightsOnly', { x: t.f32(3, 3) }, ({ x }) => {
  const w = t.parameter('w', t.f32(3, 3));
  return {
    direct: t.add(double(w), x),
    computed: t.matmul(x, double(t.exp(w))),
    chained: double(t.reshape(double(t.mul(w, 3)), [9])),
    constant: double(t.constant({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) })),
  };
});

const edges = t.trace(
  'edges',
  { x: t.f32(4), big: t.f32(1001), none: t.f32(0, 2), unused: t.f32(1) },
  (inputs) => ({
    direct: double(inputs.x),
    passed: inputs.x,
    turned: t.reshape(inputs.x, [2, 2]),
    big: double(inputs.big),
    none: double(inputs.none),
    repeated: double(t.broadcastTo(inputs.x, [3, 4])),
    weight: t.parameter('w', t.f32(2)),
    again: double(double(inputs.x)),
  }),
);

describe('plans', () => {
  test('a reshape between two kernels is no segment', () => {
    expect(show(between)).toEqual({ prologue: '', steps: 'segment kernel kernel segment', resident: 0 });
  });
  test('what only weights determine is computed once', () => {
    const plan = show(weightsOnly);
    expect(plan.prologue).toBe('segment kernel kernel kernel kernel kernel');
    expect(plan.steps).toBe('segment');
    expect(plan.resident).toBe(2);
  });
  test('shapes that a kernel refuses run the definition', () => {
    const graph = t.trace('big', { x: t.f32(1001) }, ({ x }) => ({ y: double(x) }));
    expect(show(graph).steps).toBe('segment');
  });
});

describe.each(['cpu', 'web'] as const)('%s computes', (engine) => {
  test.each([between, weightsOnly, edges].map((graph) => [graph.name, graph] as const))(
    '%s',
    async (_, graph) => {
      expect(await apart(engine, graph, 5)).toBeLessThan(1e-6); // worst measured 2.0e-7
    },
  );
});

/** A random web of operations over values of one shape. */
const randomGraph = fc
  .array(
    fc.tuple(fc.constantFrom('add', 'mul', 'tanh', 'double', 'reshape', 'row', 'weight'), fc.nat(), fc.nat()),
    {
      minLength: 3,
      maxLength: 25,
    },
  )
  .map((choices) =>
    t.trace('random', { x: t.f32(3, 4), y: t.f32(3, 4) }, ({ x, y }) => {
      const values: t.Tensor[] = [x, y];
      choices.forEach(([kind, a, b], i) => {
        const left = values[a % values.length];
        const right = values[b % values.length];
        const made = {
          add: () => t.add(left, right),
          mul: () => t.mul(t.tanh(left), right),
          tanh: () => t.tanh(left),
          double: () => double(left),
          reshape: () => t.reshape(double(t.reshape(left, [12])), [3, 4]),
          row: () => t.broadcastTo(t.reduceSum(left, [0]), [3, 4]),
          weight: () => t.parameter(`w${i % 3}`, t.f32(3, 4)),
        }[kind]!();
        values.push(made);
      });
      return {
        last: values[values.length - 1],
        some: values[Math.floor(values.length / 2)],
        x2: t.tanh(values[2]),
      };
    }),
  );

test('random programs agree with their definitions', async () => {
  await fc.assert(
    fc.asyncProperty(randomGraph, fc.nat(1000), async (graph, seed) => {
      expect(await apart('cpu', graph, seed)).toBeLessThan(2e-6); // worst measured 4.8e-7
    }),
    { numRuns: 60, seed: 11 },
  );
});
