/** Composites: fused kernels against their definitions, closed forms, and laws, on every engine. */

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { webEngine } from '../src/engines/web/index.ts';
import * as t from '../src/tensor/index.ts';
import { randomState } from '../src/weights/random-state.ts';
import { allowance, gpuEngines } from './webgpu/adapter.ts';

const state = randomState(7);
const random = (...shape: number[]): t.NdArray =>
  t.ndarray(shape, Float32Array.from(state.randn(shape.reduce((a, b) => a * b, 1))));

const oracle = referenceEngine();
const engines: Record<string, t.Engine> = {
  reference: oracle,
  cpu: cpuEngine({ threads: 2 }),
  'cpu without kernels': cpuEngine({ threads: 2, kernels: 'none' }),
  web: webEngine({ threads: 1 }),
  ...Object.fromEntries((await gpuEngines()).map((engine) => [engine.name, engine])),
};

afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.dispose();
});

async function run(engine: t.Engine, graph: t.Graph, inputs: t.Arrays): Promise<Record<string, t.NdArray>> {
  const program = await engine.compile(graph);
  const outputs = await program.run(inputs);
  await program.dispose();
  return outputs;
}

/** Largest difference in units of the expected array's largest magnitude. */
function gap(got: t.NdArray, want: t.NdArray): number {
  expect(got.shape).toEqual(want.shape);
  const scale = Array.from(want.data).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  return (
    Array.from(got.data).reduce((worst, value, i) => Math.max(worst, Math.abs(value - want.data[i])), 0) /
    scale
  );
}

type Build = (inputs: Readonly<Record<string, t.Tensor>>) => Readonly<Record<string, t.Tensor>>;

const CASES: Record<string, { inputs: Record<string, t.NdArray>; build: Build }> = {};

function layerCase(
  name: string,
  up: boolean,
  [batch, inputs, out, side]: number[],
  extras: { noises?: number; next?: boolean; keep?: boolean; clamp?: number },
): void {
  const size = up ? 2 * side : side;
  const given: Record<string, t.NdArray> = {
    x: random(batch, inputs, side, side),
    weight: random(out, inputs, 3, 3),
    bias: random(out),
    styles: random(batch, inputs),
  };
  if (extras.noises) given.noise = random(extras.noises, size, size);
  if (extras.next) given.next = random(batch, out);
  CASES[name] = {
    inputs: given,
    build: ({ x, weight, bias, styles, noise, next }) => {
      const layer = up ? t.synthesisUpLayer : t.synthesisLayer;
      const options = { clamp: extras.clamp, keep: extras.keep ?? true };
      const { value, scaled } = layer(t.modulate(x, styles), { weight, bias, styles, noise, next }, options);
      return { ...(value ? { value } : {}), ...(scaled ? { scaled } : {}) };
    },
  };
}

layerCase('layer', false, [2, 3, 5, 8], {});
layerCase('layer with shared noise, clamp, next', false, [2, 3, 5, 4], { noises: 1, next: true, clamp: 0.7 });
layerCase('layer with own noise, next only', false, [3, 4, 2, 6], { noises: 3, next: true, keep: false });
layerCase('up layer', true, [1, 3, 2, 4], {});
layerCase('up layer with noise, clamp, next', true, [2, 3, 5, 8], { noises: 1, next: true, clamp: 0.9 });
layerCase('up layer with own noise, next only', true, [2, 2, 3, 12], { noises: 2, next: true, keep: false });
layerCase('up layer of odd width', true, [1, 2, 2, 5], { noises: 1 });
CASES.skipUp = {
  inputs: { previous: random(2, 3, 4, 8), y: random(2, 3, 8, 16), bias: random(3) },
  build: ({ previous, y, bias }) => ({ image: t.skipUp(previous, y, bias) }),
};
CASES['skipUp, clamped'] = {
  inputs: { previous: random(1, 2, 8, 8), y: random(1, 2, 16, 16), bias: random(2) },
  build: ({ previous, y, bias }) => ({ image: t.skipUp(previous, y, bias, 0.5) }),
};
CASES.toRgb = {
  inputs: { x: random(2, 4, 3, 5), weight: random(3, 4, 1, 1), styles: random(2, 4) },
  build: ({ x, weight, styles }) => ({ y: t.toRgb(x, weight, styles) }),
};
CASES.softplus = {
  inputs: { x: t.ndarray([9], [-100, -20, -8, -1e-3, 0, 1e-3, 8, 20, 100]) },
  build: ({ x }) => ({ plain: t.softplus(x), exact: t.softplusExact(x), logistic: t.sigmoid(x) }),
};
CASES.fma = {
  inputs: { a: random(64), b: random(64), c: random(64) },
  build: ({ a, b, c }) => ({ y: t.fusedMultiplyAdd(a, b, c) }),
};
CASES.trigrid = {
  inputs: { planes: random(2, 3 * 4 * 2, 6, 5), points: random(2, 40, 3) },
  build: ({ planes, points }) => ({ y: t.sampleTrigrid(planes, points, 2, 1.3) }),
};

