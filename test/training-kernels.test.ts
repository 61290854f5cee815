/** Fused operations of training: kernels against definitions, forward, backward and backward again. */

import { Buffer } from 'node:buffer';
import { afterAll, describe, expect, test } from 'vitest';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { kernelModule } from '../src/engines/kernels/index.ts';
import { planProgram } from '../src/engines/onnx/planner.ts';
import { prepare } from '../src/engines/onnx/prepare.ts';
import { allRules } from '../src/engines/onnx/rules/all.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { webEngine } from '../src/engines/web/index.ts';
import { EngineError, NameError } from '../src/errors.ts';
import * as t from '../src/tensor/index.ts';
import { random } from './primitives/values.ts';
import { allowance, gpuEngines } from './webgpu/adapter.ts';

const reference = referenceEngine();
const cpu = cpuEngine({ threads: 2 });
const engines = [cpu, webEngine({ threads: 1 }), ...(await gpuEngines())];
afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});

/** Entries of the WebAssembly module that the program calls. */
const entriesOf = (graph: t.Graph): Set<string> => {
  const zeros = Object.fromEntries(graph.parameters.map(({ name, tensor }) => [name, t.zerosFor(tensor)]));
  const { steps } = planProgram(graph, kernelModule(), zeros);
  return new Set(steps.flatMap((step) => (step.kind === 'kernel' ? [step.entry] : [])));
};

const inputsOf = (graph: t.Graph): Record<string, t.NdArray> =>
  Object.fromEntries(
    graph.inputs.map(({ name, tensor }, i) => [name, random('float32', tensor.shape, i + 1)]),
  );

/** Largest difference from the reference, each output in units of its largest magnitude (of at least 1). */
async function apart(engine: t.Engine, graph: t.Graph, inputs = inputsOf(graph)): Promise<number> {
  const [expected, found] = [
    await (await reference.compile(graph)).run(inputs),
    await (await engine.compile(graph)).run(inputs),
  ];
  let worst = 0;
  for (const [name, { data }] of Object.entries(expected)) {
    let largest = 1;
    for (const value of data) largest = Math.max(largest, Math.abs(value));
    data.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(found[name].data[i] - value) / largest);
    });
  }
  return worst;
}

/** A composite with its first gradients, and those of a sum of squares of the first. */
function derived(
  name: string,
  shapes: Record<string, t.Shape>,
  program: (given: Readonly<Record<string, t.Tensor>>) => t.Tensor,
): t.Graph {
  const avals = Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, t.f32(...shape)]));
  return t.trace(name, avals, (given) => {
    const y = program(given);
    const wrt = Object.values(given);
    const square = (x: t.Tensor | undefined): t.Tensor =>
      x === undefined ? t.constant(0) : t.reduceSum(t.mul(x, x));
    const first = t.grad(square(y), wrt);
    const second = t.grad(
      first.map(square).reduce((a, b) => t.add(a, b)),
      wrt,
    );
    const named = (kind: string, list: readonly (t.Tensor | undefined)[]) =>
      list.flatMap((x, i) => (x === undefined ? [] : [[`${kind}${i}`, x]]));
    return { y, ...Object.fromEntries([...named('first', first), ...named('second', second)]) };
  });
}

const filters = (
  [
    ['same size', [2, 3, 32, 32], { padding: [2, 1, 2, 1] }],
    ['before a strided convolution', [2, 16, 33, 18], { padding: 2 }],
    ['smaller', [2, 8, 32, 40], { down: 2, padding: 1 }],
    ['smaller, odd', [2, 8, 31, 37], { down: 2, padding: [2, 3, 0, 1] }],
    ['larger', [2, 4, 16, 16], { up: 2, padding: [2, 1, 2, 1], gain: 4 }],
    ['larger, odd', [2, 4, 15, 17], { up: 2, padding: [3, 2, 1, 0] }],
    ['cropped', [2, 4, 40, 40], { padding: [-3, -5, 2, -1] }],
    ['cropped and larger', [2, 4, 40, 40], { up: 2, padding: [-3, 4, -2, -1] }],
    ['turned', [2, 4, 24, 24], { padding: 1, flip: true }],
  ] as const
).map(([name, shape, options]) => {
  const taps = t.makeTaps([1, 2, 5, 3]);
  return derived(`upfirdn2d ${name}`, { x: shape }, ({ x }) => t.upfirdn2d(x, taps, options));
});
const oddTaps = [
  ...filters,
  derived('upfirdn2d of three taps', { x: [2, 4, 32, 32] }, ({ x }) =>
    t.upfirdn2d(x, [[0.5, 1, -2]], { padding: [1, 1, 0, 0] }),
  ),
];

