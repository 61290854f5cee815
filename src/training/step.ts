/**
 * A phase by itself: programs are compiled, run and forgotten, and the gradients are read out.
 *
 * This is the step to check by, and the definition that a training loop is held to.
 */

import type { Engine, NdArray, Resident } from '../tensor/index.ts';
import { type PhaseResult, runPhase, type StepInputs, type StepNetworks, type StepOptions } from './phase.ts';
import { declaredInputs, type ProgramRunner, weightOf } from './runner.ts';

export interface StepResult extends Pick<PhaseResult, 'losses' | 'statistics'> {
  readonly gradients: ReadonlyMap<string, NdArray>;
  /** The tracked mean style afterwards. */
  readonly wAvg: NdArray;
}

/** Runs a phase from weights that are read as they are needed.
 *
 * @throws UsageError for draws or labels that the phase needs and does not get.
 */
export async function runStep(
  engine: Engine,
  networks: StepNetworks,
  options: StepOptions,
  inputs: StepInputs,
): Promise<StepResult> {
  const { losses, statistics, gradients, wAvg } = await runPhase(
    passingRunner(engine, networks.read),
    networks,
    options,
    inputs,
  );
  const out = new Map<string, NdArray>();
  for (const [name, value] of gradients) out.set(name, await taken(engine, value));
  return {
    losses,
    statistics,
    gradients: out,
    wAvg: wAvg === undefined ? networks.read.G('backbone.mapping.w_avg') : await taken(engine, wAvg),
  };
}

async function taken(engine: Engine, value: Resident): Promise<NdArray> {
  const array = await engine.download(value);
  await engine.release(value);
  return array;
}

function passingRunner(engine: Engine, read: StepNetworks['read']): ProgramRunner {
  return {
    engine,
    async run(_slot, _key, make, given, donate = []) {
      const graph = make();
      const weights = graph.parameters.map(({ name }) => {
        const { network, weight } = weightOf(name);
        return [name, read[network](weight)] as const;
      });
      const program = await engine.compile(graph, { parameters: Object.fromEntries(weights) });
      try {
        return await program.runResident(declaredInputs(graph, given), { donate });
      } finally {
        await program.dispose();
      }
    },
  };
}
