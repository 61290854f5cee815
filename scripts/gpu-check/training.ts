/** How long the phases of a training step take, each with its gradients, and the optimiser; weights are on the device. */

import { type BenchedPhase, phaseInputs, phasesOf } from '../../bench/step-phases.ts';
import { normals } from '../../bench/support.ts';
import { presetOf } from '../../src/portrait/presets.ts';
import { denseFlopsOf, type Resident } from '../../src/tensor/index.ts';
import type { DensityRegOptions } from '../../src/training/options.ts';
import { type Gpu, once, type Precision, timedProgram } from './gpu.ts';
import { type Fields, round, type Section } from './record.ts';

const DENSITY: DensityRegOptions = { weight: 0.25, type: 'l1', distance: 0.004 };

/** Preset, pictures a step, and words in the labels of phases; none for all. */
export const TRAINED = {
  large: { name: '128-64', batch: 16, only: [] },
  small: { name: 'tiny', batch: 2, only: ['Adam'] },
} as const;

export function phasesAt(name: string, batch: number, only: readonly string[]): BenchedPhase[] {
  return phasesOf(presetOf(name), batch, only, DENSITY);
}

export async function trainingSection(gpu: Gpu, section: Section): Promise<void> {
  const { name, batch, only } = TRAINED[gpu.small ? 'small' : 'large'];
  const phases = phasesAt(name, batch, only);
  for (const precision of gpu.precisions) {
    const arrayFor = phaseInputs(presetOf(name), normals());
    for (const phase of phases)
      await section.row(`${name}, batch ${batch}, ${precision}: ${phase.label}`, async () => ({
        ...{ preset: name, batch, precision, phase: phase.label },
        ...(await phaseRow(gpu, precision, phase, arrayFor)),
      }));
  }
}

/** On an engine of its own: what the phase holds at most, weights and inputs included, is then its alone. */
async function phaseRow(
  gpu: Gpu,
  precision: Precision,
  phase: BenchedPhase,
  arrayFor: ReturnType<typeof phaseInputs>,
): Promise<Fields> {
  const { graph } = phase;
  let dispatches = 0;
  const before = gpu.memory.live();
  gpu.memory.reset();
  const engine = gpu.engine(precision, {
    onProgress: (_program, _done, total) => {
      dispatches = total;
    },
  });
  try {
    const [program, compileMs] = await once(() => engine.compile(graph));
    const inputs: Record<string, Resident> = {};
    for (const input of graph.inputs) inputs[input.name] = await engine.upload(arrayFor(phase, input));
    const times = await timedProgram(gpu, engine, program, inputs);
    const gigaflop = denseFlopsOf(graph) / 1e9;
    return {
      ...{ compileMs, ...times, dispatches },
      ...{ gigaflop: round(gigaflop), teraflops: round(gigaflop / times.ms) },
      peakMebibytes: round((gpu.memory.peak() - before) / 2 ** 20),
    };
  } finally {
    await engine.dispose();
  }
}
