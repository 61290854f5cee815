/** Writing data sets: all or nothing, the same bytes for the same pictures, and the crops of the original's tool. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  createDatasetWriter,
  type DatasetEntry,
  datasetPaths,
  openDataset,
  packDataset,
  validateDataset,
} from '../src/dataset/index.ts';
import { resizeLanczos } from '../src/picture/lanczos.ts';
import { readZip } from '../src/weights/index.ts';
import {
  encodedMask,
  encodedPicture,
  freshFolder,
  jsonOf,
  labelAt,
  sampleEntries,
  writeFolder,
  writeZip,
} from './dataset-files.ts';

let entries: DatasetEntry[];
beforeAll(async () => {
  entries = await sampleEntries([0, 120, -60], 8);
});

async function written(path: string, all: readonly DatasetEntry[] = entries): Promise<string> {
  const writer = await createDatasetWriter(path);
  for (const entry of all) await writer.add(entry);
  await writer.finish();
  return path;
}

describe('writer', () => {
  test.each(['set.zip', 'set'])('%s reads back as it was written', async (name) => {
    const path = await written(join(freshFolder(), name));
    expect(await validateDataset(datasetPaths(path))).toMatchObject({
      good: 3,
      problemCount: 0,
      remarkCount: 0,
    });
    const dataset = await openDataset(path);
    for (const [i, entry] of entries.entries()) {
      const item = await dataset.item(i);
      expect([...item.label, ...item.pose]).toEqual(Array.from(entry.label, Math.fround));
      expect(item.name).toBe(entry.name);
      const pixels = await sharp(entry.image).raw().toBuffer();
      expect([...item.image.subarray(0, 64)]).toEqual(Array.from({ length: 64 }, (_, k) => pixels[3 * k]));
    }
    await dataset.close();
  });

  test('zips of the same pictures are the same bytes, stored, and readable by another reader', async () => {
    const [a, b] = [await written(join(freshFolder(), 'a.zip')), await written(join(freshFolder(), 'b.zip'))];
    for (const part of ['images', 'masks'] as const)
      expect(readFileSync(datasetPaths(a)[part])).toEqual(readFileSync(datasetPaths(b)[part]));
    const names = await readZip(a, {}, async (members) => {
      expect(Buffer.from(await members[1].read())).toEqual(Buffer.from(entries[1].image));
      return members.map(({ name }) => name);
    });
    expect(names).toEqual([...entries.map(({ name }) => name), 'dataset.json']);
    const json = readFileSync(a).toString('latin1');
    expect(json).toContain('{"labels": [\n["00000/img00000000.png",[1,');
  });

  test.each(['set.zip', 'set'])(
    '%s: given up it leaves nothing; what was there stays until the end',
    async (name) => {
      const folder = freshFolder();
      const path = join(folder, name);
      const first = await createDatasetWriter(path);
      await first.add(entries[0]);
      expect(readdirSync(folder).every((file) => file.endsWith(`.tmp-${process.pid}`))).toBe(true);
      await first.abandon();
      expect(readdirSync(folder)).toEqual([]);
      if (name === 'set') return;
      await written(path);
      const before = readFileSync(path);
      const second = await createDatasetWriter(path);
      await second.add(entries[0]);
      expect(readFileSync(path)).toEqual(before);
      await second.finish();
      expect(readFileSync(path).length).toBeLessThan(before.length);
      expect(readdirSync(folder)).toEqual(['set-masks.zip', 'set.zip']);
    },
  );

  test('a folder that holds something is not touched', async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, 'mine'), 'x');
    await expect(createDatasetWriter(folder)).rejects.toThrow('is not empty');
    await expect(createDatasetWriter(join(folder, 'mine'))).rejects.toThrow('there is a file of that name');
    expect(readdirSync(folder)).toEqual(['mine']);
  });

  test.each([
    [{ name: '../a.png' }, 'the name "../a.png" has an empty part, "." or ".."'],
    [{ name: '/a.png' }, 'is absolute'],
    [{ name: 'a\\b.png' }, 'has a backslash'],
    [{ name: 'a.gif' }, 'does not end in .png or .jpg'],
    [{ name: '00000/img00000000.jpg' }, 'was written already'],
    [{ label: new Float32Array(30) }, 'the label has 30 numbers'],
    [{ label: new Array(31).fill(Number.NaN) }, 'number 0 of the label is NaN'],
  ])('refuses %o', async (change, message) => {
    const folder = freshFolder();
    const writer = await createDatasetWriter(join(folder, 'a.zip'));
    await writer.add(entries[0]);
    await expect(writer.add({ ...entries[1], ...change })).rejects.toMatchObject({
      name: 'DatasetError',
      message: expect.stringContaining(message),
    });
    await writer.abandon();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('pack', () => {
  const source = async (sizes: readonly [number, number][]): Promise<{ images: string; masks: string }> => {
    const folder = freshFolder();
    const paths = { images: join(folder, 'images'), masks: join(folder, 'masks') };
    const labels: [string, number[]][] = [];
    for (const [i, [width, height]] of sizes.entries()) {
      const name = `p${i}.png`;
      writeFolder(paths.images, new Map([[name, await encodedPicture(i, width, height)]]));
      writeFolder(paths.masks, new Map([[name, await encodedMask(i, width, height)]]));
      labels.push([name, labelAt(10 * i, i)]);
    }
    writeFileSync(join(folder, 'dataset.json'), jsonOf(labels));
    return paths;
  };
  const pixelsOf = async (bytes: Uint8Array): Promise<Uint8Array> => sharp(bytes).raw().toBuffer();

  test('names count on over what is left out; labels and masks come along', async () => {
    const from = await source([
      [20, 16],
      [6, 30],
      [16, 16],
      [16, 40],
    ]);
    const out = join(freshFolder(), 'out.zip');
    const report = await packDataset({ from, out, resolution: 8, transform: 'center-crop-wide' });
    expect(report).toMatchObject({ written: 2, resolution: 8, channels: 3, dropped: ['p0.png', 'p1.png'] });
    const dataset = await openDataset(out);
    const names = [0, 1].map((i) => dataset.labels(i).name);
    expect(names).toEqual(['0000000000/0000000002.png', '0000000000/0000000003.png']);
    expect([...dataset.labels(1).label, ...dataset.labels(1).pose]).toEqual(labelAt(30, 3).map(Math.fround));
    await dataset.close();
  });

  test('center-crop: the middle square, by Lanczos; masks alike', async () => {
    const from = await source([[11, 16]]);
    const out = join(freshFolder(), 'out.zip');
    await packDataset({ from, out, resolution: 8, transform: 'center-crop' });
    const dataset = await openDataset(out);
    const { image, mask } = await dataset.item(0);
    const whole = await pixelsOf(await encodedPicture(0, 11, 16));
    const square = { width: 11, height: 11, channels: 3, data: whole.subarray(2 * 11 * 3, 13 * 11 * 3) };
    const wanted = resizeLanczos(square, 8, 8).data;
    expect([...image.subarray(0, 64)]).toEqual(Array.from({ length: 64 }, (_, i) => wanted[3 * i]));
    // The edge between the columns of a mask becomes grey.
    expect(new Set(mask).size).toBeGreaterThan(2);
    await dataset.close();
  });

  test('center-crop-wide: rows in pixels of the result, as wide as they were', async () => {
    const from = await source([[12, 24]]);
    const out = join(freshFolder(), 'out.zip');
    await packDataset({ from, out, resolution: 8, transform: 'center-crop-wide' });
    const dataset = await openDataset(out);
    const { image } = await dataset.item(0);
    const whole = await pixelsOf(await encodedPicture(0, 12, 24));
    const band = { width: 12, height: 16, channels: 3, data: whole.subarray(4 * 12 * 3, 20 * 12 * 3) };
    const wanted = resizeLanczos(band, 8, 8).data;
    expect([...image.subarray(0, 64)]).toEqual(Array.from({ length: 64 }, (_, i) => wanted[3 * i]));
    await dataset.close();
  });

  test('opacity is dropped, the first ones are enough, JPEGs become PNGs', async () => {
    const from = await source([
      [8, 8],
      [8, 8],
      [8, 8],
    ]);
    const picture = join(from.images, 'p0.png');
    writeFileSync(picture, await sharp(picture).ensureAlpha(0.5).png().toBuffer());
    writeFileSync(join(from.images, 'p1.png'), await sharp(join(from.images, 'p1.png')).jpeg().toBuffer());
    const out = join(freshFolder(), 'out');
    expect(await packDataset({ from, out, maxImages: 2 })).toMatchObject({ written: 2, channels: 3 });
    expect(readdirSync(join(out, 'images/0000000000'))).toEqual(['0000000000.png', '0000000001.png']);
    const { format, channels } = await sharp(join(out, 'images/0000000000/0000000001.png')).metadata();
    expect([format, channels]).toEqual(['png', 3]);
  });

  test.each<[readonly [number, number][], object, string]>([
    [[[8, 9]], {}, 'p0.png: the result has 8 x 9 pixels, not square'],
    [[[9, 9]], {}, 'p0.png: the result has 9 pixels a side, which is no power of two'],
    [
      [
        [8, 8],
        [16, 16],
      ],
      {},
      'p1.png: the result has 16 x 16 pixels of 3 channels; those before have 8 x 8',
    ],
    [[[8, 8]], { transform: 'center-crop' }, 'the transform center-crop needs a resolution'],
    [[[4, 4]], { transform: 'center-crop-wide', resolution: 8 }, 'no picture is left to be packed'],
  ])('refuses %j %j, and writes nothing', async (sizes, options, message) => {
    const folder = freshFolder();
    const from = await source(sizes);
    await expect(packDataset({ from, out: join(folder, 'o.zip'), ...options })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('from zips, with labels elsewhere', async () => {
    const folder = freshFolder();
    await writeZip(join(folder, 'a.zip'), new Map([['x/a.png', await encodedPicture(1, 8)]]));
    await writeZip(join(folder, 'b.zip'), new Map([['x/a.png', await encodedMask(1, 8)]]));
    mkdirSync(join(folder, 'l'));
    writeFileSync(join(folder, 'l/labels.json'), jsonOf([['x/a.png', labelAt(5)]]));
    const from = { images: join(folder, 'a.zip'), masks: join(folder, 'b.zip') };
    const out = join(folder, 'out.zip');
    await expect(packDataset({ from, out })).rejects.toThrow('has no dataset.json');
    const report = await packDataset({ from, out, labels: join(folder, 'l/labels.json') });
    expect(report).toMatchObject({ written: 1, skipped: [], remarks: [] });
  });
});
