/**
 * `npx tsx bench/mesh.ts [PRESET] [RESOLUTION]`: seconds for a mesh of 256 samples a side, stage by stage, on the
 * cpu engine. Initial weights make a rougher surface than a trained portrait has, so the share of samples that
 * has to be computed is the larger one.
 */

import { availableParallelism } from 'node:os';
import { colourMesh } from '../src/cli/mesh-colours.ts';
import { densitySampler, exactGrid, GRID_BATCH, meshInMetres } from '../src/cli/mesh-grid.ts';
import { openNetworks } from '../src/cli/network.ts';
import { latentOfSeed } from '../src/cli/subjects.ts';
import { conditionLabel } from '../src/cli/views.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { components } from '../src/picture/mesh/components.ts';
import { encodeGlb } from '../src/picture/mesh/glb.ts';
import { marchingCubes } from '../src/picture/mesh/marching-cubes.ts';
import { vertexNormals } from '../src/picture/mesh/mesh.ts';
import { sampleVolume } from '../src/picture/mesh/volume.ts';
import { renderMesh } from '../src/picture/shade.ts';
import { cameraLabel, viewCamera } from '../src/portrait/camera.ts';
import { portraitGenerator } from '../src/portrait/session.ts';
import { ndarray } from '../src/tensor/index.ts';
import { machine, table } from './support.ts';

const threads = Math.min(2, availableParallelism());
const preset = process.argv[2] ?? '512-128';
const side = Number(process.argv[3] ?? 256);
const engine = cpuEngine({ threads });
const generator = portraitGenerator(engine, (await openNetworks(`preset:${preset}`)).generator);
const { config } = generator;
const labels = { c: conditionLabel(undefined), p: ndarray([1, 6], new Float32Array(6)) };
const ws = await generator.map(latentOfSeed(0, config.zDim), labels);
const planes = await generator.planes(ws);
const background = await generator.background(ws);
const { boxWarp, cropMargin } = config.rendering;
const grid = exactGrid(side, boxWarp - 2 * cropMargin);
const sampler = densitySampler(generator, planes, grid);

const rows: string[][] = [];
async function timed<T>(label: string, work: () => T | Promise<T>, more: (result: T) => string): Promise<T> {
  const start = performance.now();
  const result = await work();
  rows.push([label, ((performance.now() - start) / 1000).toFixed(2), more(result)]);
  return result;
}

// A level at which a fifth of a small grid is inside: initial weights know no 15.
const trial = exactGrid(24, grid.cube);
const some = (
  await densitySampler(generator, planes, trial)(Uint32Array.from({ length: 24 ** 3 }, (_, i) => i))
).sort();
const level = some[Math.floor(some.length * 0.8)];
await sampler(new Uint32Array(GRID_BATCH));

const volume = await timed(
  'sparse density',
  () => sampleVolume(sampler, { side, pad: grid.pad, level, stride: 4, batch: GRID_BATCH }),
  ({ computed }) => `${(computed / 1e6).toFixed(2)} M of ${(side ** 3 / 1e6).toFixed(1)} M samples`,
);
const mesh = await timed(
  'marching cubes',
  () => marchingCubes(volume, level),
  ({ indices }) => `${indices.length / 3} triangles`,
);
const largest = await timed(
  'largest part',
  () => components(mesh).largest(),
  ({ indices }) => `${indices.length / 3} triangles`,
);
const placed = meshInMetres(largest, grid);
const normals = await timed(
  'normals',
  () => vertexNormals(placed),
  () => '',
);
const { colours } = await timed(
  'colours',
  () =>
    colourMesh(generator, { ws, planes, background }, placed, normals, grid.cube / (side - 1), (work) =>
      work(),
    ),
  ({ seen }) => `${(100 * seen).toFixed(0)} % seen in 14 views`,
);
await timed(
  'GLB',
  () => encodeGlb(placed, { normals, colours }),
  ({ length }) => `${(length / 1e6).toFixed(1)} MB`,
);
const total = rows.reduce((sum, [, seconds]) => sum + Number(seconds), 0);
rows.push(['**mesh with colours**', total.toFixed(2), `without ${(total - Number(rows[4][1])).toFixed(2)}`]);
await timed(
  'one picture of it, 512 px, 2 x 2 samples a pixel',
  () => renderMesh(placed, { normals, colours }, cameraLabel(viewCamera(20, 5)), { width: 512, height: 512 }),
  () => '',
);
console.log(
  `preset ${preset}, random weights, ${side} samples a side, level ${level.toFixed(3)}; ${machine(threads)}`,
);
console.log(`peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`);
console.log(table(['stage', 'seconds', ''], rows));
await engine.dispose();
