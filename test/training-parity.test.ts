/** `train-step` against the recorded steps of the original program, and its own rules. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { loadNetwork } from '../src/load.ts';
import { plainPoses } from '../src/portrait/plain-networks.ts';
import type { NdArray } from '../src/tensor/index.ts';
import { stepParameters } from '../src/training/optimise.ts';
import {
  type NpyArray,
  openCheckpoint,
  readNpz,
  toFloat32,
  toNdArray,
  writeNpz,
} from '../src/weights/index.ts';
import { cli, freshFolder } from './cli-run.ts';
import { parityFile } from './parity-files.ts';
import { GPU_REMARKS, gpuEngineNames } from './webgpu/adapter.ts';

type Arrays = ReadonlyMap<string, NpyArray>;
type Options = Record<string, unknown> & { loss: Record<string, unknown>; params_without_gradient: string[] };

const gpus = await gpuEngineNames();
const network = parityFile('tiny/network.pkl');
const folder = freshFolder();
const all: Record<string, Options> =
  network === undefined ? {} : JSON.parse(readFileSync(parityFile('tiny/train.json')!, 'utf8'));

function optionsFile(name: string, options: unknown): string {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(options));
  return file;
}

const step = (name: string, inputs: string, options: unknown, ...flags: string[]) =>
  cli(
    ...['train-step', '--network', network!, '--inputs', inputs, '--options', optionsFile(name, options)],
    ...['--outputs', join(folder, `${name}.npz`), ...flags],
  );

const outputsOf = (name: string): Promise<Arrays> => readNpz(join(folder, `${name}.npz`));

const namesOf = (arrays: Arrays, prefix: string): string[] =>
  [...arrays.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));

function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum);
}

/** Distance in units of the recorded array's norm. */
function apart(got: NpyArray, want: NpyArray): number {
  const [a, b] = [toFloat32(got), toFloat32(want)];
  const size = norm(b);
  const gap = norm(a.map((value, i) => value - b[i]));
  return size === 0 ? gap : gap / size;
}

/** Largest difference of stepped parameters where the gradient is not tiny: with beta1 = 0 a first step is +-lr, so a
 * tiny gradient carries only a sign. */
function steppedApart(got: NpyArray, want: NpyArray, gradient: NpyArray): number {
  const [a, b, g] = [toFloat32(got), toFloat32(want), toFloat32(gradient)];
  const rms = norm(g) / Math.sqrt(g.length);
  let worst = 0;
  a.forEach((value, i) => {
    if (Math.abs(g[i]) > 0.01 * rms) worst = Math.max(worst, Math.abs(value - b[i]));
  });
  return worst;
}

async function compare(name: string, recorded: Arrays): Promise<void> {
  const got = await outputsOf(name);
  const losses = toFloat32(got.get('loss/backward')!);
  const wanted = toFloat32(recorded.get('loss/backward')!);
  expect(losses.length).toBe(wanted.length);
  losses.forEach((loss, i) => {
    expect(Math.abs(loss / wanted[i] - 1)).toBeLessThan(1e-4); // worst measured: 1.0e-6
  });
  for (const prefix of ['grad/', 'after/']) expect(namesOf(got, prefix)).toEqual(namesOf(recorded, prefix));
  for (const parameter of namesOf(recorded, 'grad/')) {
    const [own, want] = [got.get(`grad/${parameter}`)!, recorded.get(`grad/${parameter}`)!];
    expect(own.shape).toEqual(want.shape);
    // Worst measured: Gboth 5.1e-4 (2.7e-4 on one thread: pose_branch.net.0.weight), Dmain 6.5e-6, Dreg 4.6e-5; the bound is the recording's.
    expect(apart(own, want), parameter).toBeLessThan(2e-3);
    const after = steppedApart(got.get(`after/${parameter}`)!, recorded.get(`after/${parameter}`)!, want);
    expect(after, parameter).toBeLessThan(1e-6); // worst measured: 2.4e-7
  }
  for (const key of [...namesOf(recorded, 'stat/').map((stat) => `stat/${stat}`), 'mid/w_avg_after']) {
    if (!recorded.has(key)) continue;
    expect(got.get(key)?.shape, key).toEqual(recorded.get(key)!.shape);
    expect(apart(got.get(key)!, recorded.get(key)!), key).toBeLessThan(1e-4); // worst measured: below 1e-5
  }
}

