/**
 * How fast synthetic portraits are made and datasets are read: `npm run bench:dataset`.
 *
 * Portraits a second are those of the command as a user runs it, picture files included, with the start of the workers
 * shown apart. What training consumes is what `bench:train` measures; the loader must be ten times as fast.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataset } from '../src/dataset/dataset.ts';
import { createLoader } from '../src/dataset/loader.ts';
import { installedAssets, readAssets } from '../src/dataset/synthetic/assets.ts';
import { createPainter } from '../src/dataset/synthetic/painter.ts';
import { latentOf, type SetOptions, shotOf } from '../src/dataset/synthetic/shots.ts';
import { synthesise } from '../src/dataset/synthetic/synthesise.ts';

const WORKERS = 2;
/** Portraits a second that are wanted, and how many are made. */
const SIZES = [
  { size: 128, goal: 60, count: 2048 },
  { size: 256, goal: 25, count: 768 },
  { size: 512, goal: 7, count: 192 },
];
const SET: Omit<SetOptions, 'size' | 'count'> = {
  seed: 3,
  views: 1,
  cameras: 'phq',
  poses: 'natural',
  heldOut: 0,
  cameraLight: false,
  backdrops: 'varied',
};

const folder = mkdtempSync(join(tmpdir(), 'portraitgan-bench-'));
try {
  console.log(
    `${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}; ${WORKERS} workers\n`,
  );
  await portraitsASecond();
  await stepsOfAPicture();
  await loaderThroughput();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function portraitsASecond(): Promise<void> {
  console.log(
    '| portraits of | views of each | a second | goal | with start |\n| --- | --- | --- | --- | --- |',
  );
  for (const { size, goal, count } of SIZES) {
    for (const views of [1, 8]) {
      const times: { at: number; done: number }[] = [];
      const started = performance.now();
      await synthesise({
        ...SET,
        size,
        count,
        views,
        format: 'png',
        depth: false,
        out: join(folder, `${size}-${views}.zip`),
        assets: installedAssets(),
        workers: WORKERS,
        resume: false,
        onProgress: ({ done }) => times.push({ at: performance.now(), done }),
      });
      // From the first parts, when all workers run, to the last before any of them runs out of work.
      const [first, last] = [times[WORKERS - 1], times[times.length - WORKERS]];
      const steady = (1000 * (last.done - first.done)) / (last.at - first.at);
      const whole = (1000 * count) / (performance.now() - started);
      console.log(`| ${size} px | ${views} | ${steady.toFixed(1)} | ${goal} | ${whole.toFixed(1)} |`);
    }
  }
}

async function stepsOfAPicture(): Promise<void> {
  console.log('\n| one thread | building an identity, ms | painting, ms |\n| --- | --- | --- |');
  for (const { size } of SIZES) {
    const painter = await createPainter(readAssets(installedAssets()), size);
    const options: SetOptions = { ...SET, size, count: 60 };
    let [seating, painting] = [0, 0];
    for (let index = -20; index < options.count; index++) {
      // The first twenty warm up: garments are prepared when they are first worn.
      const shot = shotOf(options, Math.abs(index));
      const start = performance.now();
      const sitter = painter.seat(latentOf(options.seed, shot.identity));
      const middle = performance.now();
      painter.paint(sitter, shot.label, shot.own);
      const end = performance.now();
      painter.dismiss(sitter);
      if (index < 0) continue;
      seating += middle - start;
      painting += end - middle;
    }
    const mean = (sum: number): string => (sum / options.count).toFixed(1);
    console.log(`| ${size} px | ${mean(seating)} (goal 20) | ${mean(painting)} |`);
  }
}

async function loaderThroughput(): Promise<void> {
  console.log('\n| loader | pictures a second |\n| --- | --- |');
  for (const { size } of SIZES) {
    const dataset = await openDataset(join(folder, `${size}-1.zip`), { mirror: true });
    const loader = createLoader(dataset, { batch: 16 });
    for (let i = 0; i < 4; i++) await loader.next();
    const batches = size === 512 ? 20 : 60;
    const started = performance.now();
    for (let i = 0; i < batches; i++) await loader.next();
    const rate = (16_000 * batches) / (performance.now() - started);
    await loader.close();
    await dataset.close();
    console.log(`| ${size} px, mirrored | ${rate.toFixed(0)} |`);
  }
}