const activations = [
  derived('biasAct lrelu', { x: [4, 16, 12, 12], b: [16] }, ({ x, b }) =>
    t.biasAct(x, b, { activation: 'lrelu', clamp: 1.3 }),
  ),
  derived('biasAct without bias', { x: [4, 8, 20, 20] }, ({ x }) =>
    t.biasAct(x, undefined, { activation: 'lrelu', slope: 0.1, gain: 0.7 }),
  ),
  derived('biasAct linear', { x: [3, 8, 20, 20], b: [8] }, ({ x, b }) => t.biasAct(x, b, { clamp: 0.6 })),
];

describe.each(engines)('$name computes', (engine) => {
  test.each([...oddTaps, ...activations].map((graph) => [graph.name, graph] as const))(
    '%s',
    async (_, graph) => {
      const entries = entriesOf(graph);
      expect(entries.has(graph.name.startsWith('biasAct') ? 'biasActGrad' : 'upfirdn')).toBe(true);
      expect(await apart(engine, graph)).toBeLessThan(1e-6 * allowance(engine)); // worst measured 1.8e-7
    },
  );
});

const sums = [
  ...[false, true].flatMap((exclusive) =>
    [false, true].map((reverse) =>
      derived(
        `cumsum${exclusive ? ', exclusive' : ''}${reverse ? ', reverse' : ''}`,
        { x: [40, 30, 9] },
        ({ x }) => t.cumsum(x, 1, { exclusive, reverse }),
      ),
    ),
  ),
  derived('cumsum of rows', { x: [300, 33] }, ({ x }) => t.cumsum(x, 1)),
  ...[0, 1].map((axis) =>
    derived(`scatterAdd, axis ${axis}`, { x: axis === 0 ? [500, 18] : [9, 500, 3] }, ({ x }) => {
      const at = Int32Array.from({ length: 500 }, (_, i) => (i * 7) % 31);
      return t.scatterAdd(x, t.constant({ dtype: 'int32', shape: [500], data: at }), 37, axis);
    }),
  ),
];

describe.each(engines)('$name sums', (engine) => {
  test.each(sums.map((graph) => [graph.name, graph] as const))('%s', async (name, graph) => {
    expect(entriesOf(graph).has(name.startsWith('cumsum') ? 'cumsum' : 'scatterAdd')).toBe(true);
    expect(await apart(engine, graph)).toBeLessThan(2e-6 * allowance(engine)); // worst measured 4.6e-7
  });

  test.each([-1, 37])('and refuses index %i', async (index) => {
    const graph = t.trace('far', { x: t.f32(500, 18), at: t.i32(500) }, ({ x, at }) => ({
      y: t.scatterAdd(x, at, 37),
    }));
    const at = { dtype: 'int32', shape: [500], data: new Int32Array(500) } as const;
    at.data[400] = index;
    const run = (await engine.compile(graph)).run({ x: random('float32', [500, 18]), at });
    await expect(run).rejects.toThrow(/far: scatterAdd@training-kernels/);
  });
});

const layerShapes = { x: [2, 8, 16, 16], weight: [12, 8, 3, 3], bias: [12], styles: [2, 8], next: [2, 12] };
const layers = ([t.synthesisLayer, t.synthesisUpLayer] as const).flatMap((layer) =>
  (
    [
      ['both results', {}, 1],
      ['noise for each sample, clamped', { clamp: 0.9 }, 2],
      ['scaled alone', { keep: false }, 1],
      ['value alone, no noise', {}, 0],
    ] as const
  ).map(([name, options, noises]) => {
    const side = layer === t.synthesisLayer ? 16 : 32;
    const shapes = { ...layerShapes, ...(noises > 0 ? { noise: [noises, side, side] } : {}) };
    return derived(`${layer.name}, ${name}`, shapes, ({ x, next, ...tensors }) => {
      const layerOf = { ...tensors, next: noises > 0 ? next : undefined } as unknown as t.LayerTensors;
      const { value, scaled } = layer(t.modulate(x, layerOf.styles), layerOf, options);
      const both =
        value === undefined ? scaled! : scaled === undefined ? value : t.add(value, t.mul(scaled, 0.7));
      return noises > 0 ? both : t.mul(both, t.reduceSum(next));
    });
  }),
);

