/** What a run costs: parameters, arithmetic and memory counted on its programs, time estimated from a machine's rate. */

import type { ParameterShapes } from '../portrait/parameters.ts';
import { discriminatorPlan, generatorPlan, type NetworkPlan } from '../portrait/presets.ts';
import { denseFlopsOf, liveBytesOf, sizeOf } from '../tensor/index.ts';
import type { RunConfig } from './config.ts';
import type { RunNetworks } from './run-networks.ts';
import { runPrograms } from './run-programs.ts';
import { batchOf } from './run-settings.ts';

export interface NetworkCost {
  readonly parameters: number;
  readonly trained: number;
}

export interface ProgramCost {
  readonly label: string;
  readonly interval: number;
  readonly pictures: number;
  /** Dense arithmetic of one use, and its samples along rays. */
  readonly flops: number;
  readonly samples: number;
  readonly differentiated: boolean;
  /** Most bytes of activations that are alive at one time. */
  readonly liveBytes: number;
}

export interface RunCost {
  readonly networks: Readonly<Record<'G' | 'D', NetworkCost>>;
  readonly programs: readonly ProgramCost[];
  /** Bytes: weights with their averages, moments, gradients, and activations of all programs: each keeps its own. */
  readonly memory: Readonly<Record<'weights' | 'moments' | 'gradients' | 'activations', number>>;
  /** Images that the run will show, in thousands, and iterations that takes. */
  readonly kimg: number;
  readonly iterations: number;
}

/** Counts, by tracing every program: a second or two. @param onProgram hears how many are done */
export function runCost(
  config: RunConfig,
  networks: RunNetworks,
  onProgram: (done: number, total: number) => void = () => {},
): RunCost {
  const adversarial = config.command === 'train';
  const kimg = config.kimg - config.startKimg;
  const programs = runPrograms(config, networks);
  const counted = programs.map(({ trace, ...program }, i): ProgramCost => {
    onProgram(i, programs.length);
    const graph = trace();
    return { ...program, flops: denseFlopsOf(graph), liveBytes: liveBytesOf(graph) };
  });
  const { preset, generator, discriminator } = networks;
  const plans = { G: generatorPlan(preset), D: discriminatorPlan(preset) };
  const trained = {
    G: sizeOfAll(generator.shapes, generator.trainable),
    D: adversarial ? sizeOfAll(discriminator.shapes, discriminator.trainable) : 0,
  };
  const all = (plan: NetworkPlan): number => sizeOfAll(plan, [...plan.keys()]);
  const stored = all(plans.G) + (adversarial ? all(plans.D) : 0);
  return {
    networks: {
      G: { parameters: parametersIn(plans.G), trained: trained.G },
      D: { parameters: parametersIn(plans.D), trained: trained.D },
    },
    programs: counted,
    memory: {
      weights: 4 * 2 * stored,
      moments: 4 * 2 * (trained.G + trained.D),
      gradients: 4 * Math.max(trained.G, trained.D),
      activations: counted.reduce((sum, { liveBytes }) => sum + liveBytes, 0),
    },
    kimg,
    iterations: Math.ceil((1000 * kimg) / batchOf(config)),
  };
}

/** Share of a machine's rate that dense arithmetic reaches: measured with `bench:step` (docs/performance.md), .26 to .34 at
 * up to 128 channels, .62 at 512. */
const SHARE = { narrow: 0.3, wide: 0.6, wideFrom: 256 } as const;

/** Microseconds of a sample along a ray at 440 GFLOP/s, two threads: the same tables, less the time of dense arithmetic:
 * .9 in pictures alone, 2.1 to 2.3 with gradients. */
const SAMPLE_US = { at: 440, forward: 0.9, differentiated: 2.2 } as const;

/** Estimated seconds of one use of a program.
 *
 * @param gflops   what a 3x3 convolution of 256 channels at 64 x 64 reaches, GFLOP/s
 * @param channels widest layer of the networks
 */
export function secondsOf(
  { flops, samples, differentiated }: Pick<ProgramCost, 'flops' | 'samples' | 'differentiated'>,
  gflops: number,
  channels: number,
): number {
  const share = channels >= SHARE.wideFrom ? SHARE.wide : SHARE.narrow;
  const ofSample = differentiated ? SAMPLE_US.differentiated : SAMPLE_US.forward;
  return flops / (gflops * 1e9 * share) + samples * ofSample * 1e-6 * (SAMPLE_US.at / gflops);
}

/** Estimated seconds of a thousand images. */
export function secondsOfKimg({ programs }: RunCost, gflops: number, channels: number): number {
  return programs.reduce(
    (sum, program) =>
      sum + (1000 * secondsOf(program, gflops, channels)) / (program.pictures * program.interval),
    0,
  );
}

function sizeOfAll(shapes: ParameterShapes, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + sizeOf(shapes.get(name)!.shape), 0);
}

function parametersIn(plan: NetworkPlan): number {
  return [...plan.values()].reduce(
    (sum, { role, shape }) => sum + (role === 'parameter' ? sizeOf(shape) : 0),
    0,
  );
}
