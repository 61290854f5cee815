/**
 * `npx tsx scripts/train-default/score.ts NETWORK SET.zip [--sheet FILE.png] [--people N] [--rows N] [--json]`:
 * a taught generator beside the renders of people it never saw: scores, and a sheet with truth above and generated below.
 */

import { parseArgs } from 'node:util';
import { openNetworks } from '../../src/cli/network.ts';
import { openTaughtSet, type TaughtPicture, type TaughtSet } from '../../src/dataset/taught.ts';
import { defaultBody } from '../../src/default-body.ts';
import { cpuEngine } from '../../src/engines/cpu/index.ts';
import { UsageError } from '../../src/errors.ts';
import { writePng } from '../../src/picture/png.ts';
import { rasterOf } from '../../src/picture/quantise.ts';
import type { Raster } from '../../src/picture/raster.ts';
import { tableSheet } from '../../src/picture/sheet.ts';
import { cameraLabel, viewCamera } from '../../src/portrait/camera.ts';
import { type PortraitGenerator, portraitGenerator, type View } from '../../src/portrait/session.ts';
import { ndarray } from '../../src/tensor/index.ts';
import {
  meanScore,
  scoresOf,
  type TaughtScore,
  type Truth,
  truthPictures,
} from '../../src/training/taught-score.ts';

/** Every identity is generated for the camera in front, whoever looks at it from where. */
const FRONT = ndarray([1, 25], [...cameraLabel(viewCamera(0, 0))]);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sheet: { type: 'string' },
    people: { type: 'string', default: '1000' },
    rows: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
});
const [file, data] = positionals;
if (file === undefined || data === undefined) throw new UsageError('expected a network and a set');

const networks = await openNetworks(file);
const set = await openTaughtSet(data);
const engine = cpuEngine();
const generator = portraitGenerator(engine, networks.generator, networks.body?.() ?? defaultBody());
const rows: { label: string; cells: Raster[] }[] = [];
const scores: (TaughtScore & { readonly yaw: number })[] = [];
for (let index = 0; index < Math.min(Number(values.people), set.people.length); index++) {
  const { truth, made } = await beside(generator, set, index);
  scores.push(...made.map(({ score }) => score));
  if (index >= Number(values.rows)) continue;
  rows.push({ label: 'truth', cells: truth.map((picture) => rasterOf(truthPictures(picture))) });
  rows.push({ label: '', cells: made.map(({ view }) => rasterOf(view.image ?? view.image_raw)) });
}
report();
if (values.sheet !== undefined)
  await writePng(values.sheet, tableSheet({ columns: rows[0].cells.map(() => ''), rows }));
await engine.dispose();
await set.close();
networks.close();

/** All pictures of a person: renders, and what the generator makes of the same latent, camera and pose. */
async function beside(
  network: PortraitGenerator,
  from: TaughtSet,
  index: number,
): Promise<{ truth: Truth[]; made: { view: View; score: TaughtScore & { yaw: number } }[] }> {
  const { latent, pictures } = from.people[index];
  const z = ndarray([1, network.config.zDim], latent.slice(0, network.config.zDim));
  const ws = await network.map(z, { c: FRONT, p: ndarray([1, 6], new Float32Array(6)) });
  const [planes, background] = [await network.planes(ws), await network.background(ws)];
  const shown = await Promise.all(pictures.map((item) => from.picture(item)));
  const truth = shown.map((picture) => truthOf(picture, from.resolution));
  const made = [];
  for (const [i, { label, pose }] of shown.entries()) {
    const view = await network.view({ planes, background, ws }, ndarray([1, 25], label), {
      pose: ndarray([1, 6], pose),
    });
    made.push({ view, score: { ...scoresOf(view, truth[i])[0], yaw: yawOf(label) } });
  }
  await network.release(planes, background);
  return { truth, made };
}

function truthOf({ image, mask, depth }: TaughtPicture, side: number): Truth {
  return { images: image, masks: mask, depths: depth, side };
}

/** Degrees, 0 in front. */
function yawOf(label: Float32Array): number {
  return (Math.atan2(label[3], label[11]) * 180) / Math.PI;
}

function report(): void {
  const front = scores.filter(({ yaw }) => Math.abs(yaw) < 40);
  const back = scores.filter(({ yaw }) => Math.abs(yaw) > 140);
  const table = { all: meanScore(scores), front: meanScore(front), back: meanScore(back) };
  if (values.json) {
    console.log(JSON.stringify({ network: file, set: data, pictures: scores.length, ...table }));
    return;
  }
  for (const [name, { psnr, iou, depthMm }] of Object.entries(table))
    console.log(`${name}: ${psnr.toFixed(2)} dB, overlap ${iou.toFixed(3)}, depth ${depthMm.toFixed(1)} mm`);
}
