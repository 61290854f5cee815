/** Where the time of stages and training phases goes on the device, dispatch by dispatch. */

import { inputsFor, parametersFor, stagedGenerator } from '../../bench/stages.ts';
import { phaseInputs } from '../../bench/step-phases.ts';
import { normals } from '../../bench/support.ts';
import { presetOf } from '../../src/portrait/presets.ts';
import type { Arrays, Engine, Graph, NdArray, Resident, Values } from '../../src/tensor/index.ts';
import { type Gpu, type Precision, posedBody } from './gpu.ts';
import { type Fields, round, type Section } from './record.ts';
import { phasesAt, TRAINED } from './training.ts';

/** Kinds of dispatches that are listed, the longest first. */
const LISTED = 20;

/** What each dispatch of a run took. */
type Times = readonly { readonly label: string; readonly ms: number }[];

/** Gives the times of the oldest run that nobody asked about. */
type NextTimes = () => Promise<Times>;

export async function profileSection(gpu: Gpu, section: Section): Promise<void> {
  if (!gpu.device.features.has('timestamp-query')) {
    await section.row('profile', async () => {
      throw new Error('the device has no timestamp-query');
    });
    return;
  }
  for (const profile of [profileStages, profilePhases])
    for (const precision of gpu.precisions) await profile(gpu, section, precision);
}

/** An engine that tells what dispatches took; reports come a while after their runs. */
function profiledEngine(gpu: Gpu, precision: Precision): { engine: Engine; nextTimes: NextTimes } {
  const reports: Times[] = [];
  let waiting: ((times: Times) => void) | undefined;
  const engine = gpu.engine(precision, {
    onProfile: (_, times) => {
      if (waiting === undefined) reports.push(times);
      else waiting(times);
      waiting = undefined;
    },
  });
  const nextTimes: NextTimes = () =>
    new Promise((resolve) => {
      const [known] = reports.splice(0, 1);
      if (known === undefined) waiting = resolve;
      else resolve(known);
    });
  return { engine, nextTimes };
}

async function profileStages(gpu: Gpu, section: Section, precision: Precision): Promise<void> {
  const { engine, nextTimes } = profiledEngine(gpu, precision);
  const name = gpu.small ? 'tiny' : '512-128';
  const { posing, mesh } = posedBody(presetOf(name));
  const { stages, values, inputs } = stagedGenerator(presetOf(name), normals(), posing);
  const known: Record<string, NdArray | Resident> = { ...inputs, mesh };
  for (const { name: stage, graph } of stages)
    await section.row(`${name}, ${precision}: ${stage}`, async () => {
      const given = inputsFor(graph, known);
      const { made, fields } = await profileOf(engine, graph, given, nextTimes, parametersFor(graph, values));
      Object.assign(known, made);
      return { preset: name, precision, stage, ...fields };
    });
  await engine.dispose();
}

async function profilePhases(gpu: Gpu, section: Section, precision: Precision): Promise<void> {
  const { engine, nextTimes } = profiledEngine(gpu, precision);
  const { name, batch, only } = TRAINED[gpu.small ? 'small' : 'large'];
  const arrayFor = phaseInputs(presetOf(name), normals());
  for (const phase of phasesAt(name, batch, only))
    await section.row(`${name}, batch ${batch}, ${precision}: ${phase.label}`, async () => {
      const given: Record<string, Resident> = {};
      for (const input of phase.graph.inputs) given[input.name] = await engine.upload(arrayFor(phase, input));
      const { made, fields } = await profileOf(engine, phase.graph, given, nextTimes);
      for (const value of [...Object.values(given), ...Object.values(made)]) await engine.release(value);
      return { preset: name, batch, precision, phase: phase.label, ...fields };
    });
  await engine.dispose();
}

/** Runs a program twice, and tells of the second. */
async function profileOf(
  engine: Engine,
  graph: Graph,
  inputs: Values,
  nextTimes: NextTimes,
  parameters: Arrays = {},
): Promise<{ made: Record<string, Resident>; fields: Fields }> {
  const program = await engine.compile(graph, { parameters });
  for (const value of Object.values(await program.runResident(inputs))) await engine.release(value);
  await nextTimes();
  const made = await program.runResident(inputs);
  const times = await nextTimes();
  await program.dispose();
  const kinds = new Map<string, { count: number; ms: number }>();
  for (const { label, ms } of times) {
    const { count, ms: before } = kinds.get(label) ?? { count: 0, ms: 0 };
    kinds.set(label, { count: count + 1, ms: before + ms });
  }
  const sorted = [...kinds].sort((a, b) => b[1].ms - a[1].ms).slice(0, LISTED);
  return {
    made,
    fields: {
      dispatches: times.length,
      deviceMs: round(times.reduce((sum, { ms }) => sum + ms, 0)),
      longest: sorted.map(([label, { count, ms }]) => [label, count, round(ms)]),
      // By number in the program: which of the same kind they are.
      slowest: times
        .map(({ label, ms }, i) => [i, label, round(ms)] as const)
        .sort((a, b) => b[2] - a[2])
        .slice(0, LISTED),
    },
  };
}
