/**
 * One iteration of the published method: the generator's phases, the discriminator's, and the averages (spec page 5.1).
 *
 * All phases see the same reals, and latents, cameras and coarse poses of their own. Chunks of the batch are computed
 * one after another and their gradients added up.
 */

import type { JsonObject } from '../portrait/config.ts';
import type { Stream } from '../random.ts';
import { type NdArray, ndarray } from '../tensor/index.ts';
import { chunkStream, drawGenerated, drawPhase, type LabelSource } from './adversarial-draws.ts';
import type { Collective } from './collective.ts';
import type { TrainConfig } from './config.ts';
import { gradientSum } from './gradients.ts';
import type { IterationReport, Place } from './iteration.ts';
import { PHASES, partsOf } from './options.ts';
import {
  type PreparedPhase,
  preparePhase,
  runPhase,
  type StepInputs,
  type StepNetworks,
  type StepOptions,
} from './phase.ts';
import type { ResidentNetworks } from './resident.ts';
import { averageResident, stepResident } from './resident-optimiser.ts';
import type { RunNetworks } from './run-networks.ts';
import { adamOptionsOf, densityOptionsOf, emaBetaOf, lossOptionsOf, phasesOfRun } from './run-settings.ts';
import { scheduleAt } from './schedules.ts';
import { sharedGradients } from './share-gradients.ts';

/** Pictures of the data, [N, 3, R, R] and [N, 1, R, R] from 0 to 255, with cameras [N, 25] and poses [N, 6]. */
export interface RealBatch {
  readonly images: Uint8Array | Float32Array;
  readonly masks: Uint8Array | Float32Array;
  readonly labels: Float32Array;
  readonly poses: Float32Array;
  /** Where the data is after them. */
  readonly position: JsonObject;
}

export interface AdversarialData extends LabelSource {
  /** This rank's reals of the next iteration. */
  next(): Promise<RealBatch>;
}

export interface AdversarialTask {
  readonly residents: ResidentNetworks;
  readonly networks: RunNetworks;
  readonly config: TrainConfig;
  readonly data: AdversarialData;
  readonly collective: Collective;
}

/** Weights that plain code reads at each phase. */
function isReadByHost(name: string): boolean {
  return name.startsWith('pose_branch.') || name.startsWith('backbone.mapping.');
}

/** Makes the iteration. */
export async function adversarialIteration(
  task: AdversarialTask,
): Promise<(place: Place) => Promise<IterationReport>> {
  const { residents, config, data, collective } = task;
  const loss = lossOptionsOf(config);
  const density = densityOptionsOf(config);
  const phases = phasesOfRun(config).filter(({ phase }) => {
    const { main, regularise } = partsOf(phase, loss, density.weight);
    return main || regularise;
  });
  const { read, refresh } = await hostWeights(residents);
  const networks: StepNetworks = { ...task.networks, read };
  const chunks = config.batch / collective.size / config.microBatch;

  return async (place) => {
    const { iteration, seen, start } = place;
    const reals = await data.next();
    const counts = { losses: new Map(), statistics: new Map(), bad: new Map() };
    const report: IterationReport = { images: config.batch, ...counts, position: reals.position };
    for (const { phase, network, interval } of phases) {
      if (iteration % interval !== 0) continue;
      const options = { phase, gain: interval, loss, density, seen, start, noise: 'random' } as const;
      const sums = gradientSum(residents.runner);
      const ready = (chunk: number): readonly [StepInputs, PreparedPhase] => {
        const own = chunkStream(
          config.seed,
          iteration,
          PHASES.indexOf(phase),
          collective.rank * chunks + chunk,
        );
        const inputs = chunkInputs(task, options, own, chunk, reals);
        return [inputs, preparePhase(networks, options, inputs)];
      };
      let next = Promise.resolve(ready(0));
      for (let chunk = 0; chunk < chunks; chunk++) {
        const running = runPhase(residents.runner, networks, options, ...(await next));
        if (chunk + 1 < chunks) next = afterwards(() => ready(chunk + 1));
        // Its error is told in its turn.
        next.catch(() => undefined);
        const made = await running;
        await sums.add(made.gradients);
        collect(report, phase, made.losses, made.statistics);
        if (made.wAvg !== undefined)
          await residents.replace(residents.networks.G!.values, 'backbone.mapping.w_avg', made.wAvg);
      }
      const gradients = await sharedGradients(residents.runner, collective, sums.values());
      const adam = adamOptionsOf(config, network);
      report.bad.set(phase, await stepResident(residents, network, gradients, adam, config.lrScales));
      if (network === 'G') await refresh();
    }
    const beta = emaBetaOf(seen, config);
    await averageResident(residents, 'G', beta);
    await averageResident(residents, 'D', beta);
    return report;
  };
}

/** Does something when the engine has been asked, while it computes. */
function afterwards<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setTimeout(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** The weights that plain code reads, as they were when they were last refreshed. */
async function hostWeights({ engine, networks }: ResidentNetworks) {
  const host = new Map<string, NdArray>();
  const refresh = async (): Promise<void> => {
    for (const [name, value] of networks.G!.values)
      if (isReadByHost(name)) host.set(name, await engine.download(value));
  };
  await refresh();
  const read: StepNetworks['read'] = {
    G: (name) => host.get(name)!,
    D: (name) => {
      throw new Error(`internal: plain code reads the discriminator's "${name}"`);
    },
  };
  return { read, refresh };
}

function chunkInputs(
  { networks, config, data }: AdversarialTask,
  { phase, loss, density, seen, start }: Omit<StepOptions, 'gain' | 'noise'>,
  own: Stream,
  chunk: number,
  reals: RealBatch,
): StepInputs {
  const { generator, discriminator } = networks;
  const { microBatch: batch } = config;
  const schedule = scheduleAt(seen, start, loss);
  const labelCalls = (discriminator.config.conditionNoise ?? 0) > 0 ? 2 : 0;
  const generated = phase === 'Dreg' ? undefined : drawGenerated(own, batch, generator.config.zDim, data);
  const draws = drawPhase(own, generator, { phase, batch, loss, density, schedule }, labelCalls);
  return { generated, real: phase.startsWith('D') ? realsOf(reals, batch, chunk) : undefined, draws };
}

/** The reals of a chunk. */
function realsOf({ images, masks, labels, poses }: RealBatch, batch: number, chunk: number) {
  const count = labels.length / 25;
  const part = <T extends Uint8Array | Float32Array>(data: T): Float32Array => {
    const each = data.length / count;
    return Float32Array.from(data.subarray(chunk * batch * each, (chunk + 1) * batch * each));
  };
  const side = Math.sqrt(images.length / count / 3);
  return {
    image: ndarray([batch, 3, side, side], part(images)),
    mask: ndarray([batch, 1, side, side], part(masks)),
    c: ndarray([batch, 25], part(labels)),
    pose: ndarray([batch, 6], part(poses)),
  };
}

function collect(
  report: IterationReport,
  phase: string,
  losses: readonly number[],
  statistics: ReadonlyMap<string, NdArray>,
): void {
  report.losses.set(phase, [...(report.losses.get(phase) ?? []), ...losses]);
  for (const [name, { data }] of statistics)
    report.statistics.set(name, [...(report.statistics.get(name) ?? []), ...data]);
}
