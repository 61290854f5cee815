/**
 * `npx tsx scripts/learning/report.ts RUN PORTRAITS.zip HELD-OUT.zip FOLDER`: what an adversarial run learnt of poses.
 *
 * For each checkpoint that was kept: how far D_ema's poses of held-out portraits are from their labels, beside always
 * answering with the mean of the training labels; and how wide the poses are that G_ema imagines. Writes
 * `learning.json`, `learning.png` (pose error), `learning-poses.png` (spread of the imagined poses) and
 * `learning-sheets.jpg`: reals, fakes at the start, in the middle and at the end, and the end from all sides.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Dataset, openDataset } from '../../src/dataset/index.ts';
import { shrunkDataset } from '../../src/dataset/shrunk.ts';
import { POSE_NAMES } from '../../src/dataset/statistics.ts';
import { cpuEngine } from '../../src/engines/cpu/index.ts';
import { UsageError } from '../../src/errors.ts';
import { loadNetwork } from '../../src/load.ts';
import { histogramPlot, plotSheet, roundTicks, scatterPlot } from '../../src/picture/plot.ts';
import { writePng } from '../../src/picture/png.ts';
import { plainPoses } from '../../src/portrait/plain-networks.ts';
import { checkpointsOf } from '../../src/runs/latest.ts';
import { listCheckpoints } from '../../src/runs/manifest.ts';
import { runFolder, snapshotsOf } from '../../src/runs/run-folder.ts';
import { ndarray } from '../../src/tensor/index.ts';
import { predictRealPoses, type RealPictures } from '../../src/training/real-poses.ts';
import { openCheckpoint, randomState } from '../../src/weights/index.ts';

const DEGREES = 180 / Math.PI;
const SHEET_WIDTH = 640;
/** Latents that show what the generator imagines. */
const IMAGINED = 1024;

const [run, portraits, heldOut, folder] = process.argv.slice(2);
if (folder === undefined) throw new UsageError('expected a run, its portraits, held-out ones, and a folder');

const train = await openDataset(portraits);
const opened = await openDataset(heldOut);
const engine = cpuEngine();
const mean = meanPose(train);
const points: { kimg: number; error: number[]; imagined: { mean: number[]; std: number[] } }[] = [];
let baseline: number[] = [];
let lastPoses: Float32Array = new Float32Array();

for (const { file, seen } of listCheckpoints(checkpointsOf(run)).sort((a, b) => a.seen - b.seen)) {
  const checkpoint = openCheckpoint(file);
  const [generator, discriminator] = (['G_ema', 'D_ema'] as const).map((name) =>
    loadNetwork(checkpoint.networks[name]!),
  );
  const side = Number(discriminator.record.attributes.img_resolution);
  const reals = await realsOf(shrunkDataset(opened, side));
  const neuralResolution = Number(generator.record.attributes.neural_rendering_resolution);
  const setting = { neuralResolution, blurSigma: 0, filterMode: 'antialiased' } as const;
  const poses = await predictRealPoses(engine, discriminator, reals, setting);
  baseline = errorOf(repeated(mean, opened.count), reals.poses);
  const zDim = generator.record.initKwargs.z_dim as number;
  lastPoses = imaginedPoses(generator.read, zDim);
  points.push({
    kimg: seen / 1000,
    error: errorOf(poses.data as Float32Array, reals.poses),
    imagined: spreadOf(lastPoses),
  });
  checkpoint.close();
}
await engine.dispose();

const labels = spreadOf(labelsOf(train));
const report = { names: POSE_NAMES, heldOut: opened.count, predictingTheMean: baseline, labels, points };
writeFileSync(join(folder, 'learning.json'), `${JSON.stringify(report, rounded, 1)}\n`);
await writePng(join(folder, 'learning.png'), errorSheet());
await writePng(join(folder, 'learning-poses.png'), poseSheet());
await writeSheets(join(folder, 'learning-sheets.jpg'));
await train.close();
await opened.close();
const best = Math.min(...points.map(({ error }) => average(error)));
console.log(
  `pose error on ${report.heldOut} held-out portraits: ${average(points[0].error).toFixed(2)} at the start, ` +
    `${average(points.at(-1)!.error).toFixed(2)} at the end, ${best.toFixed(2)} at best; predicting the mean ${average(baseline).toFixed(2)} degrees`,
);

function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toFixed(3)) : value;
}

function labelsOf({ count, labels }: Dataset): Float32Array {
  return Float32Array.from(Array.from({ length: count }, (_, i) => [...labels(i).pose]).flat());
}

function meanPose(dataset: Dataset): number[] {
  return spreadOf(labelsOf(dataset)).mean.map((degrees) => degrees / DEGREES);
}

function repeated(row: readonly number[], count: number): Float32Array {
  return Float32Array.from(Array.from({ length: count }, () => row).flat());
}

