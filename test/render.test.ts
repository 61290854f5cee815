/** The renderer's kernels against their definitions, on small random scenes. */

import { Buffer } from 'node:buffer';
import { afterAll, describe, expect, test } from 'vitest';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { buildFor, withSharedMemory } from '../src/engines/kernels/builds.ts';
import { kernelModule } from '../src/engines/kernels/index.ts';
import { planProgram } from '../src/engines/onnx/planner.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { webEngine } from '../src/engines/web/index.ts';
import { decoderWeights, density, field } from '../src/portrait/decoder.ts';
import { parametersOf } from '../src/portrait/parameters.ts';
import * as t from '../src/tensor/index.ts';
import { distance, random } from './primitives/values.ts';
import { compose, DEFAULTS, decoderShapes, outputs } from './render-scene.ts';
import { SCENES } from './render-scenes.ts';

const reference = referenceEngine();
const { wasm, kernels, reservedBytes } = kernelModule();
const engines = {
  'cpu, 2 threads': cpuEngine({ threads: 2 }),
  'cpu, 1 thread': cpuEngine({ threads: 1 }),
  'cpu, plain SIMD': cpuEngine({ threads: 2, kernels: { wasm, kernels, reservedBytes } }),
  web: webEngine({ threads: 1 }),
};

afterAll(async () => {
  for (const engine of [reference, ...Object.values(engines)]) await engine.dispose();
});

function usesKernel({ graph, parameters }: ReturnType<typeof compose>): boolean {
  return planProgram(graph, kernelModule(), parameters).steps.some(
    (step) => step.kind === 'threaded' && step.entry === 'renderRays',
  );
}

describe.each(Object.keys(engines) as (keyof typeof engines)[])('%s', (engine) => {
  test.each(SCENES)('%s', async (_, scene) => {
    for (const seed of [1, 100]) {
      const composed = compose(scene, seed);
      expect(usesKernel(composed)).toBe(true);
      const [found, expected] = [
        await outputs(engines[engine], composed),
        await outputs(reference, composed),
      ];
      for (const name of ['features', 'depth', 'opacity']) {
        const apart = distance(found[name], expected[name]);
        expect(apart, name).toBeLessThan(scene.tolerance ?? 1e-5); // worst measured 1.05e-6
      }
    }
  });
});

describe('what the kernel does not take', () => {
  test.each([
    ['other channel counts', { channels: 16 }],
    ['too few coarse samples', { options: { samples: 3 } }],
  ] as const)('%s runs the definition', async (_, scene) => {
    const composed = compose(scene, 3);
    expect(usesKernel(composed)).toBe(false);
    const [found, expected] = [
      await outputs(engines['cpu, 2 threads'], composed),
      await outputs(reference, composed),
    ];
    for (const name of ['features', 'depth', 'opacity']) {
      expect(distance(found[name], expected[name]), name).toBeLessThan(1e-5); // measured below 2e-6
    }
  });
});

test('points with their colours', async () => {
  for (const activation of ['none', 'sigmoid', 'lrelu'] as const) {
    const options = { ...DEFAULTS, activation };
    const declared = { planes: t.f32(2, 288, 12, 12), points: t.f32(2, 1001, 3) };
    const graph = t.trace('field', declared, (given) => {
      const weights = decoderWeights(parametersOf(decoderShapes(32)));
      return {
        ...field(weights, given.planes, given.points, options),
        alone: density(weights, given.planes, given.points, options),
      };
    });
    const { parameters } = compose({}, 5);
    const inputs = {
      planes: random('float32', [2, 288, 12, 12], 6),
      points: random('float32', [2, 1001, 3], 7),
    };
    inputs.points.data.set(inputs.points.data.map((x) => x / 3));
    const expected = await outputs(reference, { graph, parameters, inputs });
    for (const engine of Object.values(engines)) {
      const found = await outputs(engine, { graph, parameters, inputs });
      for (const name of ['sigma', 'rgb', 'alone']) {
        expect(distance(found[name], expected[name])).toBeLessThan(1e-5);
      }
    }
  }
});

const bytes = ({ data }: t.NdArray) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

