/** How long the stages of a picture take, whole pictures, and frames of a person whose planes are kept. */

import { inputsFor, parametersFor, type StagedGenerator, stagedGenerator } from '../../bench/stages.ts';
import { normals } from '../../bench/support.ts';
import type { WebgpuEngine } from '../../src/engines/webgpu/index.ts';
import { presetOf } from '../../src/portrait/presets.ts';
import {
  costOf,
  type NdArray,
  ndarray,
  type Program,
  type Resident,
  sizeOf,
} from '../../src/tensor/index.ts';
import { type Gpu, once, type Precision, posedBody, timedProgram, timedRuns } from './gpu.ts';
import { type Fields, round, type Section } from './record.ts';

export async function stagesSection(gpu: Gpu, section: Section): Promise<void> {
  for (const preset of gpu.small ? ['tiny'] : ['512-128', '128-64'])
    for (const precision of gpu.precisions) await presetStages(gpu, section, preset, precision);
}

type Known = Record<string, NdArray | Resident>;

/** What the rows of one preset and precision share. */
interface Bench {
  readonly gpu: Gpu;
  readonly engine: WebgpuEngine;
  readonly staged: StagedGenerator;
  readonly programs: Map<string, Program>;
  readonly known: Known;
  readonly fields: Fields;
  /** Of the program that was compiled last. */
  dispatches: number;
}

async function presetStages(gpu: Gpu, section: Section, name: string, precision: Precision): Promise<void> {
  const before = gpu.memory.live();
  gpu.memory.reset();
  const engine = gpu.engine(precision, {
    onProgress: (_program, _done, total) => {
      bench.dispatches = total;
    },
  });
  const { posing, mesh } = posedBody(presetOf(name));
  const staged = stagedGenerator(presetOf(name), normals(), posing);
  const known: Known = { ...staged.inputs, mesh: await engine.upload(mesh) };
  const fields = { preset: name, precision };
  const bench: Bench = { gpu, engine, staged, programs: new Map(), known, fields, dispatches: 0 };
  const row = (stage: string, measure: () => Promise<Fields>): Promise<boolean> =>
    section.row(`${name}, ${precision}: ${stage}`, async () => ({ ...fields, stage, ...(await measure()) }));
  for (const { name: stage, graph } of staged.stages) await row(stage, () => stageRow(bench, stage, graph));
  await row('memory', async () => ({
    liveMebibytes: mebibytes(gpu.memory.live() - before),
    peakMebibytes: mebibytes(gpu.memory.peak() - before),
    engineMebibytes: Object.fromEntries(
      Object.entries(engine.memory()).map(([kind, bytes]) => [kind, mebibytes(bytes)]),
    ),
    weightMebibytes: mebibytes(
      4 * [...staged.values.values()].reduce((sum, { data }) => sum + data.length, 0),
    ),
  }));
  for (const posed of [false, true]) {
    for (const read of [false, true]) {
      const words = `${posed ? ', posed' : ''}${read ? ', picture read' : ''}`;
      await row(`whole picture${words}`, () => timedRuns(gpu, () => wholePicture(bench, posed, read)));
      await row(`frame of kept planes${words}`, () =>
        timedRuns(gpu, () => frame(bench, bench.known, posed, read)),
      );
    }
  }
  for (const program of bench.programs.values()) await program.dispose();
  for (const value of Object.values(known)) if ('resident' in value) await engine.release(value);
  await engine.dispose();
  await row('memory left after disposal', async () => ({
    liveMebibytes: mebibytes(gpu.memory.live() - before),
  }));
}

function mebibytes(bytes: number): number {
  return round(bytes / 2 ** 20);
}

async function stageRow(bench: Bench, stage: string, graph: Program['graph']): Promise<Fields> {
  const { gpu, engine, staged, programs, known } = bench;
  for (const { name, tensor } of graph.inputs) {
    // What an earlier stage failed to give.
    known[name] ??= ndarray(tensor.shape, normals(9)(sizeOf(tensor.shape)));
  }
  const [program, compileMs] = await once(() =>
    engine.compile(graph, { parameters: parametersFor(graph, staged.values) }),
  );
  programs.set(stage, program);
  const inputs = inputsFor(graph, known);
  const times = await timedProgram(gpu, engine, program, inputs);
  for (const [name, value] of Object.entries(await program.runResident(inputs))) {
    const old = known[name];
    if (old !== undefined && 'resident' in old) await engine.release(old);
    known[name] = value;
  }
  const { flops } = costOf(graph);
  return {
    ...{ compileMs, ...times, dispatches: bench.dispatches },
    ...{ gigaflop: round(flops / 1e9), teraflops: round(flops / times.ms / 1e9) },
  };
}

function runStage({ programs }: Bench, stage: string, known: Known): Promise<Record<string, Resident>> {
  const program = programs.get(stage);
  if (program === undefined) throw new Error(`stage "${stage}" did not compile`);
  return program.runResident(inputsFor(program.graph, known));
}

/** Rendering and super-resolution; the picture is copied out if it is read. */
async function frame(bench: Bench, known: Known, posed: boolean, read: boolean): Promise<void> {
  const rendered = await runStage(bench, posed ? 'rendering, posed' : 'rendering', known);
  const pictures = await runStage(bench, 'super-resolution', { ...known, ...rendered });
  if (read) await bench.engine.download(pictures.image);
  for (const value of [...Object.values(rendered), ...Object.values(pictures)])
    await bench.engine.release(value);
}

/** From the latent on. */
async function wholePicture(bench: Bench, posed: boolean, read: boolean): Promise<void> {
  const made: Known = { ...bench.known };
  const fresh: Resident[] = [];
  for (const stage of ['mapping', 'planes', 'background']) {
    const results = await runStage(bench, stage, made);
    fresh.push(...Object.values(results));
    Object.assign(made, results);
  }
  await frame(bench, made, posed, read);
  for (const value of fresh) await bench.engine.release(value);
}
