/** Datasets with something wrong: what is said about each, by opening and by validating; nothing gets lost. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { openDataset, packDataset, validateDataset } from '../src/dataset/index.ts';
import {
  encodedMask,
  encodedPicture,
  type Files,
  filesOf,
  freshFolder,
  jsonOf,
  labelAt,
  sampleEntries,
  writeZip,
} from './dataset-files.ts';

const SIDE = 8;
const NAME = '00000/img00000001.png';

interface Parts {
  images: Files;
  masks: Files;
  labels: [string, number[]][];
  /** Replaces the text made of the labels. */
  json?: string | null;
}

/** Writes three pictures after `damage`; the second is the one to damage. */
async function damaged(
  damage: (parts: Parts) => void | Promise<void>,
): Promise<{ images: string; masks: string }> {
  const parts: Parts = filesOf(await sampleEntries([0, 90, 180], SIDE));
  await damage(parts);
  const { images, masks, labels, json = jsonOf(labels) } = parts;
  if (json !== null) images.set('dataset.json', json);
  const folder = freshFolder();
  const paths = { images: join(folder, 'set.zip'), masks: join(folder, 'set-masks.zip') };
  await writeZip(paths.images, images);
  await writeZip(paths.masks, masks);
  return paths;
}

const text = (json: (labels: [string, number[]][]) => string) => (parts: Parts) => {
  parts.json = json(parts.labels);
};

