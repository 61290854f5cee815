/** The volume renderer: coarse and importance pass over a tri-grid (spec page 2.10). */

import {
  abs,
  add,
  broadcastTo,
  concat,
  constant,
  fused,
  less,
  mul,
  or,
  reduceMax,
  reduceMin,
  reshape,
  sliceAxis,
  sort,
  type Tensor,
  transpose,
  where,
} from '../tensor/index.ts';
import { decoderWeights, type FieldOptions, field } from './decoder.ts';
import { fusedGradient } from './fused-gradient.ts';
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
export type Deformation = ByMesh | ((points: Tensor, pass: 'coarse' | 'fine') => Tensor);

/** By the nearest faces of a mesh block [N, words]: `carry` must be the fused operation `deformPoints`, which
 * kernels of `renderRays` then do themselves; with `maps`, it must be that operation by these motions. */
export interface ByMesh {
  readonly mesh: Tensor;
  /** [N, K, 12] motions of the faces: gradients reach them. Those inside of the mesh block when left out. */
  readonly maps?: Tensor;
  /** Faces [N, M * samples] that carry the samples instead of the nearest; only beside `maps`. */
  readonly faces?: { readonly coarse: Tensor; readonly fine: Tensor };
  readonly carry: (mesh: Tensor, points: Tensor, maps?: Tensor, face?: Tensor) => Tensor;
}

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
  const inputs: Record<RayInput, Tensor> & Partial<Record<OptionalRayInput, Tensor>> = {
    ...rays,
    coarse: coarseDepths(rays, options, draws),
    planes,
    ...decoderWeights(p),
  };
  if (options.importanceSamples > 0)
    inputs.quantiles = draws.quantiles ?? evenQuantiles(options.importanceSamples);
  if (draws.coarseNoise !== undefined) inputs.coarseNoise = draws.coarseNoise;
  if (draws.fineNoise !== undefined) inputs.fineNoise = draws.fineNoise;
  if (typeof deform === 'object') {
    inputs.mesh = deform.mesh;
    if (deform.maps !== undefined) inputs.maps = deform.maps;
    if (deform.faces !== undefined) inputs.coarseFaces = deform.faces.coarse;
    if (deform.faces !== undefined && options.importanceSamples > 0) inputs.fineFaces = deform.faces.fine;
  }
  const marched =
    typeof deform === 'function'
      ? marchRays(inputs, options, deform)
      : fusedRays(inputs, n, options, deform?.carry);
  const image = (t: Tensor): Tensor => {
    const channels = t.shape[1];
    return reshape(transpose(reshape(t, [batch, n * n, channels]), [0, 2, 1]), [batch, channels, n, n]);
  };
  return {
    features: image(marched.features),
    depth: image(clampDepth(marched.depth, marched.range)),
    opacity: image(marched.opacity),
  };
}

/** What one call of the ray programs reads. */
type RayInput = 'origins' | 'directions' | 'coarse' | 'planes' | 'w0' | 'b0' | 'w1' | 'b1';
type OptionalRayInput =
  | 'quantiles'
  | 'coarseNoise'
  | 'fineNoise'
  | 'mesh'
  | 'maps'
  | 'coarseFaces'
  | 'fineFaces';
type RayInputs = Readonly<Record<RayInput, Tensor>> & Readonly<Partial<Record<OptionalRayInput, Tensor>>>;

interface MarchedRays {
  /** [R, C] */
  readonly features: Tensor;
  /** [R, 1], infinite where nothing was hit */
  readonly depth: Tensor;
  /** [R, 1] */
  readonly opacity: Tensor;
  /** [R, 2] nearest and farthest sample */
  readonly range: Tensor;
}

/** `marchRays` as the fused operation `renderRays`: engines with a kernel store nothing a sample.
 *
 * Its gradient is the fused operation `renderRaysGrad`, which computes the samples again.
 *
 * @param width rays that form a row of the picture, so that kernels can work on tiles
 */
function fusedRays(
  inputs: RayInputs,
  width: number,
  options: RenderingOptions,
  carry?: ByMesh['carry'],
): MarchedRays {
  const { samples, importanceSamples, depth, boxWarp, activation, lrMultiplier, whiteBack, cropMargin } =
    options;
  const field = { depth, boxWarp, activation, lrMultiplier };
  const attrs = { ...field, samples, importanceSamples, whiteBack, cropMargin, width };
  const definition = (given: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> => {
    const { mesh, maps, coarseFaces, fineFaces } = given;
    const deform =
      mesh && carry
        ? (points: Tensor, pass: 'coarse' | 'fine'): Tensor =>
            carry(mesh, points, maps, pass === 'coarse' ? coarseFaces : fineFaces)
        : undefined;
    return { ...marchRays(given as unknown as RayInputs, options, deform) };
  };
  const [features, distance, opacity, range] = fused(
    'renderRays',
    { ...attrs, inputs: Object.keys(inputs) },
    inputs as Record<string, Tensor>,
    definition,
    fusedGradient('renderRaysGrad', attrs, definition),
  );
  return { features, depth: distance, opacity, range };
}

/** Rays with their coarse depths to what lies along them: the definition of `renderRays`. */
function marchRays(
  given: RayInputs,
  options: RenderingOptions,
  deform?: (points: Tensor, pass: 'coarse' | 'fine') => Tensor,
): MarchedRays {
  const { coarse, planes } = given;
  const perRay = coarse.shape[0];
  const evaluate = (
    depths: Tensor,
    pass: 'coarse' | 'fine',
    noise?: Tensor,
  ): { sigma: Tensor; rgb: Tensor } => {
    const points = pointsAlong(given, depths);
    const moved = deform === undefined ? points : deform(points, pass);
    const weights = { w0: given.w0, b0: given.b0, w1: given.w1, b1: given.b1 };
    const { sigma, rgb } = field(weights, planes, moved, options);
    const noisy = noise === undefined ? sigma : add(sigma, noise);
    const samples = depths.shape[1];
    return {
      sigma: reshape(crop(noisy, moved, options), [perRay, samples]),
      rgb: reshape(rgb, [perRay, samples, rgb.shape[2]]),
    };
  };
  let { sigma, rgb } = evaluate(coarse, 'coarse', given.coarseNoise);
  let depths = coarse;
  if (given.quantiles !== undefined) {
    const fine = importanceDepths(coarse, marchWeights(sigma, coarse), given.quantiles);
    const second = evaluate(fine, 'fine', given.fineNoise);
    const sorted = sort(concat([coarse, fine], 1));
    depths = sorted.values;
    sigma = takeAlong(concat([sigma, second.sigma], 1), sorted.indices);
    rgb = takeAlong(concat([rgb, second.rgb], 1), sorted.indices);
  }
  const { features, depth, opacity } = march(rgb, sigma, depths, options);
  const range = concat([reduceMin(depths, [1], true), reduceMax(depths, [1], true)], 1);
  return { features, depth, opacity, range };
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
