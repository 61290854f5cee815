import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { smallStateAt } from '../../test/small-run.ts';
import { NetworkError, UsageError } from '../errors.ts';
import { presetNetworkOptions } from '../load.ts';
import { discriminatorPlan, generatorPlan, PRESET_NAMES, presetOf } from '../portrait/presets.ts';
import { fromHalfBits, toHalfBits } from '../tensor/half.ts';
import { type Aval, ndarray } from '../tensor/index.ts';
import { MAX_CARRY_BYTES, planCarry, writeCarry } from './carry.ts';
import { openCheckpointState } from './latest.ts';

const folder = mkdtempSync(join(tmpdir(), 'carry-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Shapes of all that a run of a preset holds. */
function shapesOf(preset: string): Map<string, Aval> {
  const shapes = new Map<string, Aval>();
  for (const [network, plan] of [
    ['G', generatorPlan(presetOf(preset))],
    ['D', discriminatorPlan(presetOf(preset))],
  ] as const) {
    for (const [name, aval] of plan)
      for (const prefix of ['', 'first/', 'second/']) shapes.set(`${prefix}${network}/${name}`, aval);
    for (const [name, aval] of plan) shapes.set(`${network}_ema/${name}`, aval);
  }
  return shapes;
}

test('all four networks in half precision and the place; no moments', async () => {
  const path = join(folder, 'small.safetensors');
  const state = smallStateAt(5);
  const { bytes, left } = await writeCarry(path, state);
  expect([statSync(path).size, left, readdirSync(folder)]).toEqual([bytes, [], ['small.safetensors']]);
  const opened = openCheckpointState(path);
  expect(opened.kind).toBe('carry');
  expect(opened.remarks).toEqual([
    expect.stringContaining('moments start fresh; this is not the exact resume'),
  ]);
  expect(opened.state.record).toEqual({ ...state.record, steps: {} });
  expect([...opened.state.tensors.keys()]).toEqual(
    [...state.tensors.keys()].filter((name) => !/^(first|second)/.test(name)),
  );
  for (const [name, { shape, data }] of opened.state.tensors) {
    const rounded = Float32Array.from(state.tensors.get(name)!.data, (x) => fromHalfBits(toHalfBits(x)));
    expect([shape, data]).toEqual([state.tensors.get(name)!.shape, rounded]);
  }
});

test.each([
  ['tiny', [], 0.51],
  ['64-32', [], 10.5],
  ['128-32', [], 10.9],
  ['128-64', [], 20.3],
  ['256-64s', ['G', 'D'], 23.5],
])('a run of %s leaves out %j', (preset, left, megabytes) => {
  const plan = planCarry(shapesOf(preset), { networks: presetNetworkOptions(presetOf(preset)) });
  expect(plan.left).toEqual(left);
  expect(plan.bytes / 1e6).toBeLessThan(megabytes);
  expect(plan.bytes / 1e6).toBeGreaterThan(megabytes * 0.95);
});

test('presets too large for one say how large', () => {
  for (const preset of PRESET_NAMES.filter((name) => /^\d+-\d+$/.test(name) && !/^(64|128)-/.test(name)))
    expect(() => planCarry(shapesOf(preset), {})).toThrow(UsageError);
  expect(() => planCarry(shapesOf('512-64'), {})).toThrow(
    /takes 208\.\d MB with their averages alone; at most 30\.0 MB/,
  );
});

test('what was left out comes back as a copy of its average', async () => {
  const path = join(folder, 'large.safetensors');
  const rows = Math.floor(MAX_CARRY_BYTES / 2 / 3 / 1000);
  const values = (value: number) => ndarray([rows, 1000], new Float32Array(rows * 1000).fill(value));
  const tensors = new Map([
    ['G/a', values(1)],
    ['D/b', ndarray([1], [2])],
    ['G_ema/a', values(3)],
    ['D_ema/b', ndarray([1], [4])],
    // Without it the file would do; moments must not count.
    ['first/G/a', values(5)],
  ]);
  tensors.set('G/c', values(6)).set('G_ema/c', values(7));
  expect((await writeCarry(path, { tensors, record: {} })).left).toEqual(['G']);
  const { state, remarks } = openCheckpointState(path);
  expect(remarks[1]).toBe('G starts from its average G_ema');
  const first = (name: string) => state.tensors.get(name)?.data[0];
  expect(['G/a', 'G/c', 'G_ema/a', 'G_ema/c', 'D/b', 'D_ema/b', 'first/G/a'].map(first)).toEqual([
    ...[3, 7, 3, 7, 2, 4],
    undefined,
  ]);
  expect(state.tensors.get('G/a')?.data === state.tensors.get('G_ema/a')?.data).toBe(false);
});

test('a weight beyond half precision is named; the file stays as it was', async () => {
  const path = join(folder, 'beyond.safetensors');
  const { tensors, record } = smallStateAt(1);
  await writeCarry(path, { tensors, record });
  const broken = new Map([...tensors, ['D/b.weight', ndarray([1], [70_000])]]);
  await expect(writeCarry(path, { tensors: broken, record })).rejects.toThrow(NetworkError);
  await expect(writeCarry(path, { tensors: broken, record })).rejects.toThrow('"D/b.weight" holds 70000');
  expect(openCheckpointState(path).state.record.iteration).toBe(1);
});
