/** What engines promise beside numbers: errors, sharing, disposal, and the same bits at every run. */

import { Buffer } from 'node:buffer';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { builtWorker, workerBackend } from '../src/engines/cpu/client.ts';
import { cpuEngine, isCpuEngineAvailable } from '../src/engines/cpu/index.ts';
import { planEngine } from '../src/engines/onnx/plan-engine.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { isWebEngineAvailable, webEngine } from '../src/engines/web/index.ts';
import { DTypeError, EngineError, NameError, PortraitganError, ShapeError } from '../src/errors.ts';
import * as t from '../src/tensor/index.ts';
import { workerUrl } from '../src/worker-url.ts';
import { random } from './primitives/values.ts';
import { gpuEngines } from './webgpu/adapter.ts';

const cpu = cpuEngine({ threads: 2 });
const engines = [referenceEngine(), cpu, webEngine({ threads: 1 }), ...(await gpuEngines())];

afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});

const affine = () =>
  t.trace('affine', { x: t.f32(2, 3), k: t.i32(2) }, ({ x, k }) => ({
    y: t.gather(t.matmul(x, t.parameter('w', t.f32(3, 4))), k),
  }));
const w = random('float32', [3, 4]);
const good = () => ({
  x: random('float32', [2, 3]),
  k: { ...t.zerosFor(t.i32(2)), data: Int32Array.of(0, 1) },
});

/** Compares bytes: far quicker than comparing elements one by one. */
function sameBits(a: t.Arrays, b: t.Arrays): boolean {
  return Object.keys(b).every((name) => Buffer.compare(bytes(a[name]), bytes(b[name])) === 0);
}

const bytes = ({ data }: t.NdArray) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

describe.each(engines)('$name', (engine) => {
  const compiled = engine.compile(affine(), { parameters: { w } });

  test('leaves its inputs as they were', async () => {
    const inputs = good();
    const before = inputs.x.data.slice();
    const program = await compiled;
    await program.run(inputs);
    expect(inputs.x.data).toEqual(before);
  });

  test.each([
    [{ k: good().k }, NameError, 'affine: input "x" f32[2,3] is missing; given: k'],
    [{ ...good(), z: w }, NameError, 'affine: unknown input "z"; the program takes x, k'],
    [
      { ...good(), x: w },
      ShapeError,
      'affine: input "x" is f32[3,4] with 12 values but f32[2,3] is expected',
    ],
    [
      { ...good(), k: random('float32', [2]) },
      DTypeError,
      'affine: input "k" is f32[2] but i32[2] is expected',
    ],
  ])('refuses bad inputs %#', async (inputs, type, message) => {
    const failure = (await compiled).run(inputs as t.Arrays);
    await expect(failure).rejects.toThrow(type);
    await expect(failure).rejects.toThrow(message);
  });

  test('refuses weights that do not fit', async () => {
    await expect(engine.compile(affine())).rejects.toThrow(
      'affine: parameter "w" f32[3,4] is missing; given: none',
    );
    const wrong = { parameters: { w: random('float32', [4, 3]) } };
    await expect(engine.compile(affine(), wrong)).rejects.toThrow(
      'affine: parameter "w" is f32[4,3] with 12',
    );
  });

  test('refuses an index out of range', async () => {
    const far = { ...good(), k: { ...good().k, data: Int32Array.of(0, 9) } };
    await expect((await compiled).run(far)).rejects.toThrow(/gather/);
    await expect((await compiled).run(good())).resolves.toHaveProperty('y');
  });

  test('refuses a program that was disposed', async () => {
    const program = await engine.compile(affine(), { parameters: { w } });
    await program.dispose();
    await program.dispose();
    await expect(program.run(good())).rejects.toThrow('affine: the program was disposed');
    // Another handle on the same program still works.
    await expect((await compiled).run(good())).resolves.toHaveProperty('y');
  });

  test('reports NaN on asking', async () => {
    const graph = t.trace('roots', { x: t.f32(3) }, ({ x }) => ({
      fine: t.abs(x),
      y: t.sqrt(t.mul(x, t.parameter('s', t.f32(3)))),
    }));
    const ones = random('float32', [3], 3);
    ones.data.fill(1);
    const bad = { ...ones, data: Float32Array.of(1, Number.NaN, 1) };
    const program = await engine.compile(graph, { parameters: { s: ones } });
    const negative = { x: { ...ones, data: Float32Array.of(1, -1, 1) } };
    expect([...(await program.run(negative)).y.data]).toEqual([1, Number.NaN, 1]);
    const report = { reportNaN: true };
    await expect(program.run(negative, report)).rejects.toThrow(/roots: .*sqrt.*engines\.test\.ts:\d+/);
    await expect(program.run({ x: bad }, report)).rejects.toThrow('roots: input "x" holds NaN');
    const poisoned = await engine.compile(graph, { parameters: { s: bad } });
    await expect(poisoned.run({ x: ones }, report)).rejects.toThrow('roots: parameter "s" holds NaN');
    await expect(poisoned.run({ x: ones }, report)).rejects.toThrow(PortraitganError);
  });
});

