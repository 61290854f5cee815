/** Snapshots of networks with initial weights on the small set that comes with the repository. */

import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { latentsOfSeeds, snapshotGrid } from '../src/cli/snapshot-grid.ts';
import { openSnapshots } from '../src/cli/snapshots.ts';
import { type Dataset, datasetPaths, openDataset, packDataset } from '../src/dataset/index.ts';
import { viewAngles } from '../src/dataset/statistics.ts';
import { defaultBody } from '../src/default-body.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { initialNetworks } from '../src/load.ts';
import type { Engine } from '../src/tensor/index.ts';
import { predictRealPoses } from '../src/training/real-poses.ts';

const SETTING = { neuralResolution: 16, blurSigma: 0, filterMode: 'antialiased' } as const;
const small = fileURLToPath(new URL('../data/small.zip', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'portraitgan-snapshots-'));
const networks = initialNetworks('tiny');
const discriminator = networks.discriminator();

let engine: Engine;
let dataset: Dataset;
beforeAll(async () => {
  const out = join(scratch, 'small32.zip');
  await packDataset({ from: datasetPaths(small), out, resolution: 32 });
  dataset = await openDataset(out, { mirror: true, rearRepeat: 2 });
  engine = await cpuEngine({ threads: 2 });
});
afterAll(async () => {
  await engine?.dispose();
  await dataset?.close();
});

describe('the grid', () => {
  test('is the same each time: 32 portraits, none twice, by yaw', async () => {
    const [one, two] = [0, 1].map(() => snapshotGrid(dataset, latentsOfSeeds(16)));
    const grid = await one;
    expect(grid.map(({ item }) => item.name)).toEqual((await two).map(({ item }) => item.name));
    expect(new Set(grid.map(({ item }) => item.rawIndex)).size).toBe(32);
    expect(grid.some(({ item }) => item.mirrored)).toBe(false);
    const yaws = grid.map(({ item }) => viewAngles(item.label).yaw);
    expect([...yaws].sort((a, b) => a - b)).toEqual(yaws);
    expect(new Set(grid.map(({ z }) => z.data.join())).size).toBe(32);
  });
});

describe('sheets', () => {
  const folder = join(scratch, 'run', 'snapshots');

  test('one file a kind, each with all places', async () => {
    const options = { engine, body: defaultBody(), dataset, folder, latentOf: latentsOfSeeds(16) };
    const snapshots = await openSnapshots(options);
    const files = await snapshots.reals(0);
    files.push(...(await snapshots.take({ ...networks, discriminator }, 1250, SETTING)));
    const kinds = ['bodies', 'depth', 'fakes', 'mask', 'raw', 'turn', 'unposed'];
    expect(readdirSync(folder)).toEqual(
      [
        ...kinds.map((kind) => `${kind}-000001.250.png`),
        'masks-000000.000.png',
        'reals-000000.000.png',
      ].sort(),
    );
    expect(files.map((file) => file.replace(`${folder}/`, '')).sort()).toEqual(readdirSync(folder));
    // Places of 128 px with gaps of 8, margins of 20 and a title: pictures of 16 and 32 px are enlarged.
    const plain = { width: 2 * 20 + 8 * 128 + 7 * 8, height: 608 };
    for (const file of files) {
      const { width, height } = await sharp(file).metadata();
      if (!file.includes('turn')) expect({ width, height }, file).toEqual(plain);
      else expect(width).toBeGreaterThan(plain.width);
    }
    // The same networks give the same sheets; a new pose of the body shows.
    const bytes = (kind: string) => readFileSync(join(folder, `${kind}-000001.250.png`));
    const before = kinds.map(bytes);
    await snapshots.take({ generator: networks.generator }, 1250, SETTING);
    kinds.forEach((kind, i) => {
      expect(bytes(kind).equals(before[i]), kind).toBe(true);
    });
    expect(bytes('fakes').equals(bytes('unposed'))).toBe(false);
  });

  test('pictures of a real are its pixels', async () => {
    const [{ item }] = await snapshotGrid(dataset, latentsOfSeeds(16));
    const { data, info } = await sharp(join(folder, 'reals-000000.000.png'))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const top = info.height - 20 - 4 * 128 - 3 * 8;
    for (const [x, y] of [
      [0, 0],
      [31, 3],
      [16, 20],
    ]) {
      const at = ((top + 4 * y) * info.width + 20 + 4 * x) * 3;
      const wanted = [0, 1, 2].map((c) => item.image[c * 32 * 32 + y * 32 + x]);
      expect([...data.subarray(at, at + 3)]).toEqual(wanted);
    }
  });
});

describe('poses of reals', () => {
  test('are those of the program in one batch, whatever the count', async () => {
    const grid = await snapshotGrid(dataset, latentsOfSeeds(16));
    const stack = (count: number) => {
      const places = grid.slice(0, count);
      const join = (shape: number[], parts: ArrayLike<number>[]) => ({
        dtype: 'float32' as const,
        shape: [count, ...shape],
        data: Float32Array.from(parts.flatMap((part) => Array.from(part))),
      });
      return {
        image: join(
          [3, 32, 32],
          places.map(({ item }) => item.image),
        ),
        mask: join(
          [1, 32, 32],
          places.map(({ item }) => item.mask),
        ),
        c: join(
          [25],
          places.map(({ item }) => item.label),
        ),
      };
    };
    const predict = (count: number, blurSigma = 0) =>
      predictRealPoses(engine, discriminator, stack(count), { ...SETTING, blurSigma });
    const [four, six, blurred] = [await predict(4), await predict(6), await predict(4, 2)];
    expect(six.shape).toEqual([6, 6]);
    expect([...six.data.subarray(0, 24)]).toEqual([...four.data]);
    // The last two come from the group of places 2 to 5.
    const last = stack(6);
    const tail = {
      image: { ...last.image, shape: [4, 3, 32, 32], data: last.image.data.slice(2 * 3 * 1024) },
      mask: { ...last.mask, shape: [4, 1, 32, 32], data: last.mask.data.slice(2 * 1024) },
      c: { ...last.c, shape: [4, 25], data: last.c.data.slice(2 * 25) },
    };
    const again = await predictRealPoses(engine, discriminator, tail, SETTING);
    expect([...six.data.subarray(24)]).toEqual([...again.data.subarray(12)]);
    expect([...blurred.data]).not.toEqual([...four.data]);
  });
});