describe('values on each engine against the reference', () => {
  for (const [name, { inputs, build }] of Object.entries(CASES)) {
    for (const engine of Object.keys(engines).filter((key) => key !== 'reference')) {
      it(`${name} on ${engine}`, async () => {
        const graph = t.trace(name, inputs, build);
        const want = await run(oracle, graph, inputs);
        const got = await run(engines[engine], graph, inputs);
        // Worst seen: 4.1e-7 (up layers).
        for (const key of Object.keys(want))
          expect(gap(got[key], want[key]), key).toBeLessThan(4e-6 * allowance(engines[engine]));
      });
    }
  }
});

describe('closed forms', () => {
  it('an up layer is a transposed convolution, a FIR and the rest', async () => {
    const { inputs, build } = CASES['up layer'];
    const graph = t.trace('both', inputs, (given) => {
      const { x, weight, bias, styles } = given;
      const y = t.modulatedConv2d(x, weight, styles, {
        up: 2,
        padding: 1,
        taps: t.DEFAULT_TAPS,
        flipWeight: false,
      });
      return { ...build(given), expected: t.biasAct(y, bias, { activation: 'lrelu' }) };
    });
    const { value, expected } = await run(oracle, graph, inputs);
    expect(gap(value, expected)).toBeLessThan(1e-6);
  });

  it('both forms of modulated convolution agree', async () => {
    const inputs = { x: random(2, 3, 6, 6), w: random(4, 3, 3, 3), s: random(2, 3) };
    for (const options of [
      { padding: 1 },
      { padding: 1, up: 2, taps: t.DEFAULT_TAPS },
      { padding: 1, demodulate: false },
    ]) {
      const graph = t.trace('forms', inputs, ({ x, w, s }) => ({
        a: t.modulatedConv2d(x, w, s, { ...options, form: 'activations' }),
        b: t.modulatedConv2d(x, w, s, { ...options, form: 'weights' }),
      }));
      const { a, b } = await run(oracle, graph, inputs);
      expect(gap(a, b)).toBeLessThan(1e-6);
    }
  });

  it('fused multiply-add rounds once', async () => {
    const a = t.ndarray([2], [1 + 2 ** -12, 3]);
    const c = t.ndarray([2], [-(1 + 2 ** -11), 0.1]);
    const graph = t.trace('fma', { a, c }, (given) => ({
      once: t.fusedMultiplyAdd(given.a, given.a, given.c),
      twice: t.add(t.mul(given.a, given.a), given.c),
    }));
    for (const name of ['reference', 'cpu']) {
      const { once, twice } = await run(engines[name], graph, { a, c });
      expect(once.data[0]).toBe(2 ** -24);
      expect(twice.data[0]).toBe(0);
      expect(once.data[1]).toBe(Math.fround(9 + Math.fround(0.1)));
    }
  });

  it('softplusExact keeps digits where softplus has none', async () => {
    const graph = t.trace('tail', { x: t.f32(1) }, ({ x }) => ({ exact: t.softplusExact(x) }));
    for (const name of ['reference', 'cpu']) {
      const { exact } = await run(engines[name], graph, { x: t.ndarray([1], [-14]) });
      expect(Math.abs(exact.data[0] / Math.log1p(Math.exp(-14)) - 1)).toBeLessThan(1e-6);
    }
  });
});