describe.each(engines.slice(1))('$name', (engine) => {
  test('names an operation that it lacks', async () => {
    const odd = {
      ...t.trace('t', { x: t.f32(1) }, ({ x }) => ({ y: t.neg(x) })).outputs[0].tensor.node.op,
      name: 'erf',
    };
    const graph = t.trace('odd', { x: t.f32(1) }, ({ x }) => ({ y: t.apply(odd, [x]).outputs[0] }));
    const failure = engine.compile(graph);
    await expect(failure).rejects.toThrow(EngineError);
    await expect(failure).rejects.toThrow(
      /^odd: this engine has no operation "erf" \(traced at engines\.test\.ts:\d+\)$/,
    );
  });

  test('carries halves, booleans and two names of one value', async () => {
    const graph = t.trace(
      'types',
      { h: { dtype: 'float16', shape: [3] }, b: { dtype: 'bool', shape: [2] } },
      ({ h, b }) => ({ h, twice: h, b: t.not(b) }),
    );
    const program = await engine.compile(graph);
    const inputs = { h: random('float16', [3]), b: random('bool', [2]) };
    const outputs = await program.run(inputs);
    expect(outputs.h).toEqual(inputs.h);
    expect(outputs.twice).toEqual(inputs.h);
    expect(outputs.b.data).toEqual(inputs.b.data.map((bit) => 1 - bit));
  });

  test('runs calls that were made at once, in order', async () => {
    const program = await engine.compile(affine(), { parameters: { w } });
    const inputs = [good(), good(), good()];
    const together = await Promise.all(inputs.map((one) => program.run(one)));
    for (const [i, one] of inputs.entries()) expect(await program.run(one)).toEqual(together[i]);
  });
});

describe('the cpu engine', () => {
  test('is available here', async () => {
    expect(await isCpuEngineAvailable()).toBe(true);
    expect(isWebEngineAvailable()).toBe(true);
  });

  test('gives the same bits at every run with two threads', async () => {
    const graph = t.trace('bits', { x: t.f32(2, 16, 32, 32) }, ({ x }) => {
      const first = t.conv2d(x, t.parameter('w', t.f32(32, 16, 3, 3)), { padding: 1 });
      const up = t.conv2dTranspose(first, t.parameter('u', t.f32(32, 8, 3, 3)), { stride: 2, padding: 1 });
      const rows = t.reshape(first, [64, 1024]);
      return {
        up,
        grad: t.conv2dWeightGrad(x, first, [3, 3], { padding: 1 }),
        gram: t.matmul(rows, t.transpose(rows, [1, 0])),
        sum: t.reduceSum(up),
        scattered: t.scatterAdd(rows, t.parameter('at', t.i32(64)), 5),
      };
    });
    const at = { ...t.zerosFor(t.i32(64)), data: Int32Array.from({ length: 64 }, (_, i) => (i * 7) % 5) };
    const parameters = { w: random('float32', [32, 16, 3, 3]), u: random('float32', [32, 8, 3, 3]), at };
    const inputs = { x: random('float32', [2, 16, 32, 32]) };
    const program = await cpu.compile(graph, { parameters });
    const first = await program.run(inputs);
    for (let run = 1; run < 10; run++) expect(sameBits(await program.run(inputs), first)).toBe(true);
    // A session of its own as well: other weight arrays of the same values.
    const copies = Object.fromEntries(
      Object.entries(parameters).map(([name, one]) => [name, { ...one, data: one.data.slice() }]),
    );
    const again = await cpu.compile(graph, { parameters: copies });
    for (let run = 0; run < 3; run++) expect(sameBits(await again.run(inputs), first)).toBe(true);
  });

  test('loads one program for graphs of one structure and the same weights', async () => {
    const loads: string[] = [];
    const inner = workerBackend({ session: {}, kernels: undefined });
    const engine = planEngine(
      {
        ...inner,
        load: (plan) => {
          loads.push(plan.name);
          return inner.load(plan);
        },
      },
      undefined,
    );
    const [a, b] = await Promise.all(
      [affine(), affine()].map((graph) => engine.compile(graph, { parameters: { w } })),
    );
    const c = await engine.compile(affine(), { parameters: { w: { ...w, data: w.data.slice() } } });
    expect(loads.length).toBe(2);
    await a.dispose();
    await b.run(good());
    await b.dispose();
    await c.run(good());
    await engine.compile(affine(), { parameters: { w } });
    expect(loads.length).toBe(3);
    await engine.dispose();
    await expect(c.run(good())).rejects.toThrow('affine: its engine was disposed');
    await expect(engine.compile(affine(), { parameters: { w } })).rejects.toThrow(
      'the cpu engine was disposed',
    );
  });

  test('rejects what is pending when its worker crashes, and starts another', async () => {
    let urls = 0;
    const crashing = new URL('data:text/javascript,setTimeout(() => { throw new Error("boom") }, 50)');
    const engine = planEngine(
      workerBackend({ session: {}, kernels: undefined }, () => (urls++ === 0 ? crashing : builtWorker())),
      undefined,
    );
    const failure = engine.compile(affine(), { parameters: { w } });
    await expect(failure).rejects.toThrow(EngineError);
    await expect(failure).rejects.toThrow("the cpu engine's worker crashed (boom)");
    const program = await engine.compile(affine(), { parameters: { w } });
    await expect(program.run(good())).resolves.toHaveProperty('y');
    await engine.dispose();
  });

  test('does not keep the process alive', async () => {
    const dist = new URL('../dist/', import.meta.url).href;
    const script = `
      import { cpuEngine } from '${dist}engines/cpu/index.js';
      import { f32, neg, trace } from '${dist}tensor/index.js';
      const program = await cpuEngine().compile(trace('n', { x: f32(1) }, ({ x }) => ({ y: neg(x) })));
      const { y } = await program.run({ x: { ...f32(1), data: Float32Array.of(2) } });
      console.log(y.data[0]);`;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      timeout: 20_000,
    });
    expect((await run).stdout.trim()).toBe('-2');
  });

  test('says what to do when the worker is not built', () => {
    expect(() => workerUrl('engines/nowhere/worker')).toThrow('run npm run build first');
    expect(workerUrl('engines/cpu/worker').href).toMatch(/dist\/engines\/cpu\/worker\.js$/);
  });
});
