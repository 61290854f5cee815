/**
 * `npm run bench:body`: nearest faces and deformation of a full image's samples on a body of SMPL's size.
 *
 * Points are those of a real render: 128 x 128 rays of the front camera, 48 + 48 samples, tile by tile as the
 * renderer walks them. Brute force is the exact search over all faces on one thread, in JavaScript (double
 * precision, ties resolved) and, where a C compiler is there, in C (single precision), measured on a subset and
 * scaled.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { meshBlock, nearestFacesPlain, poseBody, readCompactBody } from '../src/body/index.ts';
import { kernelModule } from '../src/engines/kernels/index.ts';
import { openSearch } from '../test/body-kernel.ts';
import { refine, withMiddles } from './refine.ts';
import { machine, table } from './support.ts';

const THICKNESS = 0.25;
const SIDE = 128;
const SAMPLES = 96;
const BRUTE_POINTS = 2048;

/** Faces of the SMPL body. */
const FACES = 13_776;
const POSE = [0.2, 0.3, 0, 0.1, 0.3, 0.1];

/** Our body with as many faces as SMPL has, rest and posed. */
function figure(): { posed: Float32Array; canonical: Float32Array; faces: Int32Array } {
  const body = readCompactBody(readFileSync(new URL('../models/body.bin', import.meta.url)));
  const { faces, ends } = refine(body.canonical, body.faces, FACES);
  const posed = withMiddles(poseBody(body, POSE), ends);
  return { posed, canonical: withMiddles(body.canonical, ends), faces };
}

/** Sample points of the front camera, 8 x 8 rays a tile: depth by depth, rays of a tile next to each other. */
function samplePoints(): Float32Array {
  const points = new Float32Array(SIDE * SIDE * SAMPLES * 3);
  let at = 0;
  for (let tile = 0; tile < (SIDE / 8) ** 2; tile++) {
    const [row, column] = [8 * Math.floor(tile / (SIDE / 8)), 8 * (tile % (SIDE / 8))];
    for (let s = 0; s < SAMPLES; s++) {
      const depth = 2.25 + ((3.3 - 2.25) * (s + 0.5)) / SAMPLES;
      for (let ray = 0; ray < 64; ray++) {
        const x = ((column + (ray % 8) + 0.5) / SIDE - 0.5) / 6.5104166;
        const y = ((row + Math.floor(ray / 8) + 0.5) / SIDE - 0.5) / 6.5104166;
        const length = Math.hypot(x, y, 1);
        points[at++] = (depth * x) / length;
        points[at++] = 0.0649 - (depth * y) / length;
        points[at++] = 2.7 - depth / length;
      }
    }
  }
  return points;
}

interface Job {
  readonly block: Int32Array;
  readonly points: Float32Array;
}

/** Milliseconds of the deformation kernel on this thread, best of three. */
function time(run: () => unknown, times = 3): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** A thread with its own memory: block and points lie there before the clock starts. Plain text, because
 * worker threads of Node 20 do not read TypeScript. */
const WORKER = `
const { parentPort, workerData: { wasm, block, points } } = require('node:worker_threads');
const [scratch, mesh] = [4096, 8192];
const input = mesh + Math.ceil(block.byteLength / 16) * 16;
const moved = input + Math.ceil(points.byteLength / 16) * 16;
const memory = new WebAssembly.Memory({ initial: (moved + points.byteLength + 65536) >> 16, maximum: 65536 });
new Int32Array(memory.buffer, mesh, block.length).set(block);
new Float32Array(memory.buffer, input, points.length).set(points);
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } });
parentPort.on('message', () => {
  exports.deformPoints(mesh, input, moved, scratch, 1, block.length, points.length / 3);
  parentPort.postMessage('done');
});
`;

