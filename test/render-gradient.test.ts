/** The renderer's gradient by its kernel, against the automatic gradient of the definition in float64. */

import { Buffer } from 'node:buffer';
import { afterAll, describe, expect, test } from 'vitest';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { kernelModule } from '../src/engines/kernels/index.ts';
import { planProgram } from '../src/engines/onnx/planner.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { webEngine } from '../src/engines/web/index.ts';
import { parametersOf } from '../src/portrait/parameters.ts';
import { render } from '../src/portrait/renderer.ts';
import { hostArrayOf } from '../src/tensor/host.ts';
import * as t from '../src/tensor/index.ts';
import { differences } from './gradients/differences.ts';
import { random } from './primitives/values.ts';
import {
  compose,
  DEFAULTS,
  decoderShapes,
  type Ending,
  gap,
  outputs,
  pointGradients,
} from './render-scene.ts';
import { GRADIENT_SCENES, type Seen } from './render-scenes.ts';

const reference = referenceEngine();
const { wasm, kernels, reservedBytes } = kernelModule();
const engines = {
  'cpu, 2 threads': cpuEngine({ threads: 2 }),
  'cpu, plain SIMD': cpuEngine({ threads: 1, kernels: { wasm, kernels, reservedBytes } }),
  web: webEngine({ threads: 1 }),
};

afterAll(async () => {
  for (const engine of [reference, ...Object.values(engines)]) await engine.dispose();
});

/** Gradients of the sum of what is seen, times random numbers. */
const gradients =
  (seen: readonly Seen[]): Ending =>
  (rendered, planes, decoder) => {
    const value = seen
      .map((name, i) => {
        const weights = random('float32', rendered[name].shape, 40 + i);
        return t.reduceSum(t.mul(rendered[name], t.constant(weights)));
      })
      .reduce(t.add);
    const names = Object.keys(decoder);
    const found = t.grad(value, [planes, ...Object.values(decoder)]);
    return { value, ...Object.fromEntries(['planes', ...names].map((name, i) => [name, found[i]!])) };
  };

function usesKernel({ graph, parameters }: ReturnType<typeof compose>): boolean {
  return planProgram(graph, kernelModule(), parameters).steps.some(
    (step) => step.kind === 'threaded' && step.entry === 'renderRaysGrad',
  );
}

const ALL: readonly Seen[] = ['features', 'depth', 'opacity'];

describe.each(Object.keys(engines) as (keyof typeof engines)[])('%s', (engine) => {
  test.each(GRADIENT_SCENES)('%s', async (_, scene) => {
    for (const seed of [1, 100]) {
      const composed = compose(scene, seed, gradients(scene.seen ?? ALL));
      expect(usesKernel(composed)).toBe(true);
      const found = await outputs(engines[engine], composed);
      const expected = await outputs(reference, composed);
      for (const name of Object.keys(expected)) {
        // Worst measured 7.5e-6 (a value), gradients 6.0e-6.
        expect(gap(found[name], expected[name]), name).toBeLessThan(scene.tolerance ?? 3e-5);
      }
    }
  });
});

describe('points and their colours', () => {
  const count = 1001;
  const inputs: Record<string, t.NdArray> = {
    planes: random('float32', [2, 288, 12, 12], 6),
    points: random('float32', [2, count, 3], 7),
  };
  inputs.points.data.set(inputs.points.data.map((x) => x / 3));
  const cases = (['none', 'sigmoid', 'lrelu'] as const).flatMap((activation) =>
    (['colours', 'densities'] as const).map((what) => ({ activation, what })),
  );
  test.each(cases)('$activation, $what', async ({ activation, what }) => {
    const graph = pointGradients(inputs, what, activation);
    const { parameters } = compose({}, 5);
    const plan = planProgram(graph, kernelModule(), parameters);
    expect(plan.steps.map((step) => step.kind === 'threaded' && step.entry)).toContain('decodePointsGrad');
    const expected = await outputs(reference, { graph, parameters, inputs });
    for (const engine of Object.values(engines)) {
      const found = await outputs(engine, { graph, parameters, inputs });
      for (const name of Object.keys(expected)) {
        expect(gap(found[name], expected[name]), name).toBeLessThan(1e-5); // worst measured 1.3e-6
      }
    }
  });
});

