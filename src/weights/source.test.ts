import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { FormatError } from '../errors.ts';
import { createCursor } from './cursor.ts';
import { openFileSource } from './file-source.ts';
import { bytesSource, sliceSource } from './source.ts';

const folder = mkdtempSync(join(tmpdir(), 'source-'));
afterAll(() => rmSync(folder, { recursive: true }));
const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31) >> 3);
const path = join(folder, 'bytes');
writeFileSync(path, bytes);

test('a file, a slice and memory give the same bytes, in any order', () => {
  const file = openFileSource(path);
  const slice = sliceSource(file, 1000, 50_000);
  const range = fc.tuple(fc.nat(99_999), fc.nat(9_000));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 8 }), (ranges) => {
      const views = ranges.map(([offset, length]) => {
        const count = Math.min(length, bytes.length - offset);
        return { view: file.read(offset, count), offset, count };
      });
      // Checked after all reads: earlier views must stay valid.
      for (const { view, offset, count } of views) expect(view).toEqual(bytes.slice(offset, offset + count));
    }),
    { seed: 1, numRuns: 100 },
  );
  expect(slice.read(10, 20)).toEqual(bytes.subarray(1010, 1030));
  file.close();
  expect(() => file.read(0, 10_000)).toThrow(/was closed/);
});

test('reads past the end say what is missing', () => {
  const file = openFileSource(path);
  for (const source of [bytesSource(bytes), file]) {
    expect(() => source.read(99_990, 20)).toThrow(/10 of them are missing/);
    expect(() => source.read(99_990, 20)).toThrow(FormatError);
  }
  expect(() => sliceSource(file, 99_990, 20)).toThrow(FormatError);
  expect(() => sliceSource(file, 0, 10).read(5, 6)).toThrow(FormatError);
  file.close();
});

test('a file that shrinks while it is read', () => {
  const shrinking = join(folder, 'shrinking');
  writeFileSync(shrinking, bytes);
  const file = openFileSource(shrinking);
  truncateSync(shrinking, 10);
  expect(() => file.read(50_000, 10_000)).toThrow(/became shorter/);
  file.close();
});

test('lines across chunks, at the end, and too long', () => {
  const text = new Uint8Array(40_000).fill(97);
  for (const at of [5, 16_383, 16_384, 39_999]) text[at] = 10;
  const cursor = createCursor(bytesSource(text));
  expect([0, 1, 2].map(() => cursor.line(50_000, 'a line').length)).toEqual([5, 16_377, 0]);
  expect(() => cursor.line(100, 'a line')).toThrow(/a line is longer than 100 bytes/);
  expect(cursor.line(50_000, 'a line').length).toBe(23_614);
  expect(() => cursor.line(50_000, 'a line')).toThrow(/a line has no end of line/);
});

test('numbers', () => {
  const cursor = createCursor(
    bytesSource(Uint8Array.of(1, 2, 3, 255, 255, 255, 255, 1, 0, 0, 0, 1, 0, 0, 0)),
  );
  expect([cursor.u8('n'), cursor.u16('n'), cursor.i32('n')]).toEqual([1, 0x302, -1]);
  expect(cursor.u64('n')).toBe(2 ** 32 + 1);
  expect(() => cursor.u8('n')).toThrow(/n takes 1 bytes but 0 remain, 1 are missing/);
});
