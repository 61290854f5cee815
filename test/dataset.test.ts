/** Laws of the data set and its loader. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Batch,
  createDatasetWriter,
  createLoader,
  type Dataset,
  itemOrder,
  type LoaderOptions,
  mirrorLabel,
  openDataset,
  rearOrder,
} from '../src/dataset/index.ts';
import {
  encodedPicture,
  filesOf,
  freshFolder,
  jsonOf,
  sampleEntries,
  writeFolder,
  writeZip,
} from './dataset-files.ts';

const SIDE = 8;
const YAWS = [0, 120, -30, 180, 60, -150, 20];
const REAR = [1, 3, 5];
const FRONT = [0, 2, 4, 6];

let path: string;
beforeAll(async () => {
  path = join(freshFolder(), 'set.zip');
  const writer = await createDatasetWriter(path);
  for (const entry of await sampleEntries(YAWS, SIDE)) await writer.add(entry);
  await writer.finish();
});

async function withDataset<T>(
  options: Parameters<typeof openDataset>[1],
  use: (dataset: Dataset) => Promise<T>,
): Promise<T> {
  const dataset = await openDataset(path, options);
  try {
    return await use(dataset);
  } finally {
    await dataset.close();
  }
}

/** The seed of a picture, from its first pixel, and of a mask, from its columns. */
const pictureSeed = (image: Uint8Array): number => YAWS.findIndex((_, i) => image[0] === (i * 31) % 256);
const maskSeed = (mask: Uint8Array): number => mask.subarray(0, SIDE).filter((x) => x === 255).length - 1;

describe('mirroring', () => {
  test('twice is nothing, for labels', () => {
    const floats = (length: number) => fc.float32Array({ minLength: length, maxLength: length, noNaN: true });
    fc.assert(
      fc.property(floats(25), floats(6), (camera, pose) => {
        const [c, p] = [camera.slice(), pose.slice()];
        mirrorLabel(c, p);
        mirrorLabel(c, p);
        expect([c, p]).toEqual([camera, pose]);
      }),
    );
  });

  test('item N + k is k from right to left', async () => {
    await withDataset({ mirror: true }, async (dataset) => {
      expect([dataset.count, dataset.rawCount]).toEqual([14, 7]);
      for (let k = 0; k < 7; k++) {
        const [plain, mirrored] = [await dataset.item(k), await dataset.item(7 + k)];
        const flip = (planes: Uint8Array): number[] =>
          Array.from(planes, (_, i) => planes[i - (i % SIDE) + SIDE - 1 - (i % SIDE)]);
        expect(flip(mirrored.image)).toEqual([...plain.image]);
        expect(flip(mirrored.mask)).toEqual([...plain.mask]);
        expect([mirrored.rawIndex, mirrored.mirrored, mirrored.name]).toEqual([k, true, plain.name]);
      }
    });
  });
});

describe('repetition of rear views', () => {
  test('each rear view k times, masks, labels and pictures still together', async () => {
    await withDataset({ rearRepeat: 3, mirror: true }, async (dataset) => {
      expect(dataset.rearRepeats).toBe(3);
      expect(dataset.count).toBe(2 * (FRONT.length + 3 * REAR.length));
      for (let i = 0; i < dataset.count / 2; i++) {
        const { image, mask, rawIndex, pose } = await dataset.item(i);
        expect([pictureSeed(image), maskSeed(mask)]).toEqual([rawIndex, rawIndex]);
        expect(pose[5]).toBe(Math.fround(0.01 * (rawIndex + 1) * 2.5));
      }
      const order = Array.from({ length: dataset.count / 2 }, (_, i) => dataset.labels(i).rawIndex);
      expect(order).toEqual([...FRONT, ...REAR, ...REAR, ...REAR]);
    });
  });

  test('once is every picture in its place; few rear views come more often than asked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1 }),
        fc.integer({ min: 1, max: 5 }),
        (rear, repeat) => {
          const { order, repeats } = rearOrder(rear, repeat);
          const times = (i: number): number => order.filter((x) => x === i).length;
          const rears = rear.filter(Boolean).length;
          const wanted =
            repeat === 1 || rears === 0 ? 1 : Math.max(repeat, Math.floor((rear.length - rears) / 2 / rears));
          expect(repeats).toBe(wanted);
          rear.forEach((isRear, i) => {
            expect(times(i)).toBe(isRear ? repeats : 1);
          });
          if (repeat === 1) expect([...order]).toEqual([...rear.keys()]);
        },
      ),
    );
  });

  test('a count that cannot be', async () => {
    await expect(openDataset(path, { rearRepeat: 0 })).rejects.toThrow('rearRepeat is 0');
    await expect(openDataset(path, { resolution: 16 })).rejects.toThrow('8 x 8 pixels; 16 x 16 are needed');
  });
});

