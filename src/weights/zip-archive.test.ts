import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { zipBytes } from '../../test/corpus/zip-builder.ts';
import { createZip } from '../dataset/zip-write.ts';
import { FormatError } from '../errors.ts';
import { openZip } from './zip-archive.ts';

const folder = mkdtempSync(join(tmpdir(), 'portraitgan-zip-'));
const data = Uint8Array.from({ length: 300 }, (_, i) => i % 7);
const MAX = 1000;

function fileOf(bytes: Uint8Array): string {
  const path = join(folder, 'a.zip');
  writeFileSync(path, bytes);
  return path;
}

async function readAll(path: string): Promise<Map<string, Uint8Array>> {
  const zip = await openZip(path);
  try {
    const read = await Promise.all(zip.names.map(async (name) => [name, await zip.read(name, MAX)] as const));
    return new Map(read);
  } finally {
    await zip.close();
  }
}

test('stored and deflated members, read at the same time', async () => {
  const path = fileOf(
    zipBytes([
      { name: 'a', data, deflate: true },
      { name: 'b/c', data: data.subarray(9) },
      { name: 'empty', data: new Uint8Array(0) },
      { name: 'none', data: new Uint8Array(0), deflate: true },
    ]),
  );
  const all = await readAll(path);
  expect([...all].map(([name, bytes]) => [name, ...bytes])).toEqual([
    ['a', ...data],
    ['b/c', ...data.subarray(9)],
    ['empty'],
    ['none'],
  ]);
  const zip = await openZip(path);
  expect([zip.has('a'), zip.has('x'), zip.size('a')]).toEqual([true, false, 300]);
  await expect(zip.read('x', MAX)).rejects.toThrow('no member "x"');
  await expect(zip.read('a', 299)).rejects.toThrow('has 300 bytes; at most 299 are read');
  await zip.close();
});

test.each([
  [
    'a name twice',
    [
      { name: 'a', data },
      { name: 'a', data },
    ],
    /occurs twice/,
  ],
  ['another name in the local header', [{ name: 'a', localName: 'b', data }], /another name or method/],
  ['a size that lies', [{ name: 'a', data, size: 1 << 20 }], /size mismatch|claims/],
  ['a wrong checksum', [{ name: 'a', data, crc: 1 }], /wrong checksum/],
  ['an unknown method', [{ name: 'a', data, method: 99 }], /compression method 99/],
  ['an encrypted member', [{ name: 'a', data, flags: 1 }], /encrypted|size mismatch/],
  ['a climbing path', [{ name: '../a', data }], /invalid relative path/],
  [
    'a deflate bomb',
    [{ name: 'a', data: new Uint8Array(100_000), deflate: true, size: 900 }],
    /larger than 900 bytes/,
  ],
  [
    'overlapping members',
    [
      { name: 'a', data },
      { name: 'b', data, localOffset: 0, localName: 'b' },
    ],
    /another name|overlap/,
  ],
])('refuses: %s', async (_name, members, message) => {
  const action = readAll(fileOf(zipBytes(members)));
  await expect(action).rejects.toThrow(message);
  await expect(action).rejects.toBeInstanceOf(FormatError);
});

test('cut or damaged anywhere: the same content or a FormatError', async () => {
  const bytes = zipBytes([
    { name: 'a', data, deflate: true },
    { name: 'b', data: data.subarray(250) },
  ]);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Uint8Array.from(bytes);
    damaged[at] ^= 1 << (at % 8);
    for (const variant of at % 5 === 0 ? [damaged, bytes.subarray(0, at)] : [damaged]) {
      try {
        const all = await readAll(fileOf(variant));
        for (const content of all.values()) expect([300, 50]).toContain(content.length);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
  }
});

test('more members than the old directory can count', async () => {
  const path = join(folder, 'many.zip');
  const zip = await createZip(path);
  const count = 66_000;
  for (let i = 0; i < count; i++) await zip.add(`${i}`, () => [Buffer.from(String(i))]);
  await zip.finish();
  const opened = await openZip(path);
  expect(opened.names.length).toBe(count);
  expect(Buffer.from(await opened.read('65999', MAX)).toString()).toBe('65999');
  await opened.close();
});
