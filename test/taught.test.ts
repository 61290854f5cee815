/** The taught phase: windows show what whole pictures show there, loaders repeat themselves, and a loss falls. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { installedAssets } from '../src/dataset/synthetic/assets.ts';
import { backdropOf } from '../src/dataset/synthetic/backdrop.ts';
import { synthesise } from '../src/dataset/synthetic/synthesise.ts';
import { openTaughtSet } from '../src/dataset/taught.ts';
import { createTaughtLoader } from '../src/dataset/taught-loader.ts';
import { defaultBody } from '../src/default-body.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { kernelModule } from '../src/engines/kernels/index.ts';
import { planProgram } from '../src/engines/onnx/planner.ts';
import { DatasetError, UsageError } from '../src/errors.ts';
import { initialNetworks } from '../src/load.ts';
import { cameraLabel, viewCamera } from '../src/portrait/camera.ts';
import { generatorConfig } from '../src/portrait/config.ts';
import { renderGraph } from '../src/portrait/generator.ts';
import { posingOf } from '../src/portrait/posing.ts';
import { generatorPlan, presetOf } from '../src/portrait/presets.ts';
import * as t from '../src/tensor/index.ts';
import { adamCorrections, adamGraph } from '../src/training/adam.ts';
import { taughtLossGraph } from '../src/training/taught-loss.ts';
import { TAUGHT_WEIGHTS, type TaughtSetting } from '../src/training/taught-options.ts';
import {
  type Window,
  windowCameras,
  windowDepths,
  windowMatrices,
  windowPixels,
} from '../src/training/taught-window.ts';
import { randomState } from '../src/weights/random-state.ts';

const folder = mkdtempSync(join(tmpdir(), 'portraitgan-taught-'));
const engine = cpuEngine({ threads: 2 });
afterAll(async () => {
  await engine.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const path = join(folder, 'set.zip');
const made = { seed: 3, size: 32, cameras: 'uniform', poses: 'none', backdrops: 'identity' } as const;
const request = { ...made, heldOut: 0, cameraLight: false, format: 'png', depth: true } as const;
const machine = { assets: installedAssets(), workers: 2, resume: false };
await synthesise({ ...request, ...machine, count: 24, views: 4, out: path });
const set = await openTaughtSet(path);
afterAll(() => set.close());

const { generator } = initialNetworks('tiny', 1);
const config = generatorConfig(generator.record);
const { shapes } = generator.record;
const posing = posingOf(defaultBody(), config.rendering.boxWarp, config.thickness);
const trainable = [...generatorPlan(presetOf('tiny'))].flatMap(([name, { role }]) =>
  role === 'parameter' ? [name] : [],
);
const trained = { config, shapes, trainable, posing };

describe('a window', () => {
  test('shows what the whole picture shows there', async () => {
    const state = randomState(4);
    const [whole, part] = [16, 8];
    const labels = t.ndarray([1, 25], [...cameraLabel(viewCamera(20, 5))]);
    const windows: Window[] = [{ x: 5, y: 3, rays: part, across: whole }];
    const planes = t.ndarray([1, 96, 32, 32], [...state.randn(96 * 32 * 32)]);
    const rendered = async (c: t.NdArray, n: number): Promise<Record<string, t.NdArray>> => {
      const graph = renderGraph({ config, shapes }, 1, n, config.rendering);
      const weights = graph.parameters.map(({ name }) => [name, generator.read(name)]);
      const program = await engine.compile(graph, { parameters: Object.fromEntries(weights) });
      return program.run({ planes, c });
    };
    const all = await rendered(labels, whole);
    const seen = await rendered(windowCameras(labels, windows), part);
    for (const name of ['features', 'opacity']) {
      const channels = all[name].shape[1];
      let worst = 0;
      for (let c = 0; c < channels; c++)
        for (let y = 0; y < part; y++)
          for (let x = 0; x < part; x++) {
            const expected = all[name].data[(c * whole + y + 3) * whole + x + 5];
            worst = Math.max(worst, Math.abs(seen[name].data[(c * part + y) * part + x] - expected));
          }
      expect(worst).toBeLessThan(2e-3);
    }
  });

  test('of pixels, depths and backgrounds is the same part', () => {
    const side = 8;
    const bytes = Uint8Array.from({ length: side * side }, (_, i) => i);
    const windows: Window[] = [{ x: 1, y: 2, rays: 2, across: 4 }];
    expect([...windowPixels(bytes, 1, side, windows, 2).data].slice(0, 4)).toEqual([34, 35, 36, 37]);
    expect([...windowPixels(bytes, 1, side, windows, 1).data]).toEqual([38.5, 40.5, 54.5, 56.5]);
    const units = new Uint16Array(64).fill(50_000);
    units[4 * 8 + 2] = 0; // an edge
    const depths = [...windowDepths(units, side, windows).data];
    expect(depths[0]).toBe(0);
    expect(depths[3]).toBeCloseTo(2.5, 6);
    const { rows, columns } = windowMatrices(windows, 4, true);
    expect([...rows.data]).toEqual([0, 0, 1, 0, 0, 0, 0, 1]);
    expect([...columns.data]).toEqual([0, 1, 0, 0, 0, 0, 1, 0]);
    expect(() => windowPixels(bytes, 1, side, windows, 3)).toThrow(UsageError);
  });
});

describe('a taught set', () => {
  test('gives people with their own pictures', () => {
    expect(set.people).toHaveLength(6);
    expect(set.views).toBe(4);
    expect(set.people[1].pictures).toEqual([4, 5, 6, 7]);
    expect(set.people[1].latent).toHaveLength(128);
  });

  test('comes in the same order from any place', async () => {
    const options = { people: 4, views: 2, seed: 5 };
    const first = createTaughtLoader(set, options);
    const batches = [await first.next(), await first.next()];
    const position = first.position();
    const third = await first.next();
    const again = createTaughtLoader(set, options);
    expect(await again.next()).toEqual(batches[0]);
    const onwards = createTaughtLoader(set, { ...options, position });
    expect(await onwards.next()).toEqual(third);
    expect(onwards.position()).toEqual(first.position());
    for (const loader of [first, again, onwards]) await loader.close();
  });

  test('without identities is refused', async () => {
    await expect(openTaughtSet('data/small-masks.zip')).rejects.toThrow(DatasetError);
    expect(existsSync('data/small-masks-identities.jsonl')).toBe(false);
    expect(() => createTaughtLoader(set, { people: 1, views: 5 })).toThrow(/the set has 4/);
  });
});

test('a backdrop changes gently with the latent, and belongs to it', () => {
  const z = [...randomState(6).randn(128)];
  const near = z.map((value, i) => value + 0.01 * Math.sin(i));
  const [a, b] = [backdropOf(z, 16), backdropOf(near, 16)];
  const other = backdropOf([...randomState(7).randn(128)], 16);
  const apart = (x: Float32Array): number => Math.max(...x.map((value, i) => Math.abs(value / a[i] - 1)));
  expect(
    backdropOf(
      z.map((value) => 2 * value),
      16,
    ),
  ).toEqual(a);
  expect(apart(b)).toBeGreaterThan(0);
  expect(apart(b)).toBeLessThan(0.02);
  expect(apart(other)).toBeGreaterThan(0.1);
});

test('the loss falls, its rendering in kernels', async () => {
  const setting: TaughtSetting = {
    ...{ people: 2, views: 2, rays: 8, neuralResolution: 16, pixelsPerRay: 2, posed: false },
    ...{ planeResolution: 32, samples: 8, importanceSamples: 8 },
    weights: TAUGHT_WEIGHTS,
  };
  const graph = t.liftParameters(taughtLossGraph(trained, setting));
  const { steps } = planProgram(graph, kernelModule(), {});
  const entries = steps.flatMap((step) => (step.kind === 'threaded' ? [step.entry] : []));
  expect(entries).toContain('renderRaysGrad');
  const program = await engine.compile(graph);
  const loader = createTaughtLoader(set, { people: 2, views: 2 });
  const batch = await loader.next();
  await loader.close();
  const windows: Window[] = [0, 1, 2, 3].map((i) => ({ x: 2 * i, y: 2, rays: 8, across: 16 }));
  const front = [...cameraLabel(viewCamera(0, 0)), 0, 0, 0, 0, 0, 0];
  const draws = (...shape: number[]): t.NdArray =>
    t.ndarray(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5));
  const inputs: Record<string, t.NdArray> = {
    z: t.ndarray([2, 16], [...batch.latents.subarray(0, 16), ...batch.latents.subarray(128, 144)]),
    conditions: t.ndarray([2, 31], [...front, ...front]),
    c: windowCameras(t.ndarray([4, 25], batch.labels), windows),
    ...windowMatrices(windows, 16, true),
    image: windowPixels(batch.images, 3, 32, windows, 2),
    mask: windowPixels(batch.masks, 1, 32, windows, 2),
    depth: windowDepths(batch.depths!, 32, windows),
    jitter: draws(4, 64, 8),
    quantiles: draws(256, 8),
  };
  const moving = graph.outputs.flatMap(({ name }) => (name.startsWith('grad/') ? [name.slice(5)] : []));
  const options = { lr: 0.01, betas: [0, 0.99], eps: 1e-8 } as const;
  const adam = await engine.compile(
    adamGraph([new Map(moving.map((name) => [name, shapes.get(name)!]))], options, false),
  );
  const state = new Map<string, t.NdArray>();
  for (const name of moving) {
    state.set(`value/${name}`, generator.read(name));
    for (const kind of ['first', 'second']) state.set(`${kind}/${name}`, t.zerosFor(shapes.get(name)!));
  }
  const losses: number[] = [];
  for (let step = 1; step <= 8; step++) {
    for (const { name } of graph.inputs) {
      if (!name.startsWith('G.')) continue;
      inputs[name] = state.get(`value/${name.slice(2)}`) ?? generator.read(name.slice(2));
    }
    const outputs = await program.run(inputs);
    losses.push(outputs.loss.data[0]);
    expect(outputs.wAvg.shape).toEqual([32]);
    const { stepSize, root } = adamCorrections(options, step);
    const gradients = moving.map((name) => [`gradient/${name}`, outputs[`grad/${name}`]] as const);
    const scalars = { 'stepSize/0': t.ndarray([], [stepSize]), 'root/0': t.ndarray([], [root]) };
    const next = await adam.run({ ...scalars, ...Object.fromEntries([...state, ...gradients]) });
    for (const key of state.keys()) state.set(key, next[key]);
  }
  await adam.dispose();
  await program.dispose();
  expect(losses.at(-1)!).toBeLessThan(0.7 * losses[0]);
});
