/**
 * One iteration of the published method: the generator's phases, the discriminator's, and the averages (spec page 5.1).
 *
 * All phases see the same reals, and latents, cameras and coarse poses of their own. Chunks of the batch are computed
 * one after another and their gradients added up.
 */

import type { JsonObject } from '../portrait/config.ts';
import { type NdArray, ndarray, type Resident } from '../tensor/index.ts';
import { chunkStream, drawGenerated, drawPhase, type LabelSource } from './adversarial-draws.ts';
import type { Collective } from './collective.ts';
import type { TrainedGenerator } from './generator-loss.ts';
import { gradientSum } from './gradients.ts';
import type { IterationReport, Place } from './iteration.ts';
import type { TrainedDiscriminator } from './judging.ts';
import type { AdamOptions, DensityRegOptions, LossOptions, Phase } from './options.ts';
import { partsOf } from './options.ts';
import { runPhase, type StepInputs, type StepNetworks } from './phase.ts';
import type { NetworkKind, ResidentNetworks } from './resident.ts';
import { averageResident, type LearningRateScales, stepResident } from './resident-optimiser.ts';
import { emaBetaAt, lazyAdam, scheduleAt } from './schedules.ts';
import { sharedGradients } from './share-gradients.ts';

export interface AdversarialOptions {
  /** Pictures of an iteration, over all ranks. */
  readonly batch: number;
  /** Pictures that are computed together. */
  readonly microBatch: number;
  readonly seed: number;
  readonly loss: LossOptions;
  readonly density: DensityRegOptions;
  /** Iterations from one regularising phase to the next. */
  readonly densityRegEvery: number;
  readonly r1Every: number;
  /** Before the correction for lazy regularisation. */
  readonly adam: Readonly<Record<NetworkKind, AdamOptions>>;
  readonly learningRateScales: Readonly<Record<NetworkKind, LearningRateScales>>;
  readonly ema: { readonly kimg?: number; readonly rampup?: number | 'none' };
}

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
  readonly generator: TrainedGenerator;
  readonly discriminator: TrainedDiscriminator;
  readonly options: AdversarialOptions;
  readonly data: AdversarialData;
  readonly collective: Collective;
}

interface PhasePlan {
  readonly phase: Phase;
  readonly network: NetworkKind;
  readonly interval: number;
  /** Corrected for lazy regularisation. */
  readonly adam: AdamOptions;
}

/** The phases of an iteration, in order (spec page 5.1, "Phase list"). */
export function phasePlan({ density, densityRegEvery, r1Every, adam }: AdversarialOptions): PhasePlan[] {
  const lazyG = lazyAdam(adam.G, densityRegEvery);
  const lazyD = lazyAdam(adam.D, r1Every);
  const ofG: PhasePlan[] =
    density.weight === 0
      ? [{ phase: 'Gboth', network: 'G', interval: 1, adam: adam.G }]
      : [
          { phase: 'Gmain', network: 'G', interval: 1, adam: lazyG },
          { phase: 'Greg', network: 'G', interval: densityRegEvery, adam: lazyG },
        ];
  return [
    ...ofG,
    { phase: 'Dmain', network: 'D', interval: 1, adam: lazyD },
    { phase: 'Dreg', network: 'D', interval: r1Every, adam: lazyD },
  ];
}

/** Weights that plain code reads at each phase. */
function isReadByHost(name: string): boolean {
  return name.startsWith('pose_branch.') || name.startsWith('backbone.mapping.');
}

/** Makes the iteration. */
export async function adversarialIteration(
  task: AdversarialTask,
): Promise<(place: Place) => Promise<IterationReport>> {
  const { residents, options, data, collective } = task;
  const phases = phasePlan(options);
  const host = new Map<string, NdArray>();
  const refresh = async (): Promise<void> => {
    for (const [name, value] of residents.networks.G!.values)
      if (isReadByHost(name)) host.set(name, await residents.engine.download(value));
  };
  await refresh();
  const networks: StepNetworks = {
    generator: task.generator,
    discriminator: task.discriminator,
    read: {
      G: (name) => host.get(name)!,
      D: (name) => {
        throw new Error(`internal: plain code reads the discriminator's "${name}"`);
      },
    },
  };
  const mine = options.batch / collective.size;
  const chunks = mine / options.microBatch;

  return async (place) => {
    const reals = await data.next();
    const { position } = reals;
    const counts = { losses: new Map(), statistics: new Map(), bad: new Map() };
    const report: IterationReport = { images: options.batch, ...counts, position };
    for (const [index, plan] of phases.entries()) {
      if (place.iteration % plan.interval !== 0 || isNothing(plan, options)) continue;
      const sums = gradientSum(residents.runner);
      for (let chunk = 0; chunk < chunks; chunk++) {
        const inputs = chunkInputs(task, place, index, plan, chunk, reals);
        const { loss, density } = options;
        const { seen, start } = place;
        const made = await runPhase(
          residents.runner,
          networks,
          { phase: plan.phase, gain: plan.interval, loss, density, seen, start, noise: 'random' },
          inputs,
        );
        await sums.add(made.gradients);
        collect(report, plan.phase, made.losses, made.statistics);
        if (made.wAvg !== undefined)
          await residents.replace(residents.networks.G!.values, 'backbone.mapping.w_avg', made.wAvg);
      }
      await applyGradients(task, plan, sums.values(), report);
      if (plan.network === 'G') await refresh();
    }
    const beta = emaBetaAt(place.seen, options.batch, options.ema);
    await averageResident(residents, 'G', beta);
    await averageResident(residents, 'D', beta);
    return report;
  };
}

/** A regulariser of weight 0 has no phase of its own. */
function isNothing({ phase }: PhasePlan, { loss, density }: AdversarialOptions): boolean {
  const { main, regularise } = partsOf(phase, loss, density.weight);
  return !main && !regularise;
}

async function applyGradients(
  { residents, options, collective }: AdversarialTask,
  { phase, network, adam }: PhasePlan,
  sums: ReadonlyMap<string, Resident>,
  report: IterationReport,
): Promise<void> {
  const gradients = await sharedGradients(residents.engine, collective, sums);
  const bad = await stepResident(residents, network, gradients, adam, options.learningRateScales[network]);
  report.bad.set(phase, bad);
}

function chunkInputs(
  { generator, discriminator, options, data, collective }: AdversarialTask,
  { iteration, seen, start }: Place,
  index: number,
  { phase, network }: PhasePlan,
  chunk: number,
  reals: RealBatch,
): StepInputs {
  const { loss, density, microBatch: batch, seed } = options;
  const { config } = generator;
  const chunks = options.batch / collective.size / batch;
  const own = chunkStream(seed, iteration, index, collective.rank * chunks + chunk);
  const schedule = scheduleAt(seen, start, loss);
  const labelCalls = (discriminator.config.conditionNoise ?? 0) > 0 ? 2 : 0;
  const generated = phase === 'Dreg' ? undefined : drawGenerated(own, batch, config.zDim, data);
  const draws = drawPhase(own, generator, { phase, batch, loss, density, schedule }, labelCalls);
  return { generated, real: network === 'D' ? realsOf(reals, batch, chunk) : undefined, draws };
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
