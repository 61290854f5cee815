/**
 * One phase of one iteration on an engine: its backward passes in order, their gradients added up.
 *
 * A deterministic function of weights, options, labels and draws. Where programs are kept between phases, and weights
 * with them, is the runner's business: `step.ts` compiles for one use, `resident.ts` for a training run.
 */

import { UsageError } from '../errors.ts';
import { plainPoses, plainStyles } from '../portrait/plain-networks.ts';
import { checkFaces, type PosedBodies, poseBodies } from '../portrait/posing.ts';
import type { LoadedNetwork } from '../portrait/session.ts';
import type { NoiseMode } from '../portrait/synthesis.ts';
import { type Graph, type NdArray, ndarray, type Resident } from '../tensor/index.ts';
import { blurMatrix, isBlurred } from './blur.ts';
import { conditionLabels } from './conditioning.ts';
import { type DensityTerm, densityLossGraph, densityTerms, displacementDrawn } from './density-loss.ts';
import { fakeLossGraph, fakesGraph, realLossGraph } from './discriminator-loss.ts';
import { type Draws, needDraw } from './draws.ts';
import type { FakeSetting } from './fakes.ts';
import { generatorLossGraph, type TrainedGenerator } from './generator-loss.ts';
import { type GradientSum, gradientSum, takeBackward } from './gradients.ts';
import type { TrainedDiscriminator } from './judging.ts';
import type { DensityRegOptions, LossOptions, Phase } from './options.ts';
import { partsOf } from './options.ts';
import type { ProgramRunner } from './runner.ts';
import { type Schedule, scheduleAt } from './schedules.ts';
import { poseArrayStatistics } from './statistics.ts';

export interface StepNetworks {
  readonly generator: TrainedGenerator;
  readonly discriminator: TrainedDiscriminator;
  readonly read: Readonly<Record<'G' | 'D', LoadedNetwork['read']>>;
}

export interface StepOptions {
  readonly phase: Phase;
  /** What losses are multiplied by: the interval of a lazy regulariser. */
  readonly gain: number;
  readonly loss: LossOptions;
  readonly density: DensityRegOptions;
  /** Images shown so far, and when this run began. */
  readonly seen: number;
  readonly start: number;
  /** Noise images of the synthesis networks; training draws new ones, checks take the stored ones. */
  readonly noise: NoiseMode;
}

/** The arrays of one micro-batch. */
export interface StepInputs {
  readonly generated?:
    | {
        /** [N, zDim] */
        readonly z: NdArray;
        /** [N, 25] cameras of the data set with [N, 6] the coarse poses that belong to them. */
        readonly c: NdArray;
        readonly pose: NdArray | undefined;
      }
    | undefined;
  readonly real?:
    | {
        /** [N, 3, R, R] and [N, 1, S, S], bytes as numbers 0 to 255. */
        readonly image: NdArray;
        readonly mask: NdArray;
        /** [N, 25], [N, 6] */
        readonly c: NdArray;
        readonly pose: NdArray;
      }
    | undefined;
  readonly draws: Draws;
}

export interface PhaseResult {
  /** The scalars that back-propagation starts from, gain included, in order. */
  readonly losses: readonly number[];
  /** Sums over the backward passes, by weight, the caller's to release; a weight without a gradient is absent. */
  readonly gradients: ReadonlyMap<string, Resident>;
  readonly statistics: ReadonlyMap<string, NdArray>;
  /** The tracked mean style afterwards, the caller's to release; undefined unless the discriminator's main phase ran. */
  readonly wAvg: Resident | undefined;
}

type Arrays = Record<string, NdArray | Resident>;

/** What plain code makes of the inputs before programs run. */
export interface PreparedPhase {
  /** [N, 6] poses by the generator's branch. */
  readonly pose: NdArray | undefined;
  readonly bodies: PosedBodies | undefined;
}