describe.each(engines)('$name differentiates', (engine) => {
  test.each(layers.map((graph) => [graph.name, graph] as const))('%s', async (name, graph) => {
    const entries = entriesOf(graph);
    expect(entries).toContain('layerEpilogueGrad');
    expect(entries.has('unfoldUp')).toBe(name.startsWith('synthesisUp'));
    expect(await apart(engine, graph)).toBeLessThan(3e-5 * allowance(engine)); // worst measured 7.1e-6, of second gradients
  });
});

/** A discriminator in small: all its kinds of layers, weights as inputs, gradients to the second order. */
const blocks = t.trace(
  'blocks',
  {
    image: t.f32(2, 3, 32, 40),
    cotangent: t.f32(2, 32, 16, 20),
    ...{ rgb: t.f32(16, 3, 1, 1), rgbBias: t.f32(16), conv0: t.f32(16, 16, 3, 3), bias0: t.f32(16) },
    ...{ conv1: t.f32(32, 16, 3, 3), bias1: t.f32(32), skip: t.f32(32, 16, 1, 1), next: t.f32(32, 32, 3, 3) },
  },
  ({ image, cotangent, rgb, rgbBias, conv0, bias0, conv1, bias1, skip, next }) => {
    const bent = { activation: 'lrelu', clamp: 4 } as const;
    const x = t.biasAct(t.conv2dResample(image, rgb, undefined), rgbBias, bent);
    const h = t.biasAct(t.conv2dResample(x, conv0, undefined, { padding: 1 }), bias0, bent);
    const small = t.conv2dResample(h, conv1, t.DEFAULT_TAPS, { down: 2, padding: 1 });
    const y = t.add(t.biasAct(small, bias1, bent), t.conv2dResample(x, skip, t.DEFAULT_TAPS, { down: 2 }));
    const last = t.biasAct(t.conv2dResample(y, next, undefined, { padding: 1 }), undefined, bent);
    const wrt = [image, rgb, rgbBias, conv0, bias0, conv1, bias1, skip, next];
    const first = t.grad(t.mean(t.mul(t.mul(last, last), cotangent)), wrt);
    const second = t.grad(t.mean(t.mul(first[0]!, first[0]!)), wrt.slice(1));
    const named = [...first, ...second].map((tensor, i) => [`${i}`, tensor!]);
    return { last, ...Object.fromEntries(named.filter(([, tensor]) => tensor !== undefined)) };
  },
);
const blocksInputs = () =>
  Object.fromEntries(
    Object.entries(inputsOf(blocks)).map(([name, { shape, data }]) => {
      const scale = shape.length === 4 && shape[0] === 2 ? 1 : 1 / Math.sqrt(t.sizeOf(shape.slice(1)));
      return [name, t.ndarray(shape, data.map((value) => value * scale) as Float32Array)];
    }),
  );

