/** The programs of a run, to be counted or timed: what an iteration computes and how often. */

import type { Graph } from '../tensor/index.ts';
import type { RunConfig, TeachConfig } from './config.ts';
import { DENSITY_POINTS, densityLossGraph, densityTerms } from './density-loss.ts';
import { fakeLossGraph, fakesGraph, realLossGraph } from './discriminator-loss.ts';
import type { FakeSetting } from './fakes.ts';
import { generatorLossGraph } from './generator-loss.ts';
import { type DensityRegOptions, type LossOptions, partsOf } from './options.ts';
import type { RunNetworks } from './run-networks.ts';
import {
  batchOf,
  densityOptionsOf,
  lossOptionsOf,
  type PhaseOfRun,
  phasesOfRun,
  taughtSetting,
} from './run-settings.ts';
import { taughtLossGraph } from './taught-loss.ts';

export interface RunProgram {
  readonly label: string;
  /** Iterations from one use to the next. */
  readonly interval: number;
  /** Pictures of one use. */
  readonly pictures: number;
  /** Samples along rays of one use, importance samples included, and whether gradients go back through them. */
  readonly samples: number;
  readonly differentiated: boolean;
  trace(): Graph;
}

/** What is built into the programs of adversarial training. */
export interface AdversarialSetting {
  /** Pictures at a time. */
  readonly batch: number;
  readonly neuralResolution: number;
  readonly phases: readonly PhaseOfRun[];
  readonly loss: LossOptions;
  readonly density: DensityRegOptions;
}

/** Time of a sample that follows no body, as a share: 353 ms against 1500 for rendering and gradient of 8 pictures. */
const UNPOSED = 0.24;

type Networks = Pick<RunNetworks, 'generator' | 'discriminator'>;

/** The programs of a run when its fades are over. */
export function runPrograms(config: RunConfig, networks: RunNetworks): readonly RunProgram[] {
  if (config.command === 'teach') {
    const setting = taughtSetting(config);
    const pictures = batchOf(config);
    return [
      {
        ...{
          label: `Taught: pictures${config.posed ? ', posed,' : ''} and their gradient`,
          interval: 1,
          pictures,
        },
        ...{ samples: taughtSamples(config), differentiated: true },
        trace: () => taughtLossGraph(networks.generator, setting),
      },
    ];
  }
  return adversarialPrograms(networks, {
    batch: config.microBatch,
    neuralResolution: config.neuralRenderingResolutionFinal ?? config.neuralRenderingResolutionInitial,
    phases: phasesOfRun(config),
    loss: lossOptionsOf(config),
    density: densityOptionsOf(config),
  });
}

/** The programs of the phases, in order. */
export function adversarialPrograms(networks: Networks, setting: AdversarialSetting): readonly RunProgram[] {
  return setting.phases.flatMap((phase) => {
    const parts = partsOf(phase.phase, setting.loss, setting.density.weight);
    const of = parts.network === 'G' ? generatorPrograms : discriminatorPrograms;
    return of(networks, setting, phase, parts);
  });
}

interface Parts {
  readonly main: boolean;
  readonly regularise: boolean;
}

/** Samples of a taught step, in the time of posed ones. */
function taughtSamples(config: TeachConfig): number {
  const { rays, raySamples, rayImportanceSamples, posed } = config;
  const count = batchOf(config) * rays ** 2 * (raySamples + rayImportanceSamples);
  return posed ? count : UNPOSED * count;
}

function samplesOf({ generator }: Pick<Networks, 'generator'>, pictures: number, side: number): number {
  const { samples, importanceSamples } = generator.config.rendering;
  return pictures * side ** 2 * (samples + importanceSamples);
}

function fakeSetting({ batch, neuralResolution, loss }: AdversarialSetting): FakeSetting {
  return {
    ...{
      batch,
      neuralResolution,
      noise: 'random',
      densityNoise: false,
      drawnDepths: true,
      givenFaces: false,
    },
    conditioned: loss.gpcRegProb !== undefined,
    mixing: loss.styleMixingProb > 0,
    bcgRegProb: loss.bcgRegProb,
  };
}

function generatorPrograms(
  networks: Networks,
  setting: AdversarialSetting,
  { phase, interval }: PhaseOfRun,
  { main, regularise }: Parts,
): RunProgram[] {
  const { generator, discriminator } = networks;
  const { batch, loss, density, neuralResolution } = setting;
  const fakes = fakeSetting(setting);
  const gain = interval;
  const adversarial: RunProgram = {
    ...{ label: `${phase}: pictures, posed, and their gradient`, interval, pictures: batch },
    ...{ samples: samplesOf(networks, batch, neuralResolution), differentiated: true },
    trace: () =>
      generatorLossGraph(generator, discriminator, {
        ...{ ...fakes, blurred: false, gain },
        poseRegWeight: loss.inputPoseParamsRegLossWeight,
      }),
  };
  const terms = densityTerms(density.type).map(
    (term): RunProgram => ({
      ...{
        label: `${phase}: densities, ${term}`,
        interval,
        pictures: batch,
        samples: 0,
        differentiated: true,
      },
      trace: () =>
        densityLossGraph(generator, {
          ...{ ...fakes, points: DENSITY_POINTS[term], gain, term, options: density },
        }),
    }),
  );
  return [...(main ? [adversarial] : []), ...(regularise ? terms : [])];
}

function discriminatorPrograms(
  networks: Networks,
  setting: AdversarialSetting,
  { phase, interval }: PhaseOfRun,
  { main, regularise }: Parts,
): RunProgram[] {
  const { generator, discriminator } = networks;
  const { batch, loss, neuralResolution } = setting;
  const judging = { batch, neuralResolution, blurred: false, gain: interval };
  const common = { interval, pictures: batch, differentiated: false };
  const fakes: RunProgram[] = [
    {
      ...{
        ...common,
        label: `${phase}: pictures, posed`,
        samples: samplesOf(networks, batch, neuralResolution),
      },
      trace: () => fakesGraph(generator, fakeSetting(setting)),
    },
    {
      ...{ ...common, label: `${phase}: fakes judged`, samples: 0 },
      trace: () => fakeLossGraph(discriminator, { ...judging, poseLossWeight: loss.poseLossWeight }),
    },
  ];
  const penalty = regularise ? loss : undefined;
  const what = main
    ? regularise
      ? 'reals judged, and gradient penalty'
      : 'reals judged'
    : 'gradient penalty';
  const reals: RunProgram = {
    ...{ ...common, label: `${phase}: ${what}`, samples: 0 },
    trace: () =>
      realLossGraph(discriminator, {
        ...{ ...judging, maskSide: discriminator.config.resolution, filterMode: loss.filterMode },
        ...{ adversarial: main, penalty },
      }),
  };
  return [...(main ? fakes : []), ...(main || regularise ? [reals] : [])];
}
