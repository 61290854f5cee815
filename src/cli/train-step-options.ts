/** The options of `train-step`: JSON to typed settings, each key checked and named in what is wrong with it. */

import { UsageError } from '../errors.ts';
import type { GeneratorConfig, Json, JsonObject } from '../portrait/config.ts';
import {
  type AdamOptions,
  DENSITY_REG_TYPES,
  type DensityRegOptions,
  type LossOptions,
  PHASES,
  type Phase,
} from '../training/options.ts';
import { jsonReader, type Reader } from './json-options.ts';

export interface TrainStepOptions {
  readonly phase: Phase;
  readonly gain: number;
  readonly adam: AdamOptions;
  readonly loss: LossOptions;
  readonly density: DensityRegOptions;
  readonly seen: number;
  readonly start: number;
  /** Whether the generator's pose branch is trained. */
  readonly posesTrained: boolean;
  /** Keys that mean nothing here, to be remarked upon: a step recorded elsewhere may say more than it needs. */
  readonly ignored: readonly string[];
  /** The batch that the options speak of, if they do. */
  readonly batch: number | undefined;
  /** What the options say the schedules give at this moment, to be compared. */
  readonly expected: Readonly<
    Record<'blur_sigma' | 'swapping_prob' | 'neural_rendering_resolution', number | undefined>
  >;
}

/** Keys that describe a recording or that the published loss stores without using. */
const REMARKS = ['params_without_gradient', 'params_with_all_zero_gradient'];
const UNUSED = [
  ...['thickness', 'pl_weight', 'pl_batch_shrink', 'pl_decay', 'pl_no_weight_grad'],
  ...['r1_gamma_init', 'r1_gamma_fade_kimg', 'blur_raw_target', 'augment_p'],
];
const DENSITY = ['density_reg', 'reg_type', 'density_reg_p_dist'] as const;

/** Reads options.
 *
 * @param value      parsed JSON
 * @param config     of the generator, for what the options leave to it
 * @param rendering  the generator's stored rendering options: they hold the density regularisation
 * @throws UsageError naming the key.
 */
export function trainStepOptions(
  value: Json,
  config: GeneratorConfig,
  rendering: JsonObject,
): TrainStepOptions {
  const top = jsonReader(value, 'options');
  const phase = top.word('phase', PHASES);
  const module = top.optional('module', (key) => top.word(key, ['G', 'D'] as const));
  if (module !== undefined && !phase.startsWith(module))
    throw new UsageError(`options: "module" is "${module}", but "phase" is "${phase}"`);
  const loss = top.object('loss');
  const adam = top.object('adam');
  const own = top.optional('rendering_kwargs', (key) => top.object(key));
  const options = {
    phase,
    gain: top.number('gain', 0),
    adam: adamOptions(adam),
    loss: lossOptions(loss, config),
    density: densityOptions([top, loss, ...(own === undefined ? [] : [own])], rendering),
    seen: top.number('cur_nimg', 0),
    start: top.optional('cur_nimg_start', (key) => top.number(key, 0)) ?? 0,
    posesTrained: top.optional('train_g_pose_branch', (key) => top.boolean(key)) ?? true,
    batch: top.optional('batch', (key) => top.whole(key, 1)),
    expected: {
      blur_sigma: top.optional('blur_sigma', (key) => top.number(key, 0)),
      swapping_prob: top.optional('swapping_prob', (key) => top.number(key)),
      neural_rendering_resolution: top.optional('neural_rendering_resolution', (key) => top.number(key, 1)),
    },
  };
  const same = Object.keys(rendering).filter((key) => own?.same(key, rendering[key]));
  const ignored = [
    ...top.unread(REMARKS),
    ...loss.unread(UNUSED),
    ...adam.unread(),
    ...(own?.unread(same) ?? []),
  ];
  return { ...options, ignored };
}

function adamOptions(adam: Reader): AdamOptions {
  const [first, second] = adam.numbers('betas', 2, 0, 1);
  if (first === 1 || second === 1) throw new UsageError('options.adam: "betas" must be less than 1');
  return {
    lr: adam.number('lr', 0),
    betas: [first, second] as const,
    eps: adam.optional('eps', (key) => adam.number(key, 0)) ?? 1e-8,
  };
}

function lossOptions(loss: Reader, config: GeneratorConfig): LossOptions {
  const number = (name: string, fallback: number, max = Number.POSITIVE_INFINITY): number =>
    loss.optional(name, (key) => loss.number(key, 0, max)) ?? fallback;
  const resolution = (name: string): number | undefined =>
    loss.optional(name, (key) => loss.whole(key, 2, 1024));
  const dual = loss.optional('dual_discrimination', (key) => loss.boolean(key)) ?? true;
  if (!dual) throw new UsageError('options.loss: "dual_discrimination" is false; only true exists');
  return {
    r1Gamma: loss.number('r1_gamma', 0),
    r1GammaSeg: loss.number('r1_gamma_seg', 0),
    styleMixingProb: number('style_mixing_prob', 0, 1),
    blurInitSigma: number('blur_init_sigma', 0),
    blurFadeKimg: number('blur_fade_kimg', 0),
    densityNoiseFadeKimg: number('density_noise_fade_kimg', 0),
    gpcRegProb: loss.optional('gpc_reg_prob', (key) => loss.number(key, 0, 1)),
    gpcRegFadeKimg: number('gpc_reg_fade_kimg', 0),
    bcgRegProb: number('bcg_reg_prob', 0, 1),
    neuralRenderingResolutionInitial:
      resolution('neural_rendering_resolution_initial') ?? config.neuralResolution,
    neuralRenderingResolutionFinal: resolution('neural_rendering_resolution_final'),
    neuralRenderingResolutionFadeKimg: number('neural_rendering_resolution_fade_kimg', 0),
    filterMode: loss.optional('filter_mode', (key) => filterMode(loss, key)) ?? 'antialiased',
    poseLossWeight: number('pose_loss_weight', 1),
    inputPoseParamsRegLossWeight: number('input_pose_params_reg_loss_weight', 0),
    inputPoseParamsRegLossKimg: number('input_pose_params_reg_loss_kimg', 0),
    inputPoseParamsRegLossFadeKimg: number('input_pose_params_reg_loss_fade_kimg', 200),
  };
}

function filterMode(loss: Reader, key: string): LossOptions['filterMode'] {
  return loss.isNumber(key) ? loss.number(key, 0, 1) : loss.word(key, ['antialiased', 'none'] as const);
}

/** The density regularisation: the options' own, else the checkpoint's. */
function densityOptions(given: readonly Reader[], stored: JsonObject): DensityRegOptions {
  const readers = [...given, jsonReader(pick(stored), "the checkpoint's rendering options")].reverse();
  let weight = 0;
  let type: DensityRegOptions['type'] = 'l1';
  let distance = 0.004;
  for (const reader of readers) {
    weight = reader.optional('density_reg', (key) => reader.number(key, 0)) ?? weight;
    type = reader.optional('reg_type', (key) => reader.word(key, DENSITY_REG_TYPES)) ?? type;
    distance = reader.optional('density_reg_p_dist', (key) => reader.number(key, 0)) ?? distance;
  }
  return { weight, type, distance };
}

function pick(stored: JsonObject): JsonObject {
  return Object.fromEntries(DENSITY.flatMap((key) => (key in stored ? [[key, stored[key]]] : [])));
}