/** Mean magnitude of the difference of each of the six numbers, degrees. */
function errorOf(got: Float32Array, wanted: Float32Array): number[] {
  return POSE_NAMES.map((_, k) => {
    let sum = 0;
    for (let at = k; at < wanted.length; at += 6) sum += Math.abs(got[at] - wanted[at]);
    return (sum / (wanted.length / 6)) * DEGREES;
  });
}

/** Mean and standard deviation of each number, degrees. */
function spreadOf(poses: Float32Array): { mean: number[]; std: number[] } {
  const columns = POSE_NAMES.map((_, k) => [...poses].filter((_, i) => i % 6 === k).map((x) => x * DEGREES));
  const means = columns.map(average);
  return {
    mean: means,
    std: columns.map((column, k) => Math.sqrt(average(column.map((x) => (x - means[k]) ** 2)))),
  };
}

async function realsOf(dataset: Dataset): Promise<RealPictures & { poses: Float32Array }> {
  const { count, resolution: r } = dataset;
  const items = await Promise.all(Array.from({ length: count }, (_, i) => dataset.item(i)));
  const stack = (pick: (item: (typeof items)[number]) => ArrayLike<number>): Float32Array =>
    Float32Array.from(items.flatMap((item) => Array.from(pick(item))));
  return {
    image: ndarray(
      [count, 3, r, r],
      stack((item) => item.image),
    ),
    mask: ndarray(
      [count, 1, r, r],
      stack((item) => item.mask),
    ),
    c: ndarray(
      [count, 25],
      stack((item) => item.label),
    ),
    poses: stack((item) => item.pose),
  };
}

/** Poses of random latents under the cameras of the portraits. */
function imaginedPoses(read: Parameters<typeof plainPoses>[0], zDim: number): Float32Array {
  const source = randomState(0);
  const z = ndarray([IMAGINED, zDim], Float32Array.from(source.randn(IMAGINED * zDim)));
  const cameras = Array.from({ length: IMAGINED }, (_, i) => [...train.labels(i % train.count).label]);
  return plainPoses(read, z, ndarray([IMAGINED, 25], cameras.flat())).data as Float32Array;
}

function errorSheet() {
  const xs = points.map(({ kimg }) => kimg);
  const plots = [...POSE_NAMES, 'mean of six'].map((name, k) => {
    const of = (values: readonly number[]): number => (k < 6 ? values[k] : average(values));
    const [errors, constant] = [points.map(({ error }) => of(error)), of(baseline)];
    const top = 1.15 * Math.max(constant, ...errors);
    const last = Math.max(...xs);
    // The level of the mean as a row of points.
    const level = Array.from({ length: 60 }, (_, i) => (last * i) / 59);
    return scatterPlot({
      ...{ width: 460, height: 260, title: `${name}, degrees` },
      xs: [...xs, ...level],
      ys: [...errors, ...level.map(() => constant)],
      x: { min: 0, max: last * 1.02, ticks: roundTicks(0, last, 6), label: (t) => `${t}` },
      y: { min: 0, max: top, ticks: roundTicks(0, top, 5), label: (t) => `${t}` },
    });
  });
  return plotSheet(
    `error of the poses that D sees in ${opened.count} held-out portraits, by kimg, row of dots: always the mean`,
    [plots.slice(0, 3), plots.slice(3, 6), plots.slice(6)],
  );
}

function poseSheet() {
  const axis = { min: -30, max: 30, ticks: [-30, -15, 0, 15, 30], label: (t: number) => `${t}` };
  const row = (title: string, poses: Float32Array) =>
    POSE_NAMES.map((name, k) =>
      histogramPlot({
        ...{ width: 300, height: 200, title: `${title}: ${name}`, bins: 40, x: axis },
        values: [...poses].filter((_, i) => i % 6 === k).map((x) => x * DEGREES),
      }),
    );
  const [made, given] = [row('imagined', lastPoses), row('labels', labelsOf(train))];
  return plotSheet('poses that G imagines, and those of the portraits, degrees', [
    made.slice(0, 3),
    given.slice(0, 3),
    made.slice(3),
    given.slice(3),
  ]);
}

/** Snapshots of the run below each other. */
async function writeSheets(path: string): Promise<void> {
  const paths = runFolder(run);
  const of = (kind: string): string[] =>
    snapshotsOf(paths)
      .filter((snapshot) => snapshot.kind === kind)
      .map(({ file }) => join(paths.snapshots, file));
  const fakes = of('fakes');
  const middle = fakes[Math.floor(fakes.length / 2)];
  const files = [of('reals')[0], fakes[0], middle, fakes.at(-1)!, of('turn').at(-1)!];
  const pictures = await Promise.all(
    files.map((file) => sharp(file).resize({ width: SHEET_WIDTH }).toBuffer({ resolveWithObject: true })),
  );
  let height = 0;
  const placed = pictures.map(({ data, info }) => {
    const top = height;
    height += info.height;
    return { input: data, left: 0, top };
  });
  const sheet = { width: SHEET_WIDTH, height, channels: 3, background: '#ffffff' } as const;
  await sharp({ create: sheet }).composite(placed).jpeg({ quality: 88 }).toFile(path);
}
