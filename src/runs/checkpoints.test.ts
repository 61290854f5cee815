import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bitsOf, smallStart, smallStateAt } from '../../test/small-run.ts';
import { StorageError } from '../errors.ts';
import { ndarray } from '../tensor/index.ts';
import { openCheckpoint } from '../weights/index.ts';
import { cleanCheckpoints, writeCheckpoint } from './checkpoints.ts';
import { openCheckpointState, openLatest } from './latest.ts';

const base = mkdtempSync(join(tmpdir(), 'checkpoints-'));
afterAll(() => rmSync(base, { recursive: true }));
let folders = 0;
const fresh = (): string => join(base, String(folders++), 'checkpoints');
const latestBits = (folder: string): string | undefined => {
  const { opened } = openLatest(folder);
  return opened && bitsOf(opened.state);
};

test('every bit comes back, and the networks read like those of a checkpoint', async () => {
  const folder = fresh();
  const odd = new Float32Array([0, -0, 1e-45, Number.NaN, Infinity, 16777217]);
  new Uint32Array(odd.buffer)[3] = 0x7fc12345;
  const state = smallStateAt(3);
  const record = { ...state.record, list: [0.1, -1e300, null, 'ä "quoted"\n'], deep: { a: { b: true } } };
  const whole = { record, tensors: new Map([...state.tensors, ['G/odd', ndarray([2, 3], odd)]]) };
  const file = await writeCheckpoint(folder, whole);
  expect(basename(file)).toBe('checkpoint-00001-seen-12.safetensors');
  expect(readdirSync(folder)).toEqual([basename(file).replace('safetensors', 'json'), basename(file)]);
  const { opened, passedOver } = openLatest(folder);
  expect(passedOver).toEqual([]);
  expect(opened).toMatchObject({ file, kind: 'exact', remarks: [] });
  expect(bitsOf(opened!.state)).toBe(bitsOf(whole));
  const checkpoint = openCheckpoint(file);
  expect(Object.keys(checkpoint.networks)).toEqual(['G', 'D', 'G_ema', 'D_ema']);
  expect([...checkpoint.networks.G!.tensors.keys()]).toEqual(['a.weight', 'a.bias', 'odd']);
  expect(checkpoint.networks.D_ema!.tensors.get('b.weight')!.read()).toEqual(
    state.tensors.get('D_ema/b.weight')!.data,
  );
  expect(checkpoint.networks.G_ema!.initKwargs).toEqual({ rendering_kwargs: { density_noise: 0 } });
  checkpoint.close();
});

test('the newest two stay, and the first behind each multiple asked for', async () => {
  const folder = fresh();
  for (let i = 0; i < 9; i++) await writeCheckpoint(folder, smallStateAt(i), { milestone: 10 });
  expect(readdirSync(folder).filter((name) => name.endsWith('.json'))).toEqual([
    'checkpoint-00004-seen-12.json',
    'checkpoint-00006-seen-20.json',
    'checkpoint-00008-seen-28.json',
    'checkpoint-00009-seen-32.json',
  ]);
  expect(readdirSync(folder)).toHaveLength(8);
  await writeCheckpoint(folder, smallStateAt(1), { keep: 1 });
  expect(latestBits(folder)).toBe(bitsOf(smallStateAt(1)));
  expect(readdirSync(folder)).toHaveLength(2);
});

test.each([
  ['a flipped bit', (bytes: Buffer) => bytes.fill(bytes[200] ^ 4, 200, 201), /damaged: its checksum/],
  ['a cut end', (bytes: Buffer) => bytes.subarray(0, -1), /truncated: \d+ bytes where \d+ were written/],
  ['nothing in it', () => Buffer.alloc(0), /truncated: 0 bytes/],
  ['a tail', (bytes: Buffer) => Buffer.concat([bytes, bytes]), /too long/],
])('a newest checkpoint with %s is passed over, with the reason', async (_, damage, reason) => {
  const folder = fresh();
  await writeCheckpoint(folder, smallStateAt(1));
  const newest = await writeCheckpoint(folder, smallStateAt(2));
  writeFileSync(newest, damage(readFileSync(newest)));
  const { opened, passedOver } = openLatest(folder);
  expect(opened?.state.record.iteration).toBe(1);
  expect(passedOver).toEqual([{ file: newest, reason: expect.stringMatching(reason) }]);
  expect(() => openCheckpointState(newest)).toThrow(newest);
});