describe('order', () => {
  test('a pass is a permutation; the same seed gives the same; any place can be gone on from', () => {
    const cases = [fc.integer({ min: 1, max: 50 }), fc.nat(0xffffffff), fc.nat(200)] as const;
    fc.assert(
      fc.property(...cases, (count, seed, position) => {
        const order = itemOrder('shuffled', count, seed);
        const drawn = Array.from({ length: position + 2 * count }, () => order.next());
        for (let pass = 0; (pass + 1) * count <= drawn.length; pass++) {
          const indices = drawn.slice(pass * count, (pass + 1) * count).sort((a, b) => a - b);
          expect(indices).toEqual(Array.from({ length: count }, (_, i) => i));
        }
        for (const kind of ['shuffled', 'original'] as const) {
          const whole = itemOrder(kind, count, seed);
          const all = Array.from({ length: position + 20 }, () => whole.next());
          const later = itemOrder(kind, count, seed, position);
          expect(Array.from({ length: 20 }, () => later.next())).toEqual(all.slice(position));
        }
      }),
    );
  });

  test('passes and seeds differ', () => {
    const first = (seed: number, position: number): string => {
      const order = itemOrder('shuffled', 20, seed, position);
      return Array.from({ length: 20 }, () => order.next()).join();
    };
    const all = [first(0, 0), first(0, 20), first(0, 40), first(1, 0), first(1, 20)];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('loader', () => {
  const taken = async (dataset: Dataset, options: LoaderOptions, batches: number): Promise<Batch[]> => {
    const loader = createLoader(dataset, options);
    const all: Batch[] = [];
    for (let i = 0; i < batches; i++) all.push(await loader.next());
    await loader.close();
    return all;
  };

  test('batches hold the items of the order, whatever runs at the same time', async () => {
    await withDataset({ mirror: true }, async (dataset) => {
      const order = itemOrder('shuffled', dataset.count, 5);
      const wanted = Array.from({ length: 20 }, () => order.next());
      for (const [ahead, concurrency] of [
        [1, 1],
        [3, 7],
      ] as const) {
        const batches = await taken(dataset, { batch: 5, seed: 5, ahead, concurrency }, 4);
        expect(batches.flatMap(({ indices }) => [...indices])).toEqual(wanted);
        const item = await dataset.item(wanted[7]);
        const size = 3 * SIDE * SIDE;
        expect(batches[1].images.subarray(2 * size, 3 * size)).toEqual(item.image);
        expect(batches[1].masks.subarray(2 * SIDE * SIDE, 3 * SIDE * SIDE)).toEqual(item.mask);
        expect(batches[1].labels.subarray(50, 75)).toEqual(item.label);
        expect(batches[1].poses.subarray(12, 18)).toEqual(item.pose);
      }
    });
  });

  test('goes on where it was, also in the middle of a pass and read ahead', async () => {
    await withDataset({ mirror: true }, async (dataset) => {
      for (const order of ['shuffled', 'original'] as const) {
        const whole = await taken(dataset, { batch: 3, seed: 9, order }, 8);
        const loader = createLoader(dataset, { batch: 3, seed: 9, order, ahead: 4 });
        for (let i = 0; i < 3; i++) await loader.next();
        const position = JSON.parse(JSON.stringify(loader.position()));
        await loader.close();
        await expect(loader.next()).rejects.toThrow('closed');
        expect(position).toEqual({ order, seed: 9, count: 14, drawn: 9 });
        expect(await taken(dataset, { batch: 3, position }, 5)).toEqual(whole.slice(3));
      }
    });
    await withDataset({}, async (dataset) => {
      const position = { order: 'shuffled', seed: 9, count: 14, drawn: 9 } as const;
      expect(() => createLoader(dataset, { batch: 3, position })).toThrow(
        'a dataset of 14 items; this one has 7',
      );
    });
  });

  test('decodes while a batch is used, and no further than it should', async () => {
    await withDataset({}, async (dataset) => {
      let decoded = 0;
      const counted: Dataset = {
        ...dataset,
        item: async (index) => {
          const item = await dataset.item(index);
          decoded++;
          return item;
        },
      };
      const loader = createLoader(counted, { batch: 4, ahead: 2 });
      await loader.next();
      await new Promise((resolve) => setTimeout(resolve, 300));
      // One batch was given; two, and the one that fills up first, wait.
      expect(decoded).toBe(16);
      await loader.close();
    });
  });

  test('a broken picture: an error in its turn, or the next one', async () => {
    const entries = await sampleEntries(YAWS, SIDE);
    const { images, masks, labels } = filesOf(entries);
    images.set(entries[2].name, Buffer.from('no picture'));
    images.set(entries[4].name, await encodedPicture(4, 4));
    images.set('dataset.json', jsonOf(labels));
    const folder = freshFolder();
    await writeZip(join(folder, 'bad.zip'), images);
    await writeZip(join(folder, 'bad-masks.zip'), masks);
    const dataset = await openDataset(join(folder, 'bad.zip'));
    const skipped: string[] = [];
    const batches = await taken(
      dataset,
      { batch: 5, seed: 1, onBad: 'skip', onSkip: (name, error) => skipped.push(`${name} ${error.message}`) },
      2,
    );
    const order = itemOrder('shuffled', 7, 1);
    const wanted = Array.from({ length: 14 }, () => order.next()).filter((i) => i !== 2 && i !== 4);
    expect(batches.flatMap(({ indices }) => [...indices])).toEqual(wanted);
    const names = skipped.map((text) => text.split(' ')[0]);
    expect(new Set(names)).toEqual(new Set([entries[2].name, entries[4].name]));
    expect(skipped.join()).toContain('4 x 4 pixels; 8 x 8 are needed');
    await expect(taken(dataset, { batch: 7, seed: 1 }, 1)).rejects.toThrow(
      /img0000000[24]\.png: the picture/,
    );
    await dataset.close();
  });

  test('nothing but broken pictures ends', async () => {
    const [entry] = await sampleEntries([0], SIDE);
    const { images, masks, labels } = filesOf([entry]);
    masks.set(entry.name, Buffer.from('no mask'));
    images.set('dataset.json', jsonOf(labels));
    const folder = freshFolder();
    mkdirSync(join(folder, 'set'));
    writeFolder(join(folder, 'set/images'), images);
    writeFolder(join(folder, 'set/masks'), masks);
    const dataset = await openDataset(join(folder, 'set'));
    await expect(taken(dataset, { batch: 1, onBad: 'skip' }, 1)).rejects.toThrow('none of the pictures');
    await dataset.close();
  });
});