describe('channels in blocks', () => {
  const zeros = Object.fromEntries(blocks.parameters.map(({ name, tensor }) => [name, t.zerosFor(tensor)]));
  const entries = (block: number | undefined) =>
    new Set(
      planProgram(blocks, kernelModule(), zeros, block).steps.map((step) =>
        step.kind === 'segment' ? 'segment' : step.entry,
      ),
    );

  test.each([8, 16])('of %i: every pass has its kernel', (block) => {
    const found = entries(block);
    for (const entry of ['arrangeWeight', 'biasActBlocked', 'biasActGradBlocked', 'upfirdnBlocked']) {
      expect(found).toContain(entry);
    }
    for (const entry of ['interleaveBlocked', 'splitBlocked', 'toBlocked', 'fromBlocked'])
      expect(found).toContain(entry);
    for (const entry of ['biasAct', 'biasActGrad', 'upfirdn']) expect(found).not.toContain(entry);
  });

  test.each([8, 16])('of %i: the graph means the same', async (block) => {
    const { graph } = prepare(blocks, kernelModule().kernels, allRules, block);
    const inputs = blocksInputs();
    const expected = await (await reference.compile(blocks)).run(inputs);
    const found = await (await reference.compile(graph)).run(inputs);
    for (const [name, { data }] of Object.entries(expected)) {
      let worst = 0;
      data.forEach((value, i) => {
        worst = Math.max(worst, Math.abs(found[name].data[i] - value));
      });
      expect(worst, name).toBeLessThan(1e-6); // both on the reference
    }
  });

  test('the cpu engine agrees with the reference', async () => {
    const program = await cpu.compile(blocks);
    expect(program.graph).toBe(blocks);
    const worst = await apart(cpu, blocks, blocksInputs());
    expect(worst).toBeLessThan(5e-6); // worst measured 1.1e-6
  });

  test('constant weights are left to the runtime', () => {
    const graph = t.trace('constant', { x: t.f32(2, 3, 32, 32) }, ({ x }) => ({
      y: t.conv2d(x, t.parameter('w', t.f32(16, 3, 3, 3)), { padding: 1 }),
    }));
    const w = random('float32', [16, 3, 3, 3]);
    const { steps } = planProgram(graph, kernelModule(), { w }, 16);
    expect(steps.map(({ kind }) => kind)).toEqual(['segment']);
  });
});

const settings = { beta1: 0.3, beta2: 0.99, eps: 1e-8 };
const weight = [7, 9];
const step = t.trace(
  'step',
  {
    ...{ value: t.f32(...weight), first: t.f32(...weight), second: t.f32(...weight) },
    ...{
      gradient: t.f32(...weight),
      average: t.f32(...weight),
      stepSize: t.f32(),
      root: t.f32(),
      beta: t.f32(),
    },
  },
  (given) => {
    const { value, first, second, gradient, stepSize, root, average, beta } = given;
    const stepped = t.adamStep({ value, first, second }, gradient, settings, stepSize, root);
    return { ...stepped, average: t.emaStep(average, stepped.value, beta) };
  },
);
const stepInputs = (): Record<string, t.NdArray> => {
  const inputs = inputsOf(step);
  inputs.second = { ...inputs.second, data: inputs.second.data.map(Math.abs) } as t.NdArray;
  Object.assign(inputs, {
    stepSize: t.ndarray([], [0.02]),
    root: t.ndarray([], [0.1]),
    beta: t.ndarray([], [0.998]),
  });
  // In whole vectors and in the rest.
  for (const at of [1, 62]) inputs.gradient.data[at] = Number.NaN;
  inputs.gradient.data[2] = Number.POSITIVE_INFINITY;
  for (const at of [7, 61]) inputs.gradient.data[at] = Number.NEGATIVE_INFINITY;
  return inputs;
};

describe.each([...engines, reference])('the optimiser on $name', (engine) => {
  test('steps as its definition', async () => {
    expect([...entriesOf(step)]).toEqual(['adamStep', 'emaStep']);
    expect(await apart(engine, step, stepInputs())).toBeLessThan(1e-7); // worst measured 0: every operation rounds alike
  });

  test('replaces and counts what is not finite', async () => {
    const inputs = stepInputs();
    const { gradient, bad } = await (await engine.compile(step)).run(inputs);
    expect([1, 62, 2, 7, 61].map((at) => gradient.data[at])).toEqual([0, 0, 1e5, -1e5, -1e5]);
    expect(gradient.data[3]).toBe(inputs.gradient.data[3]);
    expect(bad.data[0]).toBe(5);
  });

  test('takes donated memory, and the donors are gone', async () => {
    const program = await engine.compile(step);
    const inputs = stepInputs();
    const expected = await program.run(inputs);
    const given: Record<string, t.Resident> = {};
    for (const [name, array] of Object.entries(inputs)) given[name] = await engine.upload(array);
    const donate = ['value', 'first', 'second', 'average'];
    const made = await program.runResident(given, { donate });
    for (const [name, value] of Object.entries(made)) {
      expect((await engine.download(value)).data).toEqual(expected[name].data);
    }
    for (const name of donate) await expect(engine.download(given[name])).rejects.toThrow(EngineError);
    await expect(engine.download(given.gradient)).resolves.toHaveProperty('data');
  });
});