/** Prepares a phase: for the next one this can be done while the engine computes. */
export function preparePhase(
  { generator, read }: StepNetworks,
  { phase, loss, density }: StepOptions,
  { generated }: StepInputs,
): PreparedPhase {
  const { main } = partsOf(phase, loss, density.weight);
  const pose = generated && plainPoses(read.G, generated.z, generated.c);
  return { pose, bodies: pose && main ? poseBodies(generator.posing, pose) : undefined };
}

/** Runs a phase.
 *
 * @throws UsageError for draws or labels that the phase needs and does not get.
 */
export async function runPhase(
  runner: ProgramRunner,
  networks: StepNetworks,
  options: StepOptions,
  inputs: StepInputs,
  prepared: PreparedPhase = preparePhase(networks, options, inputs),
): Promise<PhaseResult> {
  const schedule = scheduleAt(options.seen, options.start, options.loss);
  const run = new Map<string, NdArray>();
  const state: Collected = { losses: [], gradients: gradientSum(runner), statistics: run, wAvg: undefined };
  const task: Task = { runner, networks, options, inputs, prepared, schedule, state };
  const { network, main, regularise } = partsOf(options.phase, options.loss, options.density.weight);
  const { pose } = prepared;
  if (pose !== undefined)
    for (const [name, value] of poseArrayStatistics('pose_scale/input_pose_params', pose))
      run.set(name, value);
  if (network === 'G') {
    if (main) await generatorMain(task, pose);
    if (regularise)
      for (const term of densityTerms(options.density.type)) await densityTerm(task, term, pose);
  } else {
    if (main) await fakesJudged(task, pose);
    if (main || regularise) await realsJudged(task, main, regularise);
    sumOfLosses(run);
  }
  return {
    losses: state.losses,
    gradients: state.gradients.values(),
    statistics: state.statistics,
    wAvg: state.wAvg,
  };
}

interface Collected {
  readonly losses: number[];
  readonly gradients: GradientSum;
  readonly statistics: Map<string, NdArray>;
  wAvg: Resident | undefined;
}

interface Task {
  readonly runner: ProgramRunner;
  readonly networks: StepNetworks;
  readonly options: StepOptions;
  readonly inputs: StepInputs;
  readonly prepared: PreparedPhase;
  readonly schedule: Schedule;
  readonly state: Collected;
}

/** Runs a backward pass and takes what it gives. */
async function backward(
  { runner, options, state }: Task,
  key: unknown,
  make: () => Graph,
  given: Arrays,
  part: string = options.phase,
): Promise<void> {
  const outputs = await runner.run(part, key, make, given);
  state.losses.push(await takeBackward(runner.engine, outputs, state));
}

type Generated = NonNullable<StepInputs['generated']>;

const scalar = (value: number): NdArray => ndarray([], [value]);

/** Settings and arrays of a generating program. */
function fakesOf(task: Task, pose: NdArray | undefined): { setting: FakeSetting; arrays: Arrays } {
  const { networks, options, inputs, schedule } = task;
  const { loss, noise } = options;
  const { generated, draws } = inputs;
  if (generated === undefined || pose === undefined)
    throw new UsageError(`${options.phase} needs latents and cameras of what is generated`);
  const batch = generated.z.shape[0];
  const { posing } = networks.generator;
  const { faces, coarseNoise, fineNoise, jitter, quantiles } = draws;
  if (faces !== undefined) checkFaces(posing, faces);
  const setting: FakeSetting = {
    batch,
    neuralResolution: schedule.neuralResolution,
    conditioned: schedule.swapProbability !== undefined,
    mixing: loss.styleMixingProb > 0,
    bcgRegProb: loss.bcgRegProb,
    noise,
    densityNoise: schedule.densityNoise > 0 && coarseNoise !== undefined && fineNoise !== undefined,
    drawnDepths: jitter !== undefined && quantiles !== undefined,
    givenFaces: faces !== undefined,
  };
  const arrays = {
    ...styleArrays(task, generated, pose, draws.swapU),
    ...task.prepared.bodies,
    ...(loss.bcgRegProb > 0 ? { backgroundU: needDraw(draws, 'backgroundU', [batch, 1, 1]) } : {}),
    ...(faces && { coarseFaces: faces.coarse, fineFaces: faces.fine }),
    ...(setting.densityNoise ? { coarseNoise, fineNoise, densityNoise: scalar(schedule.densityNoise) } : {}),
    ...(setting.drawnDepths ? { jitter, quantiles } : {}),
    ...noiseArrays(draws),
  };
  return { setting, arrays: arrays as Arrays };
}

