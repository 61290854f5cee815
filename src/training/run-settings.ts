/** What parts of training read of a configuration. */

import type { RunConfig, TeachConfig, TrainConfig } from './config.ts';
import type { AdamOptions, DensityRegOptions, LossOptions, Phase } from './options.ts';
import { emaBetaAt, lazyAdam } from './schedules.ts';
import type { TaughtSetting } from './taught-options.ts';

/** A phase of an iteration. */
export interface PhaseOfRun {
  readonly phase: Phase;
  readonly network: 'G' | 'D';
  /** Iterations from one to the next, which is also the gain of its losses. */
  readonly interval: number;
}

export function lossOptionsOf(config: TrainConfig): LossOptions {
  return {
    r1Gamma: config.r1Gamma,
    r1GammaSeg: config.r1GammaSeg,
    styleMixingProb: config.styleMixingProb,
    blurInitSigma: config.blurInitSigma,
    blurFadeKimg: config.blurFadeKimg,
    densityNoiseFadeKimg: config.densityNoiseFadeKimg,
    gpcRegProb: config.gpcRegProb ?? undefined,
    gpcRegFadeKimg: config.gpcRegFadeKimg,
    bcgRegProb: config.bcgRegProb,
    neuralRenderingResolutionInitial: config.neuralRenderingResolutionInitial,
    neuralRenderingResolutionFinal: config.neuralRenderingResolutionFinal ?? undefined,
    neuralRenderingResolutionFadeKimg: config.neuralRenderingResolutionFadeKimg,
    filterMode: config.filterMode,
    poseLossWeight: config.poseLossWeight,
    inputPoseParamsRegLossWeight: config.inputPoseParamsRegLossWeight,
    inputPoseParamsRegLossKimg: config.inputPoseParamsRegLossKimg,
    inputPoseParamsRegLossFadeKimg: config.inputPoseParamsRegLossFadeKimg,
  };
}

export function densityOptionsOf(config: TrainConfig): DensityRegOptions {
  return { weight: config.densityReg, type: config.densityRegType, distance: config.densityRegDistance };
}

/** The phases of an iteration, in order (spec page 5.1). */
export function phasesOfRun(config: TrainConfig): readonly PhaseOfRun[] {
  const lazy = (network: 'G' | 'D', every: number | null): PhaseOfRun[] =>
    every === null
      ? [{ phase: `${network}both`, network, interval: 1 }]
      : [
          { phase: `${network}main`, network, interval: 1 },
          { phase: `${network}reg`, network, interval: every },
        ];
  return [...lazy('G', lazyInterval(config, 'G')), ...lazy('D', lazyInterval(config, 'D'))];
}

function lazyInterval(config: TrainConfig, network: 'G' | 'D'): number | null {
  if (network === 'D') return config.dRegEvery;
  return config.densityReg === 0 ? null : config.densityRegEvery;
}

/** Adam of a network, corrected for lazy regularisation. Multipliers of single parameters: `lrScaleOf`. */
export function adamOptionsOf(config: TrainConfig, network: 'G' | 'D'): AdamOptions {
  const { beta1, beta2, eps } = config;
  const plain: AdamOptions = { lr: network === 'G' ? config.glr : config.dlr, betas: [beta1, beta2], eps };
  const interval = lazyInterval(config, network);
  return interval === null ? plain : lazyAdam(plain, interval);
}

/** Adam of the taught generator when `seen` images have been shown. */
export function taughtAdamAt(seen: number, config: TeachConfig): AdamOptions {
  const { lr, lrEnd, decayStart, startKimg, kimg, beta1, beta2, eps } = config;
  const done = (seen / 1000 - startKimg) / (kimg - startKimg);
  const fallen = decayStart < 1 ? Math.min(Math.max((done - decayStart) / (1 - decayStart), 0), 1) : 0;
  return { lr: lrEnd + ((lr - lrEnd) * (1 + Math.cos(Math.PI * fallen))) / 2, betas: [beta1, beta2], eps };
}

/** Sizes and weights of teaching. */
export function taughtSetting(config: TeachConfig): TaughtSetting {
  const { people, views, rays, across, pixelsPerRay, planes, posed, weights } = config;
  const samples = { samples: config.raySamples, importanceSamples: config.rayImportanceSamples };
  const sizes = { rays, neuralResolution: across, pixelsPerRay, planeResolution: planes };
  return { people, views, ...sizes, ...samples, posed, weights };
}

/** Images of a step. */
export function batchOf(config: RunConfig): number {
  return config.command === 'train' ? config.batch : config.people * config.views;
}

/** Decay of the averaged networks. @param seen images shown before this batch */
export function emaBetaOf(seen: number, config: RunConfig): number {
  const { emaKimg: kimg, emaRampup } = config;
  return emaBetaAt(seen, batchOf(config), { kimg, rampup: emaRampup ?? 'none' });
}
