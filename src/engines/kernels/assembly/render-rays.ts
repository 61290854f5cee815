/**
 * What happens along one ray: interval weights, importance depths, merging of the two passes.
 *
 * The definitions are `src/portrait/marcher.ts` and `samples.ts`; roundings follow their order, but for sums
 * and for transmittance, a running product here where they sum logarithms.
 */

import { exp, softplusExact } from './render-math';

/** Opacities of the intervals between sorted samples; arrays may be read and written up to 16 bytes too far. */
function opacities(depths: usize, sigma: usize, count: i32, alpha: usize): void {
  const half = f32x4.splat(0.5);
  const one = f32x4.splat(1);
  const bytes = <usize>(count - 1) << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const step = f32x4.sub(v128.load(depths + i, 4), v128.load(depths + i));
    const middle = f32x4.mul(f32x4.add(v128.load(sigma + i, 4), v128.load(sigma + i)), half);
    const density = softplusExact(f32x4.sub(middle, one));
    v128.store(alpha + i, f32x4.sub(one, exp(f32x4.neg(f32x4.mul(density, step)))));
  }
}

/** Opacities of the intervals again, and their slopes by the middle density; arrays as in `opacities`. */
export function opacitySlopes(depths: usize, sigma: usize, count: i32, alpha: usize, slope: usize): void {
  const half = f32x4.splat(0.5);
  const one = f32x4.splat(1);
  const bytes = <usize>(count - 1) << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const step = f32x4.sub(v128.load(depths + i, 4), v128.load(depths + i));
    const middle = f32x4.mul(f32x4.add(v128.load(sigma + i, 4), v128.load(sigma + i)), half);
    const x = f32x4.sub(middle, one);
    const passed = exp(f32x4.neg(f32x4.mul(softplusExact(x), step)));
    const sigmoid = f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))));
    v128.store(alpha + i, f32x4.sub(one, passed));
    v128.store(slope + i, f32x4.mul(f32x4.mul(step, passed), sigmoid));
  }
}

/** Tells whether no depth of a ray lies before the one before it. */
export function increases(depths: usize, count: i32): bool {
  for (let i = 1; i < count; i++) {
    const at = depths + (<usize>i << 2);
    if (!(load<f32>(at) >= load<f32>(at - 4))) return false;
  }
  return true;
}

/** Weights [count - 1] of the intervals of a ray; returns the light that passes them all. */
export function marchWeights(depths: usize, sigma: usize, count: i32, weights: usize): f32 {
  opacities(depths, sigma, count, weights);
  let passed: f32 = 1;
  const end = weights + (<usize>(count - 1) << 2);
  for (let at = weights; at < end; at += 4) {
    const alpha = load<f32>(at);
    store<f32>(at, alpha * passed);
    passed *= 1 - alpha + 1e-10;
  }
  return passed;
}

/** Depths [fine] drawn by inverting the density that `weights` describe over the coarse depths [count].
 *
 * @param cdf memory of `count` floats.
 */
export function importanceDepths(
  depths: usize, weights: usize, count: i32, u: usize, fine: i32, cdf: usize, out: usize,
): void {
  const last = count - 3;
  // q of the spec, kept where the cdf will be; its sum.
  let sum: f32 = 0;
  for (let i = 0; i < last; i++) {
    const at = weights + (<usize>i << 2);
    const w0 = load<f32>(at);
    const w1 = load<f32>(at, 4);
    const w2 = load<f32>(at, 8);
    const q = (max(w1, w2) + max(w0, w1)) * 0.5 + 0.01 + 1e-5;
    store<f32>(cdf + (<usize>(i + 1) << 2), q);
    sum += q;
  }
  store<f32>(cdf, 0);
  let total: f32 = 0;
  for (let i = 1; i <= last; i++) {
    const at = cdf + (<usize>i << 2);
    total += load<f32>(at) / sum;
    store<f32>(at, total);
  }
  let k = 0; // entries of the cdf that are <= u
  let before: f32 = -Infinity;
  for (let j = 0; j < fine; j++) {
    const draw = load<f32>(u + (<usize>j << 2));
    if (!(draw >= before)) k = 0;
    before = draw;
    while (k <= last && load<f32>(cdf + (<usize>k << 2)) <= draw) k++;
    const low = <usize>max(k - 1, 0) << 2;
    const high = <usize>min(k, last) << 2;
    const cdfLow = load<f32>(cdf + low);
    const width = load<f32>(cdf + high) - cdfLow;
    const safe: f32 = width < 1e-5 ? 1 : width;
    const midLow = (load<f32>(depths + low, 4) + load<f32>(depths + low)) * 0.5;
    const midHigh = (load<f32>(depths + high, 4) + load<f32>(depths + high)) * 0.5;
    store<f32>(out + (<usize>j << 2), midLow + ((draw - cdfLow) / safe) * (midHigh - midLow));
  }
}

/** Sorts keys and their labels, equal keys in their order: quick when they are nearly sorted. */
function sortPairs(keys: usize, labels: usize, count: i32): void {
  const end = <usize>count << 2;
  for (let i: usize = 4; i < end; i += 4) {
    const key = load<f32>(keys + i);
    const label = load<i32>(labels + i);
    let j = i;
    while (j > 0 && load<f32>(keys + j - 4) > key) {
      store<f32>(keys + j, load<f32>(keys + j - 4));
      store<i32>(labels + j, load<i32>(labels + j - 4));
      j -= 4;
    }
    store<f32>(keys + j, key);
    store<i32>(labels + j, label);
  }
}

/** Sorts the depths of both passes; labels number the coarse samples, then the fine ones in drawn order.
 *
 * @param keys, labels memory of coarse + fine entries each.
 */
export function mergePasses(
  coarse: usize, count: i32, fine: usize, fineCount: i32,
  keys: usize, labels: usize, depths: usize, order: usize,
): void {
  const total = count + fineCount;
  for (let i = 0; i < total; i++) store<i32>(labels + (<usize>i << 2), i);
  const split = <usize>count << 2;
  const end = <usize>total << 2;
  memory.copy(keys, coarse, split);
  memory.copy(keys + split, fine, <usize>fineCount << 2);
  sortPairs(keys, labels, count);
  sortPairs(keys + split, labels + split, fineCount);
  let a: usize = 0;
  let b = split;
  for (let i: usize = 0; i < end; i += 4) {
    const takeFine = a >= split || (b < end && load<f32>(keys + b) < load<f32>(keys + a));
    const from = takeFine ? b : a;
    store<f32>(depths + i, load<f32>(keys + from));
    store<i32>(order + i, load<i32>(labels + from));
    if (takeFine) b += 4;
    else a += 4;
  }
}
