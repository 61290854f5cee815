/** Compositing along rays with mid-interval values (Max 1995; as EG3D does it; spec page 2.10). */

import {
  add,
  broadcastTo,
  concat,
  constant,
  cumsum,
  div,
  equal,
  exp,
  log,
  matmul,
  maximum,
  minimum,
  mul,
  neg,
  not,
  or,
  reduceMax,
  reduceMin,
  reduceSum,
  reshape,
  sliceAxis,
  softplusExact,
  sub,
  type Tensor,
  where,
} from '../tensor/index.ts';

export interface Marched {
  /** [R, C] */
  readonly features: Tensor;
  /** [R, 1]; plus infinity where nothing was hit, until `clampDepth`. */
  readonly depth: Tensor;
  /** [R, S - 1] */
  readonly weights: Tensor;
  /** [R, 1], sum of the weights */
  readonly opacity: Tensor;
}

/** Weights of the S - 1 intervals.
 *
 * Densities are averaged before softplus: a cropped neighbour (-1000) empties the interval.
 *
 * @param sigma  [R, S] raw densities, sorted by depth
 * @param depths [R, S]
 */
export function marchWeights(sigma: Tensor, depths: Tensor): Tensor {
  const step = sub(sliceAxis(depths, 1, 1), sliceAxis(depths, 1, 0, -1));
  const density = softplusExact(sub(middle(sigma), 1));
  const alpha = sub(1, exp(neg(mul(density, step))));
  const passed = log(add(sub(1, alpha), 1e-10));
  return mul(alpha, exp(cumsum(passed, 1, { exclusive: true })));
}

/** Values halfway between neighbours of [R, S]. */
function middle(x: Tensor): Tensor {
  return mul(add(sliceAxis(x, 1, 1), sliceAxis(x, 1, 0, -1)), 0.5);
}

/** Marches sorted samples.
 *
 * @param rgb    [R, S, C]
 * @param sigma  [R, S]
 * @param depths [R, S]
 */
export function march(
  rgb: Tensor,
  sigma: Tensor,
  depths: Tensor,
  options: { whiteBack?: boolean } = {},
): Marched {
  const [rays, samples, channels] = rgb.shape;
  const weights = marchWeights(sigma, depths);
  const opacity = reduceSum(weights, [1], true);
  // Sum of w_i (rgb_i + rgb_i+1) / 2 = sum of rgb_i (w_i-1 + w_i) / 2.
  const none = broadcastTo(constant(0), [rays, 1]);
  const shared = mul(add(concat([none, weights], 1), concat([weights, none], 1)), 0.5);
  let features = reshape(matmul(reshape(shared, [rays, 1, samples]), rgb), [rays, channels]);
  if (options.whiteBack) features = add(features, sub(1, opacity));
  // Nothing is divided by an opacity of 0: its gradient would be NaN, and reach everything.
  const empty = equal(opacity, 0);
  const total = div(reduceSum(mul(weights, middle(depths)), [1], true), where(empty, 1, opacity));
  const depth = where(or(empty, not(equal(total, total))), Number.POSITIVE_INFINITY, total);
  return { features, depth, weights, opacity };
}

/** Bounds depths by the nearest and farthest sample of the whole call: an empty ray gets the farthest. */
export function clampDepth(depth: Tensor, depths: Tensor): Tensor {
  return minimum(maximum(depth, reduceMin(depths)), reduceMax(depths));
}
