import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fromBase64, golden } from '../../test/corpus/golden.ts';
import { zipBytes } from '../../test/corpus/zip-builder.ts';
import { parityFile } from '../../test/parity-files.ts';
import { FormatError } from '../errors.ts';
import { encodeNpy, type NpyArray } from './npy.ts';
import { readNpz, writeNpz } from './npz.ts';

const folder = mkdtempSync(join(tmpdir(), 'npz-'));
afterAll(() => rmSync(folder, { recursive: true }));
const array: NpyArray = { dtype: 'float32', shape: [3], data: Float32Array.of(1, 2, 3) };
const member = encodeNpy(array);

test('reads what NumPy writes, from bytes and from a path', async () => {
  const bytes = fromBase64(golden.npz);
  const path = join(folder, 'numpy.anything');
  writeFileSync(path, bytes);
  for (const file of [bytes, path]) {
    const arrays = await readNpz(file);
    expect([...arrays.keys()]).toEqual(['a', 'b']);
    expect(arrays.get('a')?.data).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
    expect(arrays.get('b')).toMatchObject({ dtype: 'int64', shape: [], data: BigInt64Array.of(3n) });
  }
});

test.each([true, false])('what is written is read, twice the same bytes (compress %s)', async (compress) => {
  const path = join(folder, `round-${compress}.npz`);
  const arrays = { 'a/b': array, half: { dtype: 'float16', shape: [], data: Uint16Array.of(5) } as NpyArray };
  await writeNpz(path, arrays, { compress });
  const first = readFileSync(path);
  await writeNpz(path, arrays, { compress });
  expect(readFileSync(path).equals(first)).toBe(true);
  expect(Object.fromEntries(await readNpz(path))).toEqual(arrays);
  expect(readdirSync(folder).filter((name) => name.includes('.tmp-'))).toEqual([]);
});

const units = parityFile('units/units.npz');

test.skipIf(!units)('the recorded unit arrays', async () => {
  const arrays = await readNpz(units as string);
  expect(arrays.size).toBe(694);
  expect(arrays.get('smpl_model_v_template')?.shape).toEqual([1166, 3]);
});

test('a hand-made zip is read', async () => {
  expect((await readNpz(zipBytes([{ name: 'a.npy', data: member }]))).get('a')).toEqual(array);
});

test.each<[string, Parameters<typeof zipBytes>[0], RegExp]>([
  [
    'the same name twice',
    [
      { name: 'a.npy', data: member },
      { name: 'a.npy', data: member },
    ],
    /occurs twice/,
  ],
  [
    'another name in the local header',
    [{ name: 'a.npy', localName: 'b.npy', data: member }],
    /another name or method/,
  ],
  ['a size that lies', [{ name: 'a.npy', data: member, size: 1 << 20 }], /size mismatch|claims/],
  ['a wrong checksum', [{ name: 'a.npy', data: member, crc: 1 }], /wrong checksum/],
  ['an unknown method', [{ name: 'a.npy', data: member, method: 99 }], /compression method 99/],
  ['an encrypted member', [{ name: 'a.npy', data: member, flags: 1 }], /encrypted|size mismatch/],
  ['a climbing path', [{ name: '../a.npy', data: member }], /invalid relative path/],
  ['a member that is no array', [{ name: 'a.txt', data: member }], /not a .npy file/],
  [
    'overlapping members',
    [
      { name: 'a.npy', data: member },
      { name: 'b.npy', data: member, localOffset: 0, localName: 'b.npy' },
    ],
    /another name|overlap/,
  ],
  ['a broken array', [{ name: 'a.npy', data: member.subarray(0, -1) }], /member "a.npy": .* 1 are missing/],
])('refuses: %s', async (_name, members, message) => {
  const action = readNpz(zipBytes(members));
  await expect(action).rejects.toThrow(message);
  await expect(action).rejects.toBeInstanceOf(FormatError);
});

test('a deflate bomb stops at its declared size, and totals are bounded', async () => {
  const zeros: NpyArray = { dtype: 'uint8', shape: [1 << 20], data: new Uint8Array(1 << 20) };
  const bomb = zipBytes([{ name: 'a.npy', data: encodeNpy(zeros), deflate: true, size: 5000 }]);
  await expect(readNpz(bomb)).rejects.toThrow(/too many bytes in the stream|beyond its declared size/);
  const honest = zipBytes([{ name: 'a.npy', data: encodeNpy(zeros), deflate: true }]);
  expect((await readNpz(honest)).size).toBe(1);
  await expect(readNpz(honest, { maxTotalBytes: 1 << 19 })).rejects.toThrow(/more than 524288 bytes/);
});

test('cut archives and other files are FormatErrors', async () => {
  const bytes = fromBase64(golden.npz);
  for (let length = 0; length < bytes.length; length += 7) {
    await expect(readNpz(bytes.subarray(0, length)), `length ${length}`).rejects.toBeInstanceOf(FormatError);
  }
  await expect(readNpz(join(folder, 'none.npz'))).rejects.toBeInstanceOf(FormatError);
});

test('array names that leave the archive are refused', async () => {
  await expect(writeNpz(join(folder, 'bad.npz'), { '../x': array })).rejects.toThrow(/cannot name an array/);
});
