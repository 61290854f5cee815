/** How long the phases of a training step take, each with its gradients, and the optimiser; weights are on the device. */

import { type BenchedPhase, phaseInputs, phasesOf } from '../../bench/step-phases.ts';
import { normals } from '../../bench/support.ts';
import { presetOf } from '../../src/portrait/presets.ts';
import { denseFlopsOf, type Engine, type Resident } from '../../src/tensor/index.ts';
import type { DensityRegOptions } from '../../src/training/options.ts';
import { type Gpu, once, timedProgram } from './gpu.ts';
import { type Fields, round, type Section } from './record.ts';

const DENSITY: DensityRegOptions = { weight: 0.25, type: 'l1', distance: 0.004 };

/** Preset, pictures a step, and words in the labels of phases; none for all. */
function sizes(small: boolean): { name: string; batch: number; only: readonly string[] } {
  return small ? { name: 'tiny', batch: 2, only: ['Adam'] } : { name: '128-64', batch: 16, only: [] };
}

export async function trainingSection(gpu: Gpu, section: Section): Promise<void> {
  const { name, batch, only } = sizes(gpu.small);
  const preset = presetOf(name);
  const phases = phasesOf(preset, batch, only, DENSITY);
  for (const precision of gpu.precisions) {
    const engine = gpu.engine(precision);
    const arrayFor = phaseInputs(preset, normals());
    for (const phase of phases)
      await section.row(`${name}, batch ${batch}, ${precision}: ${phase.label}`, async () => ({
        ...{ preset: name, batch, precision, phase: phase.label },
        ...(await phaseRow(gpu, engine, phase, arrayFor)),
      }));
    await engine.dispose();
  }
}

async function phaseRow(
  gpu: Gpu,
  engine: Engine,
  phase: BenchedPhase,
  arrayFor: ReturnType<typeof phaseInputs>,
): Promise<Fields> {
  const { graph } = phase;
  const [program, compileMs] = await once(() => engine.compile(graph));
  const inputs: Record<string, Resident> = {};
  try {
    for (const input of graph.inputs) inputs[input.name] = await engine.upload(arrayFor(phase, input));
    const before = gpu.memory.live();
    gpu.memory.reset();
    const { firstMs, ms } = await timedProgram(gpu, engine, program, inputs);
    const gigaflop = denseFlopsOf(graph) / 1e9;
    return {
      ...{ compileMs, firstMs, ms, gigaflop: round(gigaflop), teraflops: round(gigaflop / ms) },
      peakMebibytes: round((gpu.memory.peak() - before) / 2 ** 20),
    };
  } finally {
    await program.dispose();
    for (const value of Object.values(inputs)) await engine.release(value);
  }
}