test('the last intact checkpoint outlives damaged ones', async () => {
  const folder = fresh();
  const good = await writeCheckpoint(folder, smallStateAt(1));
  for (let i = 2; i < 5; i++) {
    writeFileSync(join(folder, `checkpoint-0000${i}-seen-9.safetensors`), 'x');
    writeFileSync(join(folder, `checkpoint-0000${i}-seen-9.json`), '{"format":1}');
  }
  const next = await writeCheckpoint(folder, smallStateAt(2));
  expect(basename(next)).toMatch(/^checkpoint-00005/);
  expect(existsSync(good)).toBe(true);
  await writeCheckpoint(folder, smallStateAt(3));
  expect(readdirSync(folder)).toHaveLength(4);
});

test.each([
  ['an empty manifest', '', /broken JSON/],
  ['another text', '[]', /not one of this program/],
  ['a later version', '{"format":"portraitgan-checkpoint","version":2}', /not one of this program/],
  ['an endless manifest', 'x'.repeat(70_000), /a manifest of 70000 bytes/],
  ['no manifest', null, /no manifest: saving it was interrupted/],
])('%s makes no checkpoint', async (_, text, reason) => {
  const folder = fresh();
  const file = await writeCheckpoint(folder, smallStart());
  const manifest = file.replace('safetensors', 'json');
  if (text === null) rmSync(manifest);
  else writeFileSync(manifest, text);
  const { opened, passedOver } = openLatest(folder);
  expect(opened).toBeUndefined();
  expect(passedOver).toEqual([{ file, reason: expect.stringMatching(reason) }]);
});

test('a manifest of another checkpoint makes none', async () => {
  const folder = fresh();
  const [a, b] = [
    await writeCheckpoint(folder, smallStateAt(1)),
    await writeCheckpoint(folder, smallStateAt(2)),
  ];
  writeFileSync(b.replace('safetensors', 'json'), readFileSync(a.replace('safetensors', 'json')));
  expect(openLatest(folder).passedOver[0].reason).toMatch(/that of another checkpoint/);
});

test('what dead processes left goes, what living ones write stays', async () => {
  const folder = fresh();
  mkdirSync(folder, { recursive: true });
  const name = 'checkpoint-00001-seen-0.safetensors.tmp-';
  // Process 1 lives; no process has a number above 2^22.
  for (const file of [`${name}99999999`, `${name}1`, `notes.tmp-99999999`])
    writeFileSync(join(folder, file), '');
  await cleanCheckpoints(folder);
  expect(readdirSync(folder)).toEqual([`${name}1`, 'notes.tmp-99999999']);
});

test('no folder, no checkpoint; a file in its place is named', async () => {
  expect(openLatest(join(base, 'none'))).toEqual({ opened: undefined, passedOver: [] });
  const file = join(base, 'file');
  writeFileSync(file, '');
  const error = await writeCheckpoint(file, smallStart()).catch((reason) => reason);
  expect(error).toBeInstanceOf(StorageError);
  expect(error.message).toContain(`cannot write "${file}": there is a file of that name; nothing was saved`);
});

test('a record that JSON would change is refused', async () => {
  const { tensors, record } = smallStart();
  await expect(
    writeCheckpoint(fresh(), { tensors, record: { ...record, rate: Number.NaN } }),
  ).rejects.toThrow('internal: "rate" of the record is NaN');
});

test('two at once in one folder are a mistake', async () => {
  const folder = fresh();
  const first = writeCheckpoint(folder, smallStart());
  await expect(writeCheckpoint(folder, smallStart())).rejects.toThrow(/is being written to/);
  await first;
});
