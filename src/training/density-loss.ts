/** Density regularisation: the generator's lazy phase (spec page 5.5, Greg). Densities are those of the canonical space,
 * before softplus, so nothing is deformed, cropped or marched. */

import { decoderWeights, density } from '../portrait/decoder.ts';
import { generatorPose } from '../portrait/pose.ts';
import type { NoiseMode } from '../portrait/synthesis.ts';
import { synthesisNetwork } from '../portrait/synthesis.ts';
import {
  type Aval,
  abs,
  add,
  concat,
  constant,
  f32,
  type Graph,
  maximum,
  mean,
  mul,
  ndarray,
  rematerialise,
  sliceAxis,
  stopGradient,
  sub,
  type Tensor,
} from '../tensor/index.ts';
import { backwardGraph, LABELS } from './backward.ts';
import { trainingStyles } from './conditioning.ts';
import { withValue } from './exact.ts';
import { blockOptions, latentInputs, noiseInputs, styleDraws } from './fakes.ts';
import type { TrainedGenerator } from './generator-loss.ts';
import type { DensityRegOptions, DensityRegType } from './options.ts';

/** Points a sample that the published trainer draws for each term. */
export const DENSITY_POINTS = { variation: 1000, monotonic: 2000 } as const;

/** Weight of the monotonic term; fixed. */
const MONOTONIC_WEIGHT = 10;

/** Texels along a side of the published planes: finite differences are one of them long. */
const GRID = 256;

/** A term of a regulariser, each with a backward pass and draws of its own. */
export type DensityTerm = 'variation' | 'monotonic';

/** The terms of a kind, in order. */
export function densityTerms(type: DensityRegType): readonly DensityTerm[] {
  return type.startsWith('monotonic') ? ['monotonic', 'variation'] : ['variation'];
}

export interface DensityLossSetting {
  readonly batch: number;
  /** Points a sample, displaced ones not counted. */
  readonly points: number;
  readonly gain: number;
  readonly term: DensityTerm;
  readonly options: DensityRegOptions;
  readonly conditioned: boolean;
  readonly mixing: boolean;
  readonly noise: NoiseMode;
  readonly densityNoise: boolean;
}

/** One term as a backward program.
 *
 * Inputs: those of the latents, with one swap draw [1, 1] for the whole batch; `points` [N, P, 3] uniform in [0, 1);
 * for displacements `displacement` [N, P, 3] of standard normals; with noise on densities `pointNoise` [N, Q, 1], Q
 * all points looked at, and `densityNoise`.
 *
 * - variation of `l1`: `w mean|sigma(x) - sigma(x + d)|`, d normal with deviation `distance`; of the other published
 *   kinds and of `l1-alt` with deviation box / 256.
 * - monotonic: `10 mean relu(sigma(x) - sigma(x - (0, 0, box / 256)))`, the first density held by `-detach`.
 * - variation of `total-variation`: the same as `l1` with three displacements, box / 256 along each axis, averaged.
 *
 * `l1-alt` and `total-variation` are ours: the published trainer lists the names and computes nothing.
 */
export function densityLossGraph(generator: TrainedGenerator, setting: DensityLossSetting): Graph {
  const { gain, term, options } = setting;
  const name = `Greg ${options.type}${term === 'monotonic' ? ', monotonic' : ''}`;
  return backwardGraph(name, LABELS.G, generator, densityInputs(generator, setting), (p, given) => {
    const { config } = generator;
    const { z, c } = given;
    const pose = withValue(given.imagined, generatorPose(p.scope('pose_branch'), z, c));
    const { ws } = trainingStyles(p, config, { z, c, pose, ...styleDraws(given) }, given.styles);
    const block = blockOptions(generator, setting.noise, given);
    const planes = synthesisNetwork(
      p.scope('backbone').scope('synthesis'),
      ws,
      config.planeResolution,
      block,
    );
    const at = sub(mul(given.points, 2), 1);
    const all = concat([at, ...displaced(at, given, setting, config.rendering.boxWarp)], 1);
    const weights = decoderWeights(p.scope('decoder'));
    // One item at a time: what the gradient of a look-up needs is as large as the planes, many times over.
    const look = (own: Tensor, points: Tensor) => ({
      sigma: density(weights, own, points, config.rendering),
    });
    const items = Array.from({ length: setting.batch }, (_, n) => {
      const item = (x: Tensor): Tensor => sliceAxis(x, 0, n, n + 1);
      const points = item(all);
      return setting.batch === 1
        ? look(planes, points).sigma
        : rematerialise('density', [planes], () => look(item(planes), points)).sigma;
    });
    const raw = concat(items, 0);
    const sigma = given.pointNoise === undefined ? raw : add(raw, mul(given.pointNoise, given.densityNoise));
    const count = at.shape[1];
    const part = (k: number): Tensor => sliceAxis(sigma, 1, k * count, (k + 1) * count);
    const parts = Array.from({ length: all.shape[1] / count - 1 }, (_, k) => part(k + 1));
    const value =
      term === 'monotonic'
        ? mul(mean(rise(part(0), parts[0], options.type)), MONOTONIC_WEIGHT)
        : mul(
            parts.map((other) => mean(abs(sub(part(0), other)))).reduce(add),
            options.weight / parts.length,
          );
    return {
      loss: mul(value, gain),
      statistics: { [statisticOf(term, options.type)]: value },
    };
  });
}

function statisticOf(term: DensityTerm, type: DensityRegType): string {
  const loss = term === 'monotonic' ? 'monotonic' : 'TVloss';
  return `Loss/G_reg/${loss}_${type === 'l1' ? 'L1' : type}`;
}

/** How much denser a point is than the one behind it. */
function rise(front: Tensor, behind: Tensor, type: DensityRegType): Tensor {
  const held = type === 'monotonic-detach' ? stopGradient(front) : front;
  return maximum(sub(held, behind), 0);
}

/** Whether a term displaces its points at random. */
export function displacementDrawn(term: DensityTerm, type: DensityRegType): boolean {
  return term === 'variation' && type !== 'total-variation';
}

/** The displaced points that are compared with the first ones. */
function displaced(
  at: Tensor,
  given: Readonly<Record<string, Tensor>>,
  { term, options }: DensityLossSetting,
  boxWarp: number,
): Tensor[] {
  const texel = boxWarp / GRID;
  const moved = (x: number, y: number, z: number): Tensor => add(at, constant(ndarray([1, 1, 3], [x, y, z])));
  if (term === 'monotonic') return [moved(0, 0, -texel)];
  if (options.type === 'total-variation') return [moved(texel, 0, 0), moved(0, texel, 0), moved(0, 0, texel)];
  return [add(at, mul(given.displacement, options.type === 'l1' ? options.distance : texel))];
}

/** How often each point is looked at, displaced or not. */
export function looksOf(term: DensityTerm, type: DensityRegType): number {
  return term === 'variation' && type === 'total-variation' ? 4 : 2;
}

/** Inputs of {@link densityLossGraph}. */
export function densityInputs(
  generator: TrainedGenerator,
  setting: DensityLossSetting,
): Record<string, Aval> {
  const { batch, points: count, term, options } = setting;
  const looks = looksOf(term, options.type);
  return {
    ...latentInputs(generator, setting, 1),
    ...noiseInputs(generator, setting, ['backbone.synthesis.']),
    points: f32(batch, count, 3),
    ...(displacementDrawn(term, options.type) ? { displacement: f32(batch, count, 3) } : {}),
    ...(setting.densityNoise ? { pointNoise: f32(batch, looks * count, 1), densityNoise: f32() } : {}),
  };
}