test('planes that the program makes are other planes in each run', async () => {
  const composed = compose({}, 3);
  const { planes: ofPlanes, c: ofC } = composed.inputs;
  const declared = { planes: ofPlanes, c: ofC, factor: t.f32() };
  const graph = t.trace('made', declared, ({ planes, c, factor }) => {
    const made = t.mul(planes, factor);
    const p = parametersOf(decoderShapes(32));
    const { features } = render(p, made, c, 6, DEFAULTS);
    return { found: t.grad(t.reduceSum(t.mul(features, features)), [planes])[0]! };
  });
  const program = await engines['cpu, 2 threads'].compile(graph, { parameters: composed.parameters });
  for (const factor of [1, 0.5, 1]) {
    const inputs = { ...composed.inputs, factor: t.ndarray([], [factor]) };
    const { found } = await outputs(reference, { ...composed, graph, inputs });
    expect(gap((await program.run(inputs)).found, found)).toBeLessThan(1e-5);
  }
});

const hostOf = ({ parameters, inputs }: ReturnType<typeof compose>) =>
  Object.fromEntries(
    Object.entries({ ...inputs, ...parameters }).map(([name, value]) => [name, hostArrayOf(value)]),
  );

test('a gradient of the gradient is what differences tell, its samples held still', () => {
  const options = { importanceSamples: 0, samples: 6, depth: 2, whiteBack: true };
  const composed = compose({ n: 3, side: 6, options }, 3, (rendered, planes, decoder) => {
    const { features, depth } = rendered;
    const seen = t.add(t.reduceSum(t.mul(features, features)), t.reduceSum(depth));
    const first = t.grad(seen, [planes])[0]!;
    const value = t.reduceSum(t.mul(first, first));
    const names = Object.keys(decoder);
    const found = t.grad(value, [planes, ...Object.values(decoder)]);
    return { value, ...Object.fromEntries(['planes', ...names].map((name, i) => [name, found[i]!])) };
  });
  const wrt = ['planes', 'net.0.weight', 'net.2.weight'];
  const { apart, sloped } = differences(composed.graph, hostOf(composed), wrt);
  expect(sloped).toBe(true);
  expect(apart).toBeLessThan(1e-7); // measured: 1.1e-10
});

test('a gradient in the camera runs the definition, and is what differences tell', async () => {
  const composed = compose({ n: 3, side: 6 }, 4);
  const { planes: ofPlanes, c: ofC } = composed.inputs;
  const graph = t.trace('camera', { planes: ofPlanes, c: ofC }, ({ planes, c }) => {
    const options = { ...DEFAULTS, importanceSamples: 0, samples: 6 };
    const { features } = render(parametersOf(decoderShapes(32)), planes, c, 3, options);
    const value = t.reduceSum(t.mul(features, features));
    const [ofCamera, made] = t.grad(value, [c, planes]);
    return { value, c: ofCamera!, planes: made! };
  });
  const one = { ...composed, graph };
  expect(usesKernel(one)).toBe(false);
  const { apart } = differences(graph, hostOf(one), ['c', 'planes'], 1e-7);
  expect(apart).toBeLessThan(1e-6); // measured: 4.8e-9
  const [found, expected] = [await outputs(engines['cpu, 2 threads'], one), await outputs(reference, one)];
  for (const name of ['c', 'planes']) expect(gap(found[name], expected[name]), name).toBeLessThan(1e-5); // 7.6e-7
});

const bytes = ({ data }: t.NdArray) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

test('the same bits from any number of threads, and again', async () => {
  for (const batch of [1, 2, 3]) {
    const composed = compose({ n: 21, batch }, 8, gradients(ALL));
    const three = cpuEngine({ threads: 3 });
    const one = await outputs(cpuEngine({ threads: 1 }), composed);
    for (const engine of [three, engines['cpu, 2 threads'], three]) {
      const many = await outputs(engine, composed);
      for (const name of Object.keys(one))
        expect(Buffer.compare(bytes(many[name]), bytes(one[name])), name).toBe(0);
    }
    await three.dispose();
  }
});
