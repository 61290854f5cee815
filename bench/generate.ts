/**
 * `npm run bench:generate [-- PRESET]`: one portrait on the cpu engine, stage by stage, beside the machine's
 * own rate R in the same run (ONNX Runtime, 3x3 convolution of 256 channels at 64 x 64, one picture).
 */

import { availableParallelism } from 'node:os';
import { defaultBody } from '../src/default-body.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { kernelModule } from '../src/engines/kernels/index.ts';
import { cameraLabel, viewCamera } from '../src/portrait/camera.ts';
import { generatorRecord, presetOf } from '../src/portrait/presets.ts';
import { portraitGenerator, type ViewOptions } from '../src/portrait/session.ts';
import {
  costOf,
  type NdArray,
  ndarray,
  type Program,
  type Resident,
  type Values,
} from '../src/tensor/index.ts';
import { ceiling } from './ceiling.ts';
import { inputsFor, parametersFor, stagedGenerator } from './stages.ts';
import { best, machine, normals, table } from './support.ts';

const threads = Math.min(2, availableParallelism());
const name = process.argv[2] ?? '512-128';
const preset = presetOf(name);
const draw = normals();
const staged = stagedGenerator(preset, draw);
const { values, network } = staged;
const record = generatorRecord(preset);
const { config } = network;

const engine = cpuEngine({ threads, kernels: kernelModule() });
const r = await ceiling(threads);

interface Timed {
  readonly name: string;
  readonly program: Program;
  readonly inputs: Values;
  readonly gflop: number;
  readonly dense: boolean;
  best: number;
}

const stages: Timed[] = [];
const known: Record<string, NdArray | Resident> = { ...staged.inputs };
for (const { name: label, graph, dense } of staged.stages) {
  const program = await engine.compile(graph, { parameters: parametersFor(graph, values) });
  const inputs = inputsFor(graph, known);
  const gflop = costOf(graph).flops / 1e9;
  stages.push({ name: label, program, inputs, gflop, dense, best: Number.POSITIVE_INFINITY });
  Object.assign(known, await program.runResident(inputs));
}
const { c } = staged.inputs;
const [ws, planes, background] = [known.ws, known.planes, known.background] as Resident[];

/** Results stay with the engine, as they do when a picture is made. */
async function once(entry: Timed): Promise<void> {
  const start = performance.now();
  const results = await entry.program.runResident(entry.inputs);
  entry.best = Math.min(entry.best, performance.now() - start);
  for (const value of Object.values(results)) await engine.release(value);
}

const random = (...shape: number[]): NdArray => ndarray(shape, draw(shape.reduce((a, b) => a * b, 1)));

for (let round = 0; round < 5; round++) {
  await r.sample();
  for (const entry of stages) {
    await once(entry);
    await r.sample();
  }
}

const rate = r.gflops();
const total = stages.reduce((sum, entry) => sum + entry.best, 0);
const row = (label: string, ms: number, gflop: number): string[] => [
  label,
  ms.toFixed(1),
  gflop.toFixed(2),
  (gflop / (ms / 1000)).toFixed(0),
  (ms / 1000 / (gflop / rate)).toFixed(2),
  `${((100 * ms) / total).toFixed(0)} %`,
];
const rows = stages.map((entry) => row(entry.name, entry.best, entry.gflop));
const dense = stages.filter((entry) => entry.dense);
rows.push(
  row(
    '**all but rendering**',
    dense.reduce((sum, entry) => sum + entry.best, 0),
    dense.reduce((sum, entry) => sum + entry.gflop, 0),
  ),
);
console.log(`preset ${name}, random weights, batch 1; ${machine(threads)}`);
console.log(
  `R = ${rate.toFixed(0)} GFLOP/s; peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`,
);
console.log(table(['stage', 'ms (best of 5)', 'GFLOP', 'GFLOP/s', 'time / (GFLOP / R)', 'share'], rows));

await wholePictures();
await engine.dispose();

/** Whole pictures as callers make them: by the session, planes and background kept where that is the point. */
async function wholePictures(): Promise<void> {
  const read = (parameter: string): NdArray => values.get(parameter)!;
  const generator = portraitGenerator(engine, { record, read }, defaultBody());
  const pose = ndarray([1, 6], [0.1, 0, 0, 0, 0.5, 0]);
  const labels = { c, p: ndarray([1, 6], new Float32Array(6)) };
  const make = async (options: ViewOptions): Promise<void> => {
    const styles = await generator.map(random(1, config.zDim), labels, { psi: 0.7 });
    const parts = {
      ws: styles,
      planes: await generator.planes(styles),
      background: await generator.background(styles),
    };
    await generator.view(parts, c, options);
    await generator.release(parts.planes, parts.background);
  };
  const kept = {
    ws: ndarray([1, config.numWs, config.wDim], (await engine.download(ws)).data as Float32Array),
    planes,
    background,
  };
  let turn = 0;
  const camera = (): NdArray => ndarray([1, 25], cameraLabel(viewCamera(turn++ * 7, 0)));
  const runs: Record<string, () => Promise<unknown>> = {
    'whole picture': () => make({}),
    'whole picture, posed': () => make({ pose }),
    'new camera, planes and background kept': () => generator.view(kept, camera()),
    'preview of 64 px without super-resolution, kept': () =>
      generator.view(kept, camera(), { neuralResolution: 64, superresolution: false }),
    'the same, posed': () =>
      generator.view(kept, camera(), { neuralResolution: 64, superresolution: false, pose }),
  };
  const times = new Map<string, number>();
  for (let round = 0; round < 6; round++) {
    for (const [label, run] of Object.entries(runs)) {
      const ms = await best(1, run);
      if (round > 0) times.set(label, Math.min(times.get(label) ?? Number.POSITIVE_INFINITY, ms));
      await r.sample();
    }
  }
  const whole = times.get('whole picture')!;
  const gflop = stages.reduce((sum, entry) => sum + entry.gflop, 0);
  const floor = gflop / r.gflops();
  console.log(
    `\nR = ${r.gflops().toFixed(0)} GFLOP/s; a picture has ${gflop.toFixed(0)} GFLOP; peak memory of the process ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`,
  );
  console.log(
    table(
      ['what', 'ms (best of 5)', 'time / (GFLOP of a picture / R)', 'time / whole picture'],
      [...times].map(([label, ms]) => [
        label,
        ms.toFixed(0),
        (ms / 1000 / floor).toFixed(2),
        (ms / whole).toFixed(2),
      ]),
    ),
  );
  await generator.dispose();
}