test('the same bits from any number of threads', async () => {
  const composed = compose({ n: 21, batch: 2 }, 8);
  const three = cpuEngine({ threads: 3 });
  const one = await outputs(engines['cpu, 1 thread'], composed);
  for (const engine of [three, engines['cpu, 2 threads']]) {
    const many = await outputs(engine, composed);
    for (const name of Object.keys(one)) expect(Buffer.compare(bytes(many[name]), bytes(one[name]))).toBe(0);
  }
  await three.dispose();
});

test('kept planes give way to other planes, and to fresh arrays', async () => {
  const engine = engines['cpu, 2 threads'];
  const [a, b] = [compose({}, 9), compose({ side: 16 }, 9)];
  const [programA, programB] = [
    await engine.compile(a.graph, { parameters: a.parameters }),
    await engine.compile(b.graph, { parameters: b.parameters }),
  ];
  const expected = [await programA.run(a.inputs), await programB.run(b.inputs)];
  const [planesA, planesB] = [await engine.upload(a.inputs.planes), await engine.upload(b.inputs.planes)];
  for (let round = 0; round < 3; round++) {
    for (let again = 0; again < 2; again++) {
      expect(await programA.run({ ...a.inputs, planes: planesA })).toEqual(expected[0]);
    }
    expect(await programB.run({ ...b.inputs, planes: planesB })).toEqual(expected[1]);
    expect(await programA.run(a.inputs)).toEqual(expected[0]);
  }
  // A released value's memory is used again: the next value has another number.
  await engine.release(planesA);
  const other = { ...a.inputs, planes: random('float32', a.inputs.planes.shape, 77) };
  const fresh = await engine.upload(other.planes);
  expect(await programA.run({ ...other, planes: fresh })).toEqual(await programA.run(other));
});

test('NaN and infinity in planes, cameras and draws stay inside the memory', async () => {
  const composed = compose({ draws: ['jitter', 'quantiles'] }, 11);
  const program = await engines['cpu, 2 threads'].compile(composed.graph, {
    parameters: composed.parameters,
  });
  const before = await program.run(composed.inputs);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -3e38]) {
    for (const name of Object.keys(composed.inputs)) {
      const broken = composed.inputs[name].data.slice().fill(value);
      await program.run({ ...composed.inputs, [name]: { ...composed.inputs[name], data: broken } });
    }
  }
  expect(await program.run(composed.inputs)).toEqual(before);
});

test('a kernel that fails on its threads is an error, and the next call works', async () => {
  const module = kernelModule();
  const engine = cpuEngine({
    threads: 2,
    kernels: {
      ...module,
      kernels: module.kernels.map((kernel) => ({
        name: kernel.name,
        plan: (node) => {
          const call = kernel.plan(node);
          // Scratch memory too small by half for pictures of five rays a side.
          const halve = node.inputs[0].shape[1] === 25 && call !== undefined;
          const { scratchBytes } = call ?? {};
          if (!halve || scratchBytes === undefined) return call;
          return { ...call, args: call.args.map((arg) => (arg === scratchBytes ? scratchBytes / 2 : arg)) };
        },
      })),
    },
  });
  const good = compose({}, 1);
  const expected = await outputs(engine, good);
  await expect(outputs(engine, compose({ n: 5 }, 1))).rejects.toThrow(
    /kernel renderRays failed.*unreachable/,
  );
  expect(await outputs(engine, good)).toEqual(expected);
  await engine.dispose();
});

test('builds: shared memory is a flag of the import, relaxed SIMD where it is taken', () => {
  const module = kernelModule();
  const shared = withSharedMemory(module.wasm);
  expect(shared.filter((byte, i) => byte !== module.wasm[i]).length).toBe(1);
  expect(WebAssembly.validate(shared)).toBe(true);
  expect(() => withSharedMemory(module.wasm.slice(0, 8))).toThrow('do not import their memory');
  expect(buildFor({ wasm, reservedBytes })).toBe(wasm);
  expect(buildFor({ wasm, relaxed: Uint8Array.of(1), reservedBytes })).toBe(wasm);
});