describe.skipIf(network === undefined)('the recorded steps', () => {
  const table = [
    ['train_gmain', 'cpu'],
    ['train_dmain', 'cpu'],
    ['train_dreg', 'cpu'],
    ['train_dreg', 'reference'],
    ...gpus.flatMap((engine) => [
      ['train_gmain', engine],
      ['train_dreg', engine],
    ]),
  ];

  test.each(table)('%s on %s', { timeout: 600_000 }, async (name, engine) => {
    const file = parityFile(`tiny/${name}.npz`)!;
    const { code, stderr } = await step(name, file, all[name], '--engine', engine);
    expect([code, stderr.replace(GPU_REMARKS, '')]).toEqual([0, '']);
    const recorded = await readNpz(file);
    await compare(name, recorded);
    const got = new Set(namesOf(await outputsOf(name), 'grad/'));
    for (const parameter of all[name].params_without_gradient) expect(got.has(parameter)).toBe(false);
    for (const parameter of all[name].params_with_all_zero_gradient as string[])
      expect(toFloat32((await outputsOf(name)).get(`grad/${parameter}`)!).every((x) => x === 0)).toBe(true);
  });

  test.each(['train_gmain', 'train_dmain', 'train_dreg'])(
    'two runs of %s give the same bits',
    async (name) => {
      const file = parityFile(`tiny/${name}.npz`)!;
      const bytes: Buffer[] = [];
      for (const run of ['first', 'second']) {
        expect((await step(run, file, all[name], '--engine', 'cpu')).code).toBe(0);
        bytes.push(readFileSync(join(folder, `${run}.npz`)));
      }
      expect(bytes[0].equals(bytes[1])).toBe(true);
    },
  );

  test('from a converted checkpoint the same comes out, from averages alone nothing', async () => {
    const converted = join(folder, 'training.safetensors');
    await cli('convert', network!, converted, '--training');
    const [inputs, options] = [parityFile('tiny/train_dreg.npz')!, optionsFile('st', all.train_dreg)];
    const files = ['--inputs', inputs, '--options', options, '--outputs', join(folder, 'st.npz')];
    expect((await cli('train-step', '--network', converted, ...files)).code).toBe(0);
    await compare('st', await readNpz(inputs));
    const averages = join(folder, 'averages.safetensors');
    await cli('convert', network!, averages);
    const refused = await cli('train-step', '--network', averages, ...files);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('no network G') });
  });
});

describe.skipIf(network === undefined)('on recorded gradients', () => {
  const cpu = cpuEngine({ threads: 2 });
  afterAll(() => cpu.dispose());
  const table = Object.keys(all).flatMap((name) => [
    [name, 'cpu'],
    [name, 'reference'],
  ]);

  test.each(table)('%s: Adam on %s gives the recorded parameters', async (name, engine) => {
    const recorded = await readNpz(parityFile(`tiny/${name}.npz`)!);
    const checkpoint = openCheckpoint(network!);
    const { read } = loadNetwork(checkpoint.networks[all[name].module as 'G' | 'D']!);
    const gradients = new Map<string, NdArray>();
    for (const parameter of namesOf(recorded, 'grad/'))
      gradients.set(parameter, toNdArray(recorded.get(`grad/${parameter}`)!));
    const adam = all[name].adam as { lr: number; betas: [number, number]; eps: number };
    const stepped = await stepParameters(engine === 'cpu' ? cpu : referenceEngine(), gradients, read, adam);
    checkpoint.close();
    for (const parameter of gradients.keys()) {
      const want = toFloat32(recorded.get(`after/${parameter}`)!);
      const got = stepped.values.get(parameter)!.data;
      // Worst measured: 4.8e-7, one unit in the last place of a weight of 5.
      want.forEach((value, i) => {
        if (Math.abs(got[i] - value) > 1e-6) expect(got[i], parameter).toBe(value);
      });
    }
  });

  test.each(Object.keys(all))('%s: the imagined poses are met to the last bit', async (name) => {
    const recorded = await readNpz(parityFile(`tiny/${name}.npz`)!);
    const checkpoint = openCheckpoint(network!);
    const { read } = loadNetwork(checkpoint.networks.G!);
    const array = (key: string): NdArray => toNdArray(recorded.get(key)!);
    const poses = plainPoses(read, array('in/gen_z'), array('in/gen_c'));
    checkpoint.close();
    expect([...poses.data]).toEqual([...toFloat32(recorded.get('mid/input_pose')!)]);
  });
});

