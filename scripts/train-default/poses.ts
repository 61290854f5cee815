/** `npx tsx scripts/train-default/poses.ts NETWORK FILE.png`: some people in some poses, seen a little from the side. */

import { openNetworks } from '../../src/cli/network.ts';
import { defaultBody } from '../../src/default-body.ts';
import { cpuEngine } from '../../src/engines/cpu/index.ts';
import { UsageError } from '../../src/errors.ts';
import { writePng } from '../../src/picture/png.ts';
import { rasterOf } from '../../src/picture/quantise.ts';
import type { Raster } from '../../src/picture/raster.ts';
import { tableSheet } from '../../src/picture/sheet.ts';
import { cameraLabel, viewCamera } from '../../src/portrait/camera.ts';
import { portraitGenerator } from '../../src/portrait/session.ts';
import { ndarray } from '../../src/tensor/index.ts';
import { randomState } from '../../src/weights/index.ts';

const SEEDS = [0, 1, 2, 3, 4, 5];
const PSI = 0.7;
const YAW = 20;
/** Neck, then head: nod, turn, tilt, degrees. */
const POSES: Readonly<Record<string, readonly number[]>> = {
  'at rest': [0, 0, 0, 0, 0, 0],
  'turn 40': [0, 0, 0, 0, 40, 0],
  'turn -40': [0, 0, 0, 0, -40, 0],
  'down 20': [0, 0, 0, 20, 0, 0],
  'up 20': [0, 0, 0, -20, 0, 0],
  'tilt 20': [0, 0, 0, 0, 0, 20],
  'both turn': [0, 15, 0, 0, 30, 0],
  'neck down': [20, 0, 0, 0, 0, 0],
};

const [file, out] = process.argv.slice(2);
if (file === undefined || out === undefined) throw new UsageError('expected a network and a file to write');
const networks = await openNetworks(file);
const engine = cpuEngine();
const generator = portraitGenerator(engine, networks.generator, networks.body?.() ?? defaultBody());
const front = ndarray([1, 25], [...cameraLabel(viewCamera(0, 0))]);
const camera = ndarray([1, 25], [...cameraLabel(viewCamera(YAW, 0))]);
const rest = ndarray([1, 6], new Float32Array(6));
const rows: { label: string; cells: Raster[] }[] = [];
for (const seed of SEEDS) {
  const z = ndarray(
    [1, generator.config.zDim],
    Float32Array.from(randomState(seed).randn(generator.config.zDim)),
  );
  const ws = await generator.map(z, { c: front, p: rest }, { psi: PSI });
  const parts = { ws, planes: await generator.planes(ws), background: await generator.background(ws) };
  const cells: Raster[] = [];
  for (const degrees of Object.values(POSES)) {
    const pose = ndarray(
      [1, 6],
      degrees.map((angle) => (angle * Math.PI) / 180),
    );
    const { image } = await generator.view(parts, camera, { pose });
    cells.push(rasterOf(image!));
  }
  rows.push({ label: `seed ${seed}`, cells });
}
await writePng(out, tableSheet({ columns: Object.keys(POSES), rows }));
await engine.dispose();
networks.close();