function styleArrays(task: Task, { z, c }: Generated, pose: NdArray, swapU: NdArray | undefined): Arrays {
  const { options, inputs, schedule, networks } = task;
  const { config, shapes } = networks.generator;
  const { swapProbability } = schedule;
  const label = shapes.has('backbone.mapping.embed.weight')
    ? conditionLabels(c, pose, swapU, swapProbability, config.conditionScale)
    : undefined;
  const styles = plainStyles(networks.read.G, z, label, config.mappingLayers);
  const arrays: Arrays = { z, c, imagined: pose, styles };
  if (schedule.swapProbability !== undefined) {
    if (swapU === undefined) throw new UsageError(`${options.phase} swaps conditions: its draw is missing`);
    arrays.swapU = swapU;
    arrays.swapProbability = scalar(schedule.swapProbability);
  }
  if (options.loss.styleMixingProb > 0) {
    const { mixing } = inputs.draws;
    if (mixing === undefined)
      throw new UsageError(`${options.phase} mixes styles: the draws of the mixing are missing`);
    const cut = mixing.u < options.loss.styleMixingProb ? mixing.cut : config.numWs;
    arrays.mixZ = mixing.z;
    arrays.mixCut = { dtype: 'int32', shape: [], data: Int32Array.of(cut) };
  }
  return arrays;
}

function noiseArrays({ noise }: Draws): Arrays {
  return Object.fromEntries(Object.entries(noise ?? {}).map(([layer, value]) => [`noise/${layer}`, value]));
}

/** What a judging program reads beside its pictures.
 *
 * @param call number of the discriminator's call in this phase
 */
function judgeArrays({ networks, inputs, schedule }: Task, call: number): Arrays {
  const { config } = networks.discriminator;
  const arrays: Arrays = {};
  if (isBlurred(schedule.blurSigma)) {
    arrays.blurImage = blurMatrix(config.resolution, schedule.blurSigma);
    arrays.blurRaw = blurMatrix(schedule.neuralResolution, schedule.blurSigma);
  }
  if ((config.conditionNoise ?? 0) > 0) {
    const noise = inputs.draws.labelNoise?.[call];
    if (noise === undefined)
      throw new UsageError(`the discriminator's labels have noise: the draws of call ${call} are missing`);
    arrays.labelNoise = noise;
  }
  return arrays;
}

async function generatorMain(task: Task, imagined: NdArray | undefined): Promise<void> {
  const { networks, options, inputs, schedule } = task;
  const { setting, arrays } = fakesOf(task, imagined);
  const { poseRegScale } = schedule;
  const pose = inputs.generated?.pose;
  const regularised = poseRegScale !== undefined && pose !== undefined;
  if (!regularised && poseRegScale !== undefined && options.loss.inputPoseParamsRegLossWeight > 0)
    throw new UsageError(`${options.phase} regularises poses: the coarse poses of the cameras are missing`);
  const built = {
    ...setting,
    blurred: isBlurred(schedule.blurSigma),
    gain: options.gain,
    poseRegWeight: regularised ? options.loss.inputPoseParamsRegLossWeight : undefined,
  };
  const own = regularised ? { pose, poseRegScale: scalar(poseRegScale) } : {};
  const make = (): Graph => generatorLossGraph(networks.generator, networks.discriminator, built);
  await backward(task, built, make, { ...arrays, ...judgeArrays(task, 0), ...own });
}