test('only resident inputs can be donated', async () => {
  const program = await cpu.compile(step);
  await expect(program.run(stepInputs(), { donate: ['value'] })).rejects.toThrow(
    'step: input "value" cannot be donated: it is no resident value',
  );
});

describe('lifted parameters', () => {
  const affine = t.trace('affine', { x: t.f32(2, 3) }, ({ x }) => {
    const w = t.parameter('w', t.f32(3, 4));
    const y = t.add(t.matmul(x, w), t.parameter('b', t.f32(4)));
    const [dw] = t.grad(t.reduceSum(t.mul(y, y)), [w]);
    return { y, dw: dw! };
  });
  const parameters = { w: random('float32', [3, 4], 5), b: random('float32', [4], 6) };
  const x = random('float32', [2, 3]);

  test('are given at each run', async () => {
    const expected = await (await cpu.compile(affine, { parameters })).run({ x });
    const all = t.liftParameters(affine);
    expect(all.parameters).toEqual([]);
    const program = await cpu.compile(all);
    expect(await program.run({ x, ...parameters })).toEqual(expected);
    const twice = { ...parameters.w, data: parameters.w.data.map((value) => 2 * value) } as t.NdArray;
    expect((await program.run({ x, ...parameters, w: twice })).y.data).not.toEqual(expected.y.data);
    const some = await cpu.compile(t.liftParameters(affine, ['w']), { parameters: { b: parameters.b } });
    expect(await some.run({ x, w: parameters.w })).toEqual(expected);
  });

  test('must be there, and not hide an input', () => {
    expect(() => t.liftParameters(affine, ['v'])).toThrow(NameError);
    const hidden = t.trace('hidden', { w: t.f32(1) }, ({ w }) => ({
      y: t.add(w, t.parameter('w', t.f32(1))),
    }));
    expect(() => t.liftParameters(hidden)).toThrow(
      'hidden: parameter "w" cannot be lifted: an input has its name',
    );
  });
});

test('where operands are more than WebAssembly addresses, definitions run', () => {
  const planned = (side: number): string[] => {
    const graph = t.trace('wide', { x: t.f32(4, 64, side, side) }, ({ x }) => ({
      y: t.biasAct(t.tanh(t.biasAct(x, undefined, { activation: 'lrelu' })), undefined, {
        activation: 'lrelu',
      }),
    }));
    const kinds = planProgram(graph, kernelModule(), {}).steps.map(({ kind }) => kind);
    return [...new Set(kinds)];
  };
  expect(planned(512)).toContain('kernel');
  expect(planned(2048)).toEqual(['segment']);
});

test('two runs of a training program agree bit for bit', async () => {
  const graph = t.trace(
    'bits',
    { x: t.f32(4, 16, 32, 32), w: t.f32(32, 16, 3, 3), b: t.f32(32) },
    ({ x, w, b }) => {
      const y = t.biasAct(t.conv2dResample(x, w, t.DEFAULT_TAPS, { down: 2, padding: 1 }), b, {
        activation: 'lrelu',
      });
      const [dx, dw, db] = t.grad(t.reduceSum(t.mul(y, y)), [x, w, b]);
      const [again] = t.grad(t.reduceSum(t.mul(dx!, dx!)), [w]);
      return { y, dx: dx!, dw: dw!, db: db!, again: again! };
    },
  );
  const inputs = inputsOf(graph);
  const bytes = ({ data }: t.NdArray) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const program = await cpu.compile(graph);
  const first = await program.run(inputs);
  for (let run = 0; run < 10; run++) {
    const next = await program.run(inputs);
    for (const name of Object.keys(first)) {
      expect(Buffer.compare(bytes(next[name]), bytes(first[name])), name).toBe(0);
    }
  }
});
