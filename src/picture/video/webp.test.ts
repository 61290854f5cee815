import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import type { Raster } from '../raster.ts';
import { asideName, openAside } from './aside.ts';
import { webpSink } from './webp.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'portraitgan-webp-'));

/** A grey frame with a bright square that moves. */
function frame(index: number, width = 33, height = 21): Raster {
  const data = new Uint8Array(width * height * 3).fill(40 + 20 * index);
  for (let y = 4; y < 12; y++) data.fill(250, (y * width + index * 2) * 3, (y * width + index * 2 + 8) * 3);
  return { width, height, data };
}

test('an animation that sharp reads back, frame by frame, with times that do not drift', async () => {
  const path = join(folder(), 'a.webp');
  const sink = webpSink(path, { width: 33, height: 21, fps: 30 });
  for (let i = 0; i < 6; i++) await sink.add(frame(i));
  expect(readdirSync(join(path, '..'))).toEqual([`a.webp.tmp-${process.pid}`]);
  await sink.finish();
  await sink.abort();
  expect(readdirSync(join(path, '..'))).toEqual(['a.webp']);
  const metadata = await sharp(path, { pages: -1 }).metadata();
  expect(metadata).toMatchObject({ format: 'webp', pages: 6, width: 33, pageHeight: 21, loop: 0 });
  expect(metadata.delay).toEqual([33, 34, 33, 33, 34, 33]);
  for (let i = 0; i < 6; i++) {
    const { data } = await sharp(path, { page: i }).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const wanted = frame(i).data;
    const error = data.reduce((sum, value, k) => sum + Math.abs(value - wanted[k]), 0) / wanted.length;
    expect(error).toBeLessThan(5);
  }
  const bytes = readFileSync(path);
  expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
});

test('giving up leaves nothing, and keeps what was there', async () => {
  const path = join(folder(), 'a.webp');
  writeFileSync(path, 'old');
  const sink = webpSink(path, { width: 33, height: 21, fps: 25 });
  await sink.add(frame(0));
  await sink.abort();
  expect(readdirSync(join(path, '..'))).toEqual(['a.webp']);
  expect(readFileSync(path, 'utf8')).toBe('old');
});

test('limits and folders that are not there', () => {
  expect(() => webpSink(join(folder(), 'a.webp'), { width: 20_000, height: 20, fps: 30 })).toThrow(
    'frames are 20000 x 20 pixels; animated WebP ends at 16383 a side',
  );
  expect(() => openAside(join(folder(), 'none', 'a'))).toThrow(/cannot write ".*a": ENOENT/);
});

test('a file aside can be patched', () => {
  const path = join(folder(), 'a');
  const file = openAside(path);
  file.write(Buffer.from('hello world'));
  file.patch(6, Buffer.from('there'));
  file.write(Buffer.from('!'));
  expect(readFileSync(asideName(path), 'utf8')).toBe('hello there!');
  file.commit();
  expect(readFileSync(path, 'utf8')).toBe('hello there!');
});
