/**
 * How styles go from keyframe to keyframe: a cubic not-a-knot spline through the keyframes, repeated (spec page 7.7).
 *
 * The K keyframes are laid end to end five times, at whole positions from -2K on, so that the curve closes
 * between the last and the first. The spline is linear in its values, so one set of weights serves all numbers.
 */

import { type NdArray, ndarray } from '../tensor/index.ts';

/** Copies of the keyframes before and after those that are shown. */
const WRAPS = 2;

/** Weights of K keyframes at a position in [0, K).
 *
 * @returns a function of the position; weights sum to 1.
 */
export function keyframeWeights(keyframes: number): (position: number) => Float64Array {
  const count = (2 * WRAPS + 1) * keyframes;
  const curves = Array.from({ length: keyframes }, (_, k) =>
    notAKnotSpline(Float64Array.from({ length: count }, (_, i) => (i % keyframes === k ? 1 : 0))),
  );
  return (position) => Float64Array.from(curves, (curve) => curve(position + WRAPS * keyframes));
}

/** Styles [1, rows, width] between keyframes of the same shape. */
export function blendStyles(keyframes: readonly NdArray[], weights: ArrayLike<number>): NdArray {
  const out = new Float32Array(keyframes[0].data.length);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = 0; k < keyframes.length; k++) sum += weights[k] * keyframes[k].data[i];
    out[i] = sum;
  }
  return ndarray(keyframes[0].shape, out);
}

/** The cubic spline through values at 0, 1, 2, ...: twice differentiable, and a single cubic over the first two
 * and over the last two intervals.
 *
 * @param values at least 4
 */
export function notAKnotSpline(values: Float64Array): (position: number) => number {
  const n = values.length;
  const bend = secondDerivatives(values);
  return (position) => {
    const i = Math.min(n - 2, Math.max(0, Math.floor(position)));
    const t = position - i;
    const s = 1 - t;
    return (
      s * values[i] + t * values[i + 1] + ((s * s * s - s) * bend[i] + (t * t * t - t) * bend[i + 1]) / 6
    );
  };
}

/** Second derivatives m at the values: m[i-1] + 4 m[i] + m[i+1] = 6 d[i] with second differences d. The end
 * condition m[0] - 2 m[1] + m[2] = 0 makes the first of these equations 6 m[1] = 6 d[1]. */
function secondDerivatives(y: Float64Array): Float64Array {
  const n = y.length;
  const m = new Float64Array(n);
  const d = (i: number): number => y[i - 1] - 2 * y[i] + y[i + 1];
  m[1] = d(1);
  m[n - 2] = d(n - 2);
  // The tridiagonal rest between these two, eliminated forwards and filled in backwards.
  const diagonal = new Float64Array(n).fill(4);
  const right = Float64Array.from({ length: n }, (_, i) => (i > 1 && i < n - 2 ? 6 * d(i) : 0));
  if (n > 4) {
    right[2] -= m[1];
    right[n - 3] -= m[n - 2];
  }
  for (let i = 3; i <= n - 3; i++) {
    diagonal[i] -= 1 / diagonal[i - 1];
    right[i] -= right[i - 1] / diagonal[i - 1];
  }
  for (let i = n - 3; i >= 2; i--) m[i] = (right[i] - (i < n - 3 ? m[i + 1] : 0)) / diagonal[i];
  m[0] = 2 * m[1] - m[2];
  m[n - 1] = 2 * m[n - 2] - m[n - 3];
  return m;
}
