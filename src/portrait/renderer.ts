/** The volume renderer: coarse and importance pass over a tri-grid (spec page 2.10). */

import {
  abs,
  add,
  broadcastTo,
  concat,
  constant,
  less,
  mul,
  or,
  reshape,
  sliceAxis,
  sort,
  type Tensor,
  transpose,
  where,
} from '../tensor/index.ts';
import { type FieldOptions, field } from './decoder.ts';
import { clampDepth, march, marchWeights } from './marcher.ts';
import type { Parameters } from './parameters.ts';
import { automaticLimits, cameraRays, type Rays } from './rays.ts';
import { evenQuantiles, importanceDepths, stratifiedDepths, takeAlong } from './samples.ts';

/** What a cropped sample's density becomes. */
export const CROPPED_SIGMA = -1000;

export interface RenderingOptions extends FieldOptions {
  /** Coarse and importance samples a ray; 0 importance samples leaves the second pass out. */
  readonly samples: number;
  readonly importanceSamples: number;
  /** Distances from the camera, metres; 'auto' for entry and exit of the cube. */
  readonly rayStart: number | 'auto';
  readonly rayEnd: number | 'auto';
  readonly disparity: boolean;
  readonly whiteBack: boolean;
  /** Points nearer than this to the cube's sides in x or z are empty; 0 turns the crop off. */
  readonly cropMargin: number;
}

/** Draws of the samplers; what is left out is deterministic: jitter .5 and evenly spaced quantiles. */
export interface RenderDraws {
  /** [N, M, samples] in [0, 1) */
  readonly jitter?: Tensor | undefined;
  /** [N * M, importanceSamples] in [0, 1) */
  readonly quantiles?: Tensor | undefined;
  /** Normal noise added to the densities, coarse [N, M * samples, 1] and fine. */
  readonly coarseNoise?: Tensor | undefined;
  readonly fineNoise?: Tensor | undefined;
}

/** Moves sample points [N, P, 3] from the posed to the canonical body. */
export type Deformation = (points: Tensor, pass: 'coarse' | 'fine') => Tensor;

export interface Rendered {
  /** [N, C, n, n] */
  readonly features: Tensor;
  /** [N, 1, n, n] metres along the ray */
  readonly depth: Tensor;
  /** [N, 1, n, n] accumulated opacity */
  readonly opacity: Tensor;
}

/** Renders n x n rays.
 *
 * @param p      scope of the decoder
 * @param planes [N, 3 C D, H, W]
 * @param c      [N, 25] camera labels
 */
export function render(
  p: Parameters,
  planes: Tensor,
  c: Tensor,
  n: number,
  options: RenderingOptions,
  draws: RenderDraws = {},
  deform?: Deformation,
): Rendered {
  const batch = planes.shape[0];
  const rays = cameraRays(c, n);
  const perRay = batch * n * n;
  const coarse = coarseDepths(rays, options, draws); // [R, S]
  const evaluate = (
    depths: Tensor,
    pass: 'coarse' | 'fine',
    noise?: Tensor,
  ): { sigma: Tensor; rgb: Tensor } => {
    const points = pointsAlong(rays, depths);
    const moved = deform === undefined ? points : deform(points, pass);
    const { sigma, rgb } = field(p, planes, moved, options);
    const noisy = noise === undefined ? sigma : add(sigma, noise);
    const samples = depths.shape[1];
    return {
      sigma: reshape(crop(noisy, moved, options), [perRay, samples]),
      rgb: reshape(rgb, [perRay, samples, rgb.shape[2]]),
    };
  };
  let { sigma, rgb } = evaluate(coarse, 'coarse', draws.coarseNoise);
  let depths = coarse;
  if (options.importanceSamples > 0) {
    const u = draws.quantiles ?? evenQuantiles(options.importanceSamples);
    const fine = importanceDepths(coarse, marchWeights(sigma, coarse), u);
    const second = evaluate(fine, 'fine', draws.fineNoise);
    const sorted = sort(concat([coarse, fine], 1));
    depths = sorted.values;
    sigma = takeAlong(concat([sigma, second.sigma], 1), sorted.indices);
    rgb = takeAlong(concat([rgb, second.rgb], 1), sorted.indices);
  }
  const marched = march(rgb, sigma, depths, options);
  const image = (t: Tensor): Tensor => {
    const channels = t.shape[1];
    return reshape(transpose(reshape(t, [batch, n * n, channels]), [0, 2, 1]), [batch, channels, n, n]);
  };
  return {
    features: image(marched.features),
    depth: image(clampDepth(marched.depth, depths)),
    opacity: image(marched.opacity),
  };
}

function coarseDepths(rays: Rays, options: RenderingOptions, draws: RenderDraws): Tensor {
  const [batch, count] = rays.directions.shape;
  const { samples, rayStart, rayEnd, disparity } = options;
  const jitter = draws.jitter ?? broadcastTo(constant(0.5), [batch, count, samples]);
  const stratified = { count: samples, disparity };
  let depths: Tensor;
  if (rayStart === 'auto' || rayEnd === 'auto') {
    const { near, far } = automaticLimits(rays, options.boxWarp);
    depths = stratifiedDepths(near, far, jitter, stratified);
  } else {
    depths = stratifiedDepths(rayStart, rayEnd, jitter, stratified);
  }
  return reshape(depths, [batch * count, samples]);
}

/** Points [N, M * S, 3] at depths [N * M, S]. */
function pointsAlong(rays: Rays, depths: Tensor): Tensor {
  const [batch, count] = rays.directions.shape;
  const samples = depths.shape[1];
  const line = (t: Tensor): Tensor => reshape(t, [batch, count, 1, 3]);
  const along = mul(line(rays.directions), reshape(depths, [batch, count, samples, 1]));
  return reshape(add(line(rays.origins), along), [batch, count * samples, 3]);
}

/** Empties what lies near the cube's sides in x or z; y is never cropped. */
function crop(sigma: Tensor, points: Tensor, options: RenderingOptions): Tensor {
  if (options.cropMargin === 0) return sigma;
  const outside = less(options.boxWarp / 2 - options.cropMargin, abs(points));
  const axis = (index: number): Tensor => sliceAxis(outside, 2, index, index + 1);
  return where(or(axis(0), axis(2)), CROPPED_SIGMA, sigma);
}