async function densityTerm(task: Task, term: DensityTerm, pose: NdArray | undefined): Promise<void> {
  const { networks, options, inputs, schedule } = task;
  const { generated, draws } = inputs;
  if (generated === undefined || pose === undefined)
    throw new UsageError(`${options.phase} needs latents and cameras of what is generated`);
  const drawn = term === 'monotonic' ? draws.monotonic : draws.variation;
  if (drawn === undefined)
    throw new UsageError(
      `${options.phase} regularises densities (${options.density.type}): points are missing`,
    );
  const { points, displacement, noise } = drawn;
  const needed = displacementDrawn(term, options.density.type);
  if (needed && displacement === undefined)
    throw new UsageError(
      `${options.phase} regularises densities (${options.density.type}): displacements are missing`,
    );
  const densityNoise = schedule.densityNoise > 0 && noise !== undefined;
  const built = {
    batch: generated.z.shape[0],
    points: points.shape[1],
    gain: options.gain,
    term,
    options: options.density,
    conditioned: schedule.swapProbability !== undefined,
    mixing: options.loss.styleMixingProb > 0,
    noise: options.noise,
    densityNoise,
  };
  const given = {
    ...styleArrays(task, generated, pose, drawn.swapU),
    ...noiseArrays(draws),
    points,
    ...(needed ? { displacement: displacement! } : {}),
    ...(densityNoise ? { pointNoise: noise, densityNoise: scalar(schedule.densityNoise) } : {}),
  };
  await backward(task, built, () => densityLossGraph(networks.generator, built), given, `density ${term}`);
}

async function fakesJudged(task: Task, pose: NdArray | undefined): Promise<void> {
  const { runner, networks, options, inputs, schedule, state } = task;
  const { setting, arrays } = fakesOf(task, pose);
  const make = (): Graph => fakesGraph(networks.generator, setting);
  const { wAvg, ...made } = await runner.run('fakes', setting, make, arrays);
  state.wAvg = wAvg;
  try {
    const built = {
      batch: setting.batch,
      neuralResolution: schedule.neuralResolution,
      blurred: isBlurred(schedule.blurSigma),
      gain: options.gain,
      poseLossWeight: options.loss.poseLossWeight,
    };
    const judging = (): Graph => fakeLossGraph(networks.discriminator, built);
    const given = { ...made, c: inputs.generated!.c, ...judgeArrays(task, 0) };
    await backward(task, built, judging, given, 'fakes judged');
  } finally {
    for (const value of Object.values(made)) await runner.engine.release(value);
  }
}

async function realsJudged(task: Task, adversarial: boolean, regularise: boolean): Promise<void> {
  const { networks, options, inputs, schedule } = task;
  const { real } = inputs;
  if (real === undefined) throw new UsageError(`${options.phase} needs reals with their labels`);
  const built = {
    batch: real.c.shape[0],
    neuralResolution: schedule.neuralResolution,
    blurred: isBlurred(schedule.blurSigma),
    gain: options.gain,
    maskSide: real.mask.shape[2],
    filterMode: options.loss.filterMode,
    adversarial,
    penalty: regularise ? { r1Gamma: options.loss.r1Gamma, r1GammaSeg: options.loss.r1GammaSeg } : undefined,
  };
  const given = {
    realImage: real.image,
    realMask: real.mask,
    c: real.c,
    pose: real.pose,
    ...judgeArrays(task, adversarial ? 1 : 0),
  };
  await backward(
    task,
    built,
    () => realLossGraph(networks.discriminator, built),
    given,
    `reals ${options.phase}`,
  );
}

/** `Loss/D/loss`: both halves of the adversarial loss. */
function sumOfLosses(statistics: Map<string, NdArray>): void {
  const [fake, real] = [statistics.get('Loss/D/loss_gen'), statistics.get('Loss/D/loss_real')];
  if (fake === undefined || real === undefined) return;
  statistics.set(
    'Loss/D/loss',
    ndarray(
      fake.shape,
      Float32Array.from(fake.data, (x, i) => x + real.data[i]),
    ),
  );
}