describe('said when the dataset is opened', () => {
  test.each<[string, (parts: Parts) => void | Promise<void>, string]>([
    [
      'no dataset.json',
      (parts) => {
        parts.json = null;
      },
      'has no dataset.json: every picture needs a label of 31 numbers',
    ],
    ['an empty dataset.json', text(() => ''), 'dataset.json is broken JSON: it ends too early'],
    [
      'a cut dataset.json',
      text((labels) => jsonOf(labels).slice(0, 700)),
      'dataset.json is broken JSON: it ends too early',
    ],
    ['no labels in it', text(() => '{"a": [1, {"labels": []}]}'), 'dataset.json has no "labels"'],
    ['null labels', text(() => '{"labels": null}'), 'dataset.json has no "labels"'],
    [
      'a label of 30 numbers',
      ({ labels }) => void labels[1][1].pop(),
      `${NAME}: the label has 30 numbers; 31 are needed`,
    ],
    [
      'a label of 25 numbers',
      ({ labels }) => void labels[1][1].splice(25),
      `${NAME}: the label has 25 numbers; 31 are needed`,
    ],
    [
      'NaN as Python writes it',
      text((labels) => jsonOf(labels).replace(/(img00000001.png",\[)1?[^,]*/, '$1NaN')),
      `${NAME}: the label holds NaN, which is no finite number`,
    ],
    [
      'null in a label',
      ({ labels }) => void labels[1][1].splice(3, 1, Number.NaN),
      `${NAME}: number 3 of the label is null, which is no finite number`,
    ],
    [
      'a word as label',
      text((labels) => JSON.stringify({ labels: labels.map(([name]) => [name, 'x']) })),
      'img00000000.png: the label is not a list of 31 numbers',
    ],
    [
      'an entry that is none',
      text(() => '{"labels": [[1, 2]]}'),
      'dataset.json: an entry is [1, 2]; expected ["name.png", [31 numbers]]',
    ],
    [
      'two labels',
      ({ labels }) => void labels.push([NAME, labelAt(3)]),
      `dataset.json labels "${NAME}" twice`,
    ],
    [
      'a label missing',
      ({ labels }) => void labels.splice(1, 1),
      `${NAME}: dataset.json has no label for it`,
    ],
    ['a mask missing', ({ masks }) => void masks.delete(NAME), `${NAME}: "`],
    [
      'two pictures of one stem',
      ({ images, labels }) => {
        images.set(NAME.replace('png', 'jpg'), images.get(NAME)!);
        labels.push([NAME.replace('png', 'jpg'), labelAt(3)]);
      },
      'both would have the same mask',
    ],
    [
      'a WebP',
      ({ images }) => void images.set('a.webp', 'x'),
      'a.webp: is not a picture that can be used: save it as PNG or JPEG',
    ],
    ['no pictures', ({ images }) => images.clear(), 'holds no pictures (.png, .jpg)'],
  ])('%s', async (_, damage, message) => {
    const paths = await damaged(damage);
    await expect(openDataset(paths)).rejects.toMatchObject({
      name: 'DatasetError',
      exitCode: 2,
      message: expect.stringContaining(message),
    });
    const { problemCount, problems } = await validateDataset(paths);
    expect(problemCount).toBeGreaterThan(0);
    expect(problems.map(({ name, problem }) => `${name}: ${problem}`).join('\n')).toContain(message);
  });

  test('skipping leaves out what is incomplete, and says so', async () => {
    const dataset = await openDataset(await damaged(({ masks }) => void masks.delete(NAME)), {
      onBad: 'skip',
    });
    expect([dataset.count, dataset.skipped.map(({ name }) => name)]).toEqual([2, [NAME]]);
    expect((await dataset.item(1)).name).toBe('00000/img00000002.png');
    await dataset.close();
  });
});

test('a first picture that is broken is refused, or left out', async () => {
  const first = '00000/img00000000.png';
  const paths = await damaged(({ images }) => void images.set(first, 'x'));
  await expect(openDataset(paths)).rejects.toThrow(`${first}: the picture cannot be decoded`);
  const dataset = await openDataset(paths, { onBad: 'skip' });
  expect([dataset.count, dataset.labels(0).name, dataset.skipped.length]).toEqual([2, NAME, 1]);
  await dataset.close();
  await expect(openDataset(paths, { onBad: 'skip', resolution: 16 })).rejects.toThrow(
    'no picture that can be used',
  );
});

describe('said when the picture is read', () => {
  const grey16 = (): Promise<Buffer> =>
    sharp(Buffer.alloc(SIDE * SIDE * 3), { raw: { width: SIDE, height: SIDE, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
  test.each<[string, (parts: Parts) => Promise<void> | void, string]>([
    ['no picture', ({ images }) => void images.set(NAME, 'hello'), `${NAME}: the picture cannot be decoded:`],
    [
      'a cut PNG',
      ({ images }) => void images.set(NAME, (images.get(NAME) as Buffer).subarray(0, 150)),
      `${NAME}: the picture cannot be decoded:`,
    ],
    [
      'a damaged PNG',
      ({ images }) => {
        const bytes = Buffer.from(images.get(NAME) as Buffer);
        bytes[60] ^= 255;
        images.set(NAME, bytes);
      },
      `${NAME}: the picture cannot be decoded:`,
    ],
    [
      'not square',
      async ({ images }) => void images.set(NAME, await encodedPicture(1, SIDE, SIDE + 1)),
      `${NAME}: the picture has 8 x 9 pixels; it must be square`,
    ],
    [
      'mixed sizes',
      async ({ images }) => void images.set(NAME, await encodedPicture(1, 16)),
      `${NAME}: the picture has 16 x 16 pixels; 8 x 8 are needed`,
    ],
    [
      '16 bits',
      async ({ images }) => void images.set(NAME, await grey16()),
      `${NAME}: the picture has 16 bits a channel; 8 are needed`,
    ],
    [
      'a grey picture',
      async ({ images }) => void images.set(NAME, await encodedMask(1, SIDE)),
      `${NAME}: the picture has 1 channel; 3 are needed`,
    ],
    [
      'a WebP by another name',
      async ({ images }) =>
        void images.set(
          NAME,
          await sharp(images.get(NAME) as Buffer)
            .webp()
            .toBuffer(),
        ),
      `${NAME}: the picture is a webp file`,
    ],
    [
      'a mask of another size',
      async ({ masks }) => void masks.set(NAME, await encodedMask(1, 16)),
      `mask of ${NAME}: the picture has 16 x 16 pixels; 8 x 8 are needed`,
    ],
    [
      'a mask in colour',
      async ({ masks }) => void masks.set(NAME, await encodedPicture(1, SIDE)),
      `mask of ${NAME}: the picture has 3 channels; 1 is needed`,
    ],
    [
      'a broken mask',
      ({ masks }) => void masks.set(NAME, 'x'),
      `mask of ${NAME}: the picture cannot be decoded`,
    ],
  ])('%s', async (_, damage, message) => {
    const paths = await damaged(damage);
    const dataset = await openDataset(paths);
    await expect(dataset.item(1)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message),
    });
    expect((await dataset.item(0)).image).toHaveLength(3 * SIDE * SIDE);
    expect((await dataset.item(2)).image).toHaveLength(3 * SIDE * SIDE);
    await dataset.close();
    const report = await validateDataset(paths);
    expect([report.good, report.problemCount]).toEqual([2, 1]);
    const told = `${report.problems[0].name}: ${report.problems[0].problem}`;
    expect(told.replace('its mask: ', '')).toContain(message.replace('mask of ', ''));
    // Packing refuses it and leaves nothing, or packs the others and names it.
    if (/grey|mixed/.test(_)) return;
    const out = join(freshFolder(), 'out.zip');
    await expect(packDataset({ from: paths, out })).rejects.toMatchObject({ exitCode: 2 });
    expect(readdirSync(join(out, '..'))).toEqual([]);
    const packed = await packDataset({ from: paths, out, onBad: 'skip' });
    expect([packed.written, packed.skipped.map(({ name }) => name)]).toEqual([2, [NAME]]);
  });
});

describe('broken zips', () => {
  const broken = async (which: 'images' | 'masks', change: (bytes: Buffer) => Buffer) => {
    const paths = await damaged(() => {});
    writeFileSync(paths[which], change(readFileSync(paths[which])));
    return paths;
  };

  test.each(['images', 'masks'] as const)('%s cut off, empty or no zip', async (which) => {
    for (const change of [
      (bytes: Buffer) => bytes.subarray(0, bytes.length - 30),
      (bytes: Buffer) => bytes.subarray(0, 100),
      () => Buffer.alloc(0),
      () => Buffer.from('hello'),
    ]) {
      const paths = await broken(which, change);
      await expect(openDataset(paths)).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringContaining(`"${paths[which]}": zip: `),
      });
      const { problems } = await validateDataset(paths);
      expect(problems).toEqual([{ name: '', problem: expect.stringContaining(`"${paths[which]}": zip: `) }]);
    }
  });

  test('a wrong checksum names the picture', async () => {
    const paths = await broken('images', (bytes) => {
      const at = bytes.indexOf(NAME) + NAME.length + 50;
      bytes[at] ^= 1;
      return bytes;
    });
    const dataset = await openDataset(paths);
    await expect(dataset.item(1)).rejects.toThrow(`zip member "${NAME}" has a wrong checksum`);
    await dataset.close();
    const { good, problems } = await validateDataset(paths);
    expect([good, problems.length, problems[0].name]).toEqual([2, 1, NAME]);
  });

  test('a missing mask zip', async () => {
    const paths = { ...(await damaged(() => {})), masks: join(freshFolder(), 'none.zip') };
    await expect(openDataset(paths)).rejects.toMatchObject({
      exitCode: 2,
      message: `there is no file or folder "${paths.masks}"`,
    });
    expect((await validateDataset(paths)).problemCount).toBe(1);
    expect(existsSync(paths.masks)).toBe(false);
  });
});

describe('fine', () => {
  test('a JPEG named .png, nested labels, extra labels and masks, a byte order mark', async () => {
    const paths = await damaged(async (parts) => {
      const { images, masks, labels } = parts;
      images.set(
        NAME,
        await sharp(images.get(NAME) as Buffer)
          .jpeg()
          .toBuffer(),
      );
      masks.set('00000/img00000000a.png', await encodedMask(1, SIDE));
      const nested = [...labels.map(([name, numbers]) => [name, [numbers]]), ['none.png', labelAt(0)]];
      parts.json = `\ufeff{"x": "[{", "labels": ${JSON.stringify(nested)}, "y": {"labels": [1]}}`;
    });
    const { good, problems, remarks } = await validateDataset(paths);
    expect([good, problems]).toEqual([3, []]);
    expect(remarks.map(({ name }) => name)).toEqual(['00000/img00000000a.png', 'none.png']);
    const dataset = await openDataset(paths);
    // The extra mask lies between the first and the second: pairs stay together.
    for (let i = 0; i < 3; i++) {
      const { mask } = await dataset.item(i);
      expect(mask.subarray(0, SIDE).filter((x) => x === 255).length - 1).toBe(i);
    }
    await dataset.close();
  });

  test('cameras and poses that cannot be meant are found', async () => {
    const paths = await damaged(({ labels, masks }) => {
      labels[0][1][0] *= 1.5;
      labels[1][1].splice(25, 6, 10, 0, 0, 0, 0, 0);
      labels[2][1][12] = 1;
      masks.set('00000/img00000002.png', masks.get('00000/img00000002.png')!);
    });
    const { problems, remarks } = await validateDataset(paths);
    expect(problems.map(({ problem }) => problem)).toEqual([
      "the camera's rotation has determinant 1.5000 instead of 1",
      'the camera matrices do not end in 0 0 0 1 and 0 0 1: are the numbers in another order?',
    ]);
    expect(remarks).toEqual([
      { name: NAME, problem: expect.stringContaining('radians are needed, not degrees') },
    ]);
  });

  test('more problems than are listed are counted', async () => {
    const paths = await damaged(({ masks }) => masks.clear());
    const { problemCount, problems } = await validateDataset(paths, { maxProblems: 2 });
    expect([problemCount, problems.length]).toEqual([3, 2]);
  });
});
