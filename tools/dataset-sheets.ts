/**
 * Makes the pictures of docs/dataset.md and prints the figures beside them:
 *
 *     npx tsx tools/dataset-sheets.ts
 *
 * - people.jpg: 64 portraits; turns.jpg: eight people from eight yaws
 * - overlay.jpg: the body that ships, posed and seen by the labels alone, over the pictures; how well heads overlap
 * - nearest.jpg: among 200 people from the front, the pairs that look most alike
 * - means.jpg: the mean picture of each range of yaw
 */

import sharp from 'sharp';
import { poseBody } from '../src/body/index.ts';
import { installedAssets, readAssets } from '../src/dataset/synthetic/assets.ts';
import { createPainter, type Painted, type Painter, type Sitter } from '../src/dataset/synthetic/painter.ts';
import { latentOf, type SetOptions, type Shot, shotOf } from '../src/dataset/synthetic/shots.ts';
import { defaultBody } from '../src/default-body.ts';
import { pinholeOf } from '../src/picture/pinhole.ts';
import type { Raster } from '../src/picture/raster.ts';
import { renderMesh } from '../src/picture/shade.ts';
import { gridSheet, tableSheet } from '../src/picture/sheet.ts';
import { writeAside } from '../src/weights/safe-write.ts';

const FOLDER = 'docs/pictures';
const SIZE = 128;
const SET: SetOptions = {
  seed: 11,
  count: 1_000_000,
  size: SIZE,
  views: 1,
  cameras: 'phq',
  poses: 'natural',
  heldOut: 0,
  cameraLight: false,
  backdrops: 'varied',
};

const painter = await createPainter(readAssets(installedAssets()), SIZE);

await people();
await turns();
await overlay();
await nearest();
await means();

interface Portrait extends Painted {
  readonly shot: Shot;
  readonly sitter: Sitter;
}

/** Paints some pictures of a set, one after another. */
function* portraits(options: SetOptions, count: number, from: Painter = painter): Generator<Portrait> {
  let sitter: Sitter | undefined;
  let seated = -1;
  for (let index = 0; index < count; index++) {
    const shot = shotOf(options, index);
    if (sitter === undefined || seated !== shot.identity) {
      if (sitter !== undefined) from.dismiss(sitter);
      sitter = from.seat(latentOf(options.seed, shot.identity));
      seated = shot.identity;
    }
    yield { shot, sitter, ...from.paint(sitter, shot.label, shot.own) };
  }
  if (sitter !== undefined) from.dismiss(sitter);
}

function rasterOfPicture(data: Uint8Array, size = SIZE): Raster {
  return { width: size, height: size, data };
}

async function writeSheet(name: string, sheet: Raster): Promise<void> {
  const { width, height, data } = sheet;
  const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 88 })
    .toBuffer();
  writeAside(`${FOLDER}/${name}`, (write) => write(bytes));
  console.log(`${FOLDER}/${name}: ${width} x ${height}, ${Math.round(bytes.length / 1024)} kB`);
}

async function people(): Promise<void> {
  const cells = [...portraits(SET, 64)].map(({ picture }) => ({
    label: '',
    picture: rasterOfPicture(picture),
  }));
  await writeSheet('people.jpg', gridSheet({ perRow: 8, cells }));
}

async function turns(): Promise<void> {
  const views = 8;
  const made = [...portraits({ ...SET, cameras: 'ring', poses: 'none', views }, 8 * views)];
  const rows = Array.from({ length: 8 }, (_, row) => ({
    label: '',
    cells: made.slice(views * row, views * (row + 1)).map(({ picture }) => rasterOfPicture(picture)),
  }));
  const columns = Array.from({ length: views }, (_, i) => `${(360 * i) / views}°`);
  await writeSheet('turns.jpg', tableSheet({ columns, rows }));
}

/** Draws the body by the label alone; nothing of the person is used. */
async function overlay(): Promise<void> {
  const body = defaultBody();
  const indices = Uint32Array.from(body.faces);
  const cells: { label: string; picture: Raster }[] = [];
  const shares = { inside: [] as number[], bald: [] as number[] };
  for (const { shot, picture, mask, sitter } of portraits(SET, 200)) {
    const camera = shot.label.slice(0, 25);
    const pose = shot.label.slice(25);
    const posed = { positions: poseBody(body, pose), indices };
    const drawn = renderMesh(posed, {}, camera, { width: SIZE, height: SIZE });
    const heads = { positions: posed.positions, indices: headFaces(indices) };
    const head = renderMesh(heads, {}, camera, { width: SIZE, height: SIZE }).mask;
    const chin = chinRow(shot);
    let [both, either, ofHead] = [0, 0, 0];
    for (let i = 0; i < head.length; i++) {
      if (Math.floor(i / SIZE) > chin) break;
      const [a, b] = [head[i], mask[i] / 255];
      both += Math.min(a, b);
      either += Math.max(a, b);
      ofHead += a;
    }
    shares.inside.push(both / ofHead);
    const { hair, headwear } = sitter.person.traits;
    if (hair === 'shaved' && headwear === 'none') shares.bald.push(both / either);
    if (cells.length < 32) {
      const data = picture.map((value, i) => {
        const share = 0.55 * drawn.mask[Math.floor(i / 3)];
        const tint = 255 * Math.min(1, drawn.colour[i] ** (1 / 2.2)) * [0.35, 0.85, 1][i % 3];
        return Math.round(value * (1 - share) + share * tint);
      });
      cells.push({ label: '', picture: rasterOfPicture(data) });
    }
  }
  await writeSheet('overlay.jpg', gridSheet({ perRow: 8, cells }));
  console.log(`  head of the body inside the mask, above the chin: ${percentages(shares.inside)}`);
  console.log(
    `  overlap (IoU) for ${shares.bald.length} shaved heads without hats: ${percentages(shares.bald)}`,
  );
}