describe('adjoints of linear composites', () => {
  /** <A x, y> against <x, A' y>, where A' is found by applying A to unit vectors. */
  const isLinear = async (build: (x: t.Tensor) => t.Tensor, shape: number[]): Promise<void> => {
    const [a, b] = [random(...shape), random(...shape)];
    const graph = t.trace('linear', { a, b }, (given) => ({
      sum: build(t.add(given.a, t.mul(given.b, 2))),
      parts: t.add(build(given.a), t.mul(build(given.b), 2)),
    }));
    for (const name of ['reference', 'cpu']) {
      const { sum, parts } = await run(engines[name], graph, { a, b });
      expect(gap(sum, parts)).toBeLessThan(1e-5);
    }
  };

  it('FIR and resizing are linear', async () => {
    await isLinear((x) => t.upsample2d(x), [1, 2, 5, 4]);
    await isLinear((x) => t.downsample2d(x), [1, 2, 6, 8]);
    await isLinear((x) => t.resizeBilinear(x, 7, 3, true), [1, 2, 5, 4]);
    await isLinear((x) => t.gaussianBlur(x, 1.2), [1, 1, 9, 9]);
  });

  it('up-sampling and down-sampling by the same filter are adjoint up to the gain', async () => {
    const [x, y] = [random(1, 2, 6, 6), random(1, 2, 12, 12)];
    const graph = t.trace('adjoint', { x, y }, (given) => ({
      left: t.reduceSum(t.mul(t.upsample2d(given.x), given.y)),
      right: t.reduceSum(t.mul(given.x, t.mul(t.downsample2d(given.y), 4))),
    }));
    for (const name of ['reference', 'cpu', 'web']) {
      const { left, right } = await run(engines[name], graph, { x, y });
      expect(Math.abs(left.data[0] - right.data[0])).toBeLessThan(1e-4);
    }
  });
});

it('programs of one engine do not spoil each other', async () => {
  const layer = async (side: number, channels: number) => {
    const shapes = { weight: [channels, channels, 3, 3], bias: [channels], styles: [1, channels] };
    const parameters = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, random(...shape)]),
    );
    const graph = t.trace('layer', { x: t.f32(1, channels, side, side) }, ({ x }) => {
      const [weight, bias, styles] = Object.entries(shapes).map(([name, shape]) =>
        t.parameter(name, t.f32(...shape)),
      );
      return { y: t.synthesisUpLayer(x, { weight, bias, styles }).value! };
    });
    return { program: await engines.cpu.compile(graph, { parameters }), x: random(1, channels, side, side) };
  };
  const small = await layer(4, 3);
  const first = await small.program.run({ x: small.x });
  const large = await layer(32, 6);
  const other = await large.program.run({ x: large.x });
  expect((await small.program.run({ x: small.x })).y.data).toEqual(first.y.data);
  expect((await large.program.run({ x: large.x })).y.data).toEqual(other.y.data);
});

it('random sizes: resizing keeps constants, FIR keeps sums', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 17 }),
      async (h, w, side) => {
        const x = t.ndarray([1, 1, h, w], new Float32Array(h * w).fill(3));
        const graph = t.trace('constant', { x }, (given) => ({
          aa: t.resizeBilinear(given.x, side, side, true),
          plain: t.resizeBilinear(given.x, side, side, false),
        }));
        const { aa, plain } = await run(oracle, graph, { x });
        for (const value of [...aa.data, ...plain.data]) expect(Math.abs(value - 3)).toBeLessThan(1e-5);
      },
    ),
    { numRuns: 25, seed: 3 },
  );
});

it('minibatch statistics need whole groups', () => {
  expect(() => t.minibatchStd(t.input('x', t.f32(6, 4, 2, 2)), 4)).toThrow(
    /f32\[6,4,2,2\] cannot be divided into groups of 4/,
  );
});