/** Runs the kernel over the points split between threads; best of three rounds, milliseconds. */
async function threaded({ block, points }: Job, threads: number): Promise<number> {
  const tile = 64 * SAMPLES * 3;
  const workers = Array.from({ length: threads }, (_, n) => {
    const parts: Float32Array[] = [];
    for (let at = n * tile; at < points.length; at += threads * tile)
      parts.push(points.subarray(at, at + tile));
    const own = new Float32Array(parts.length * tile);
    parts.forEach((part, i) => {
      own.set(part, i * tile);
    });
    return new Worker(WORKER, { eval: true, workerData: { wasm: kernelModule().wasm, block, points: own } });
  });
  const round = (): Promise<unknown> =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise((resolve) => {
            worker.once('message', resolve);
            worker.postMessage('go');
          }),
      ),
    );
  let least = Number.POSITIVE_INFINITY;
  await round();
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    await round();
    least = Math.min(least, performance.now() - start);
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  return least;
}

/** Milliseconds of the brute-force search in C over the points; undefined without a compiler. */
function compiledBrute(posed: Float32Array, faces: Int32Array, points: Float32Array): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'portraitgan-bench-'));
  try {
    const program = join(folder, 'brute');
    const source = fileURLToPath(new URL('./body_brute.c', import.meta.url));
    const built = spawnSync('cc', ['-O3', '-march=native', '-ffast-math', source, '-o', program]);
    if (built.status !== 0) return undefined;
    const corners = Float32Array.from(
      { length: 3 * faces.length },
      (_, i) => posed[3 * faces[Math.floor(i / 3)] + (i % 3)],
    );
    const header = Int32Array.of(points.length / 3, faces.length / 3);
    const input = Buffer.concat(
      [header, points, corners].map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)),
    );
    const { status, stdout } = spawnSync(program, { input, encoding: 'utf8' });
    return status === 0 ? Number(stdout.split(' ')[0]) * 1000 : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const { posed, canonical, faces } = figure();
  const points = samplePoints();
  const count = points.length / 3;
  const options = { posed, canonical, faces, thickness: THICKNESS };
  const building = time(() => meshBlock(options));
  const block = meshBlock(options);
  const unbounded = meshBlock({ ...options, thickness: Number.POSITIVE_INFINITY });
  const search = openSearch();
  const bounded = time(() => search.deform(block, points));
  const all = time(() => search.nearest(unbounded, points), 2);
  const subset = new Float32Array(3 * BRUTE_POINTS);
  for (let i = 0; i < BRUTE_POINTS; i++) {
    const from = 3 * Math.floor((i * count) / BRUTE_POINTS);
    subset.set(points.subarray(from, from + 3), 3 * i);
  }
  const plain = nearestFacesPlain(posed, faces, subset);
  const brute = time(() => nearestFacesPlain(posed, faces, subset), 1) * (count / BRUTE_POINTS);
  const found = search.nearest(unbounded, subset);
  const same = plain.face.filter((face, i) => face === found.face[i]).length / BRUTE_POINTS;
  const two = await threaded({ block, points }, 2);
  const compiled = compiledBrute(posed, faces, subset);
  const inC = compiled === undefined ? undefined : compiled * (count / BRUTE_POINTS);
  const seconds = (ms: number): string => (ms / 1000).toFixed(ms < 100 ? 3 : 2);
  const row = (name: string, ms: number): string[] => [
    name,
    seconds(ms),
    (brute / ms).toFixed(0),
    inC === undefined ? '-' : (inC / ms).toFixed(1),
  ];
  process.stdout.write(`${machine(Math.min(2, cpus().length))}\n\n`);
  process.stdout.write(
    `${count.toLocaleString('en')} points, ${posed.length / 3} vertices, ${faces.length / 3} faces, thickness ${THICKNESS} m; faces as by brute force: ${(100 * same).toFixed(2)} %\n\n`,
  );
  const rows = [
    row('brute force in JavaScript, 1 thread (scaled from a subset)', brute),
    ...(inC === undefined ? [] : [row('brute force in C, 1 thread (scaled from a subset)', inC)]),
    row('nearest face of every point, 1 thread', all),
    row('deformation within the thickness, 1 thread', bounded),
    row('deformation within the thickness, 2 threads', two),
    ['building the block of a pose', seconds(building), '', ''],
  ];
  process.stdout.write(`${table(['', 'seconds', 'x JavaScript', 'x C'], rows)}\n`);
}

await main();