function percentages(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return `mean ${(100 * mean).toFixed(1)} %, least ${(100 * sorted[0]).toFixed(1)} %`;
}

/** Faces of the body whose corners all follow the head. */
function headFaces(indices: Uint32Array): Uint32Array {
  const { weights, jointCount, head } = defaultBody();
  const kept: number[] = [];
  for (let f = 0; f < indices.length; f += 3) {
    const corners = [indices[f], indices[f + 1], indices[f + 2]];
    if (corners.every((v) => weights[v * jointCount + head] > 0.5)) kept.push(...corners);
  }
  return Uint32Array.from(kept);
}

/** The row of the posed chin of the body that ships: (0, .034, .12) at rest, carried by the head. */
function chinRow({ label }: Shot): number {
  const body = defaultBody();
  const chin = nearestVertex(body.canonical, [0, 0.03, 0.12]);
  const posed = poseBody(body, label.slice(25)).subarray(3 * chin, 3 * chin + 3);
  const m = pinholeOf(label.slice(0, 25)).matrix;
  const row = (k: number): number => m[k] * posed[0] + m[k + 1] * posed[1] + m[k + 2] * posed[2] + m[k + 3];
  return (SIZE * row(4)) / row(8);
}

function nearestVertex(positions: Float32Array, [x, y, z]: readonly number[]): number {
  let [best, least] = [0, Infinity];
  for (let v = 0; v < positions.length / 3; v++) {
    const distance = Math.hypot(positions[3 * v] - x, positions[3 * v + 1] - y, positions[3 * v + 2] - z);
    if (distance < least) [best, least] = [v, distance];
  }
  return best;
}

/** Most similar pairs of 200 people by the mean difference of what is inside either mask. */
async function nearest(): Promise<void> {
  const made = [...portraits({ ...SET, cameras: 'ring', poses: 'none' }, 200)].map(({ picture, mask }) => ({
    picture,
    mask,
  }));
  const pairs: { a: number; b: number; difference: number }[] = [];
  for (let a = 0; a < made.length; a++) {
    for (let b = 0; b < a; b++) pairs.push({ a, b, difference: differenceOf(made[a], made[b]) });
  }
  pairs.sort((p, q) => p.difference - q.difference);
  const cells = pairs
    .slice(0, 16)
    .flatMap(({ a, b, difference }) =>
      [a, b].map((i) => ({ label: difference.toFixed(1), picture: rasterOfPicture(made[i].picture) })),
    );
  await writeSheet('nearest.jpg', gridSheet({ perRow: 8, cells }));
  const middle = pairs[Math.floor(pairs.length / 2)].difference;
  console.log(
    `  mean difference of a pair: least ${pairs[0].difference.toFixed(1)}, median ${middle.toFixed(1)} of 255`,
  );
}

function differenceOf(a: Pick<Painted, 'picture' | 'mask'>, b: Pick<Painted, 'picture' | 'mask'>): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < a.mask.length; i++) {
    if (a.mask[i] < 128 && b.mask[i] < 128) continue;
    count += 3;
    for (let c = 3 * i; c < 3 * i + 3; c++) sum += Math.abs(a.picture[c] - b.picture[c]);
  }
  return sum / count;
}

/** Mean picture of people in each of twelve ranges of yaw. */
async function means(): Promise<void> {
  const bins = Array.from({ length: 12 }, () => ({ sum: new Float64Array(SIZE * SIZE * 3), count: 0 }));
  for (const { shot, picture } of portraits({ ...SET, cameras: 'uniform' }, 720)) {
    const yaw = Math.atan2(shot.label[3], shot.label[11]);
    const bin = bins[Math.round((yaw * 6) / Math.PI + 12) % 12];
    bin.count++;
    for (let i = 0; i < picture.length; i++) bin.sum[i] += picture[i];
  }
  const cells = bins.map(({ sum, count }, i) => ({
    label: `${30 * i}°: ${count}`,
    picture: rasterOfPicture(Uint8Array.from(sum, (value) => Math.round(value / count))),
  }));
  await writeSheet('means.jpg', gridSheet({ perRow: 6, cells }));
}