describe.skipIf(network === undefined)('other settings', () => {
  test('every density regularisation, and one of weight 0', { timeout: 600_000 }, async () => {
    const recorded = await readNpz(parityFile('tiny/train_gmain.npz')!);
    const draws = (count: number): NpyArray => ({
      dtype: 'float32',
      shape: [1, count, 3],
      data: Float32Array.from(
        { length: 3 * count },
        (_, i) => (Math.abs(Math.sin(i * 12.9898)) * 43758.5) % 1,
      ),
    });
    const inputs = join(folder, 'greg-in.npz');
    const chosen = ['in/gen_z', 'in/gen_c', 'in/gen_pose'].map((name) => {
      const { dtype, shape, data } = recorded.get(name)!;
      return [name, { dtype, shape: [1, shape[1]], data: data.slice(0, shape[1]) }];
    });
    await writeNpz(inputs, {
      ...Object.fromEntries(chosen),
      'in/greg_swap_u': { dtype: 'float32', shape: [], data: Float32Array.of(0.3) },
      'in/greg_points': draws(60),
      'in/greg_noise': draws(60),
      'in/mono_points': draws(90),
    });
    const greg = (reg_type: string, density_reg = 0.25) => ({
      ...all.train_gmain,
      phase: 'Greg',
      gain: 4,
      batch: 1,
      rendering_kwargs: { density_reg, reg_type },
    });
    const losses: Record<string, number[]> = {};
    for (const type of ['l1', 'monotonic-detach', 'monotonic-fixed', 'l1-alt', 'total-variation']) {
      const { code, stderr } = await step(`greg-${type}`, inputs, greg(type));
      expect([code, stderr]).toEqual([0, '']);
      const got = await outputsOf(`greg-${type}`);
      losses[type] = [...toFloat32(got.get('loss/backward')!)];
      expect(namesOf(got, 'grad/').some((name) => name.startsWith('pose_branch'))).toBe(true);
      expect(namesOf(got, 'grad/').some((name) => name.startsWith('superresolution'))).toBe(false);
    }
    expect(losses['monotonic-detach'].length).toBe(2);
    expect(losses['monotonic-fixed']).toEqual(losses['monotonic-detach']);
    expect(losses['l1-alt'][0]).toBe(losses['monotonic-fixed'][1]);
    const nothing = await step('greg-none', inputs, greg('l1', 0));
    expect(nothing).toMatchObject({ code: 0, stderr: expect.stringContaining('computes nothing') });
    expect([...(await outputsOf('greg-none')).get('loss/backward')!.shape]).toEqual([0]);
  });

  test('Dboth without blur, condition or background swap, at another resolution and a batch of two', async () => {
    const recorded = await readNpz(parityFile('tiny/train_dmain.npz')!);
    const names = ['real_img', 'real_seg', 'real_c', 'real_pose', 'gen_z', 'gen_c', 'gen_pose'];
    const inputs = join(folder, 'dboth-in.npz');
    const half = ({ dtype, shape, data }: NpyArray): NpyArray => ({
      dtype,
      shape: [2, ...shape.slice(1)],
      data: data.slice(0, data.length / 2),
    });
    await writeNpz(
      inputs,
      Object.fromEntries(names.map((name) => [name, half(recorded.get(`in/${name}`)!)])),
    );
    const loss = {
      ...all.train_dmain.loss,
      ...{ blur_fade_kimg: 0, gpc_reg_prob: null, bcg_reg_prob: 0, r1_gamma: 2, r1_gamma_seg: 0 },
      neural_rendering_resolution_initial: 24,
    };
    const { code, stderr } = await step('dboth', inputs, {
      ...{ phase: 'Dboth', gain: 1, adam: all.train_dmain.adam, loss, cur_nimg: 500_000 },
    });
    expect([code, stderr]).toEqual([0, '']);
    const got = await outputsOf('dboth');
    expect(got.get('loss/backward')!.shape).toEqual([2]);
    const stat = (name: string): number[] => [...toFloat32(got.get(`stat/${name}`)!)];
    const average = (values: number[]): number => values.reduce((a, b) => a + b) / values.length;
    stat('Loss/D/reg').forEach((value, i) => {
      expect(value).toBeCloseTo(stat('Loss/r1_penalty')[i], 5);
    });
    expect(toFloat32(got.get('loss/backward')!)[1]).toBeCloseTo(
      average(stat('Loss/D/loss_real')) + average(stat('Loss/D/reg')),
      5,
    );
  });

  const dreg = all.train_dreg;
  const bad: [string, (options: Options) => unknown, string][] = [
    ['an unknown phase', (o) => ({ ...o, phase: 'Gmian' }), '"phase" is "Gmian"'],
    ['the other module', (o) => ({ ...o, module: 'G' }), '"module" is "G"'],
    ['a missing key', ({ adam, ...o }) => o, 'options.adam'],
    ['a word for a number', (o) => ({ ...o, loss: { ...o.loss, r1_gamma: 'big' } }), '"r1_gamma" is "big"'],
    ['an impossible beta', (o) => ({ ...o, adam: { lr: 1, betas: [0, 1], eps: 0 } }), '"betas"'],
    ['another batch', (o) => ({ ...o, batch: 8 }), '"batch" is 8'],
    ['an odd filter', (o) => ({ ...o, loss: { ...o.loss, filter_mode: 'classic' } }), '"filter_mode"'],
    ['a list', () => [], 'an object is expected'],
  ];
  test.each(bad)('%s is refused by name', async (_, change, message) => {
    const file = parityFile('tiny/train_dreg.npz')!;
    expect(await step('bad', file, change(dreg))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    });
  });

  test('keys that mean nothing are remarked upon', async () => {
    const more = { ...dreg, cur_img: 3, loss: { ...dreg.loss, r2_gamma: 1 } };
    expect(await step('more', parityFile('tiny/train_dreg.npz')!, more)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('options.cur_img, options.loss.r2_gamma: not known here, ignored'),
    });
  });

  test('arrays that are missing, misshapen or not finite are refused by name', async () => {
    const recorded = await readNpz(parityFile('tiny/train_dreg.npz')!);
    const inputs = Object.fromEntries([...recorded].filter(([name]) => name.startsWith('in/')));
    const refused = async (change: Record<string, NpyArray | undefined>) => {
      const file = join(folder, 'bad-in.npz');
      const kept = Object.entries({ ...inputs, ...change }).filter(([, array]) => array !== undefined);
      await writeNpz(file, Object.fromEntries(kept) as Record<string, NpyArray>);
      return step('bad', file, dreg);
    };
    const nan = { dtype: 'float32' as const, shape: [4, 25], data: new Float32Array(100).fill(Number.NaN) };
    const wide = { dtype: 'float32' as const, shape: [4, 26], data: new Float32Array(104) };
    for (const [change, message] of [
      [{ 'in/real_img': undefined }, 'no array "in/real_img"'],
      [{ 'in/real_c': wide }, '"in/real_c" is [4, 26]'],
      [{ 'in/real_c': nan }, '"in/real_c" holds NaN'],
    ] as const)
      expect(await refused(change)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});
