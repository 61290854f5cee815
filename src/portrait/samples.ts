/** Sample depths along rays: stratified, and drawn where the first pass found matter (spec page 2.9). */

import {
  add,
  broadcastTo,
  cast,
  concat,
  constant,
  cumsum,
  div,
  gather,
  iota,
  less,
  lessEqual,
  maximum,
  minimum,
  mul,
  ndarray,
  reduceSum,
  reshape,
  sliceAxis,
  stopGradient,
  sub,
  type Tensor,
  where,
} from '../tensor/index.ts';

export interface StratifiedOptions {
  readonly count: number;
  /** Even spacing in 1 / depth instead of depth. */
  readonly disparity?: boolean;
}

/** `start + (k + jitter) delta`, delta = (end - start) / (count - 1): the last sample may lie beyond `end`.
 *
 * @param near   [..., 1] or a number
 * @param far    [..., 1] or a number
 * @param jitter [..., count] in [0, 1), or .5 throughout
 * @returns      [..., count]
 */
export function stratifiedDepths(
  near: Tensor | number,
  far: Tensor | number,
  jitter: Tensor,
  options: StratifiedOptions,
): Tensor {
  const { count, disparity = false } = options;
  const last = count - 1;
  const steps = (value: (k: number) => number): Tensor =>
    constant(
      ndarray(
        [count],
        Array.from({ length: count }, (_, k) => value(k)),
      ),
    );
  if (disparity) {
    const s = add(
      steps((k) => k / last),
      mul(jitter, 1 / last),
    );
    return div(1, add(mul(sub(1, s), div(1, near)), mul(s, div(1, far))));
  }
  if (typeof near === 'number' && typeof far === 'number') {
    const delta = (far - near) / last;
    return add(
      steps((k) => near + k * delta),
      mul(jitter, delta),
    );
  }
  const delta = mul(sub(far, near), 1 / last);
  return add(
    add(
      near,
      mul(
        steps((k) => k),
        delta,
      ),
    ),
    mul(jitter, delta),
  );
}

/** Weights smoothed over neighbours, as the importance pass uses them: m, a and q of the spec.
 *
 * @param weights [R, S - 1]
 * @returns       [R, S - 3], positive
 */
export function smoothWeights(weights: Tensor): Tensor {
  const none = broadcastTo(constant(Number.NEGATIVE_INFINITY), [weights.shape[0], 1]);
  const padded = concat([none, weights, none], 1);
  const peaks = maximum(sliceAxis(padded, 1, 1), sliceAxis(padded, 1, 0, -1)); // [R, S]
  const smooth = add(mul(add(sliceAxis(peaks, 1, 1), sliceAxis(peaks, 1, 0, -1)), 0.5), 0.01);
  return add(sliceAxis(smooth, 1, 1, -1), 1e-5);
}

/** Depths drawn by inverting the piecewise-constant density of the coarse pass.
 *
 * The published form is kept: weight i + 1 is drawn from the interval between midpoints i and i + 1, half a
 * step nearer the camera than it belongs. No gradient flows to where samples are put.
 *
 * @param depths  [R, S] coarse depths
 * @param weights [R, S - 1] of the marcher
 * @param u       [R or 1, count] in [0, 1]
 * @returns       [R, count] in draw order, not sorted
 */
export function importanceDepths(depths: Tensor, weights: Tensor, u: Tensor): Tensor {
  const [rays, samples] = depths.shape;
  const count = u.shape[1];
  const q = smoothWeights(stopGradient(weights));
  const pdf = div(q, reduceSum(q, [1], true));
  const cdf = concat([broadcastTo(constant(0), [rays, 1]), cumsum(pdf, 1)], 1); // [R, S - 2]
  const given = stopGradient(depths);
  const mid = mul(add(sliceAxis(given, 1, 1), sliceAxis(given, 1, 0, -1)), 0.5); // [R, S - 1]
  const draws = broadcastTo(u, [rays, count]);
  const below = lessEqual(reshape(cdf, [rays, 1, samples - 2]), reshape(draws, [rays, count, 1]));
  const k = reduceSum(cast(below, 'int32'), [2]); // [R, count]
  const low = maximum(sub(k, 1), 0);
  const high = minimum(k, samples - 3);
  const [cdfLow, cdfHigh] = [takeAlong(cdf, low), takeAlong(cdf, high)];
  const [midLow, midHigh] = [takeAlong(mid, low), takeAlong(mid, high)];
  const width = sub(cdfHigh, cdfLow);
  const safe = where(less(width, 1e-5), 1, width);
  return add(midLow, mul(div(sub(draws, cdfLow), safe), sub(midHigh, midLow)));
}

/** 0, 1 / (count - 1), ..., 1: the deterministic quantiles, [1, count]. */
export function evenQuantiles(count: number): Tensor {
  return constant(
    ndarray(
      [1, count],
      Array.from({ length: count }, (_, j) => (count > 1 ? j / (count - 1) : 0)),
    ),
  );
}

/** `x[r, index[r, j], ...]`: rows of each ray by that ray's own indices.
 *
 * @param x     [R, S] or [R, S, C]
 * @param index [R, J], int32
 */
export function takeAlong(x: Tensor, index: Tensor): Tensor {
  const [rays, samples, ...rest] = x.shape;
  const flat = add(index, mul(iota(index.shape, 0), samples));
  return gather(reshape(x, [rays * samples, ...rest]), flat);
}
