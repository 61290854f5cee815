/** Optimiser steps over one weight, in SIMD: `adamStep` and `emaStep` of `src/tensor/composites/optimiser.ts`. */

const LARGEST: f32 = 1e5;

/** Outputs may be the inputs of their kind; `used` (the sanitised gradient) may be the gradient. */
export function adamStep(
  value: usize, first: usize, second: usize, gradient: usize, stepSize: usize, root: usize,
  newValue: usize, newFirst: usize, newSecond: usize, used: usize, bad: usize,
  count: i32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, eps: f32,
): void {
  const step = load<f32>(stepSize);
  const correction = load<f32>(root);
  const steps = f32x4.splat(step), corrections = f32x4.splat(correction), epsilons = f32x4.splat(eps);
  const b1 = f32x4.splat(beta1), r1 = f32x4.splat(rest1), b2 = f32x4.splat(beta2), r2 = f32x4.splat(rest2);
  const infinity = f32x4.splat(Infinity), largest = f32x4.splat(LARGEST), signBit = f32x4.splat(-0.0);
  let bads = i32x4.splat(0);
  const end = <usize>count << 2;
  let i: usize = 0;
  for (; i + 16 <= end; i += 16) {
    const raw = v128.load(gradient + i);
    const isNaN = f32x4.ne(raw, raw);
    const isInfinite = f32x4.eq(f32x4.abs(raw), infinity);
    const capped = v128.or(v128.and(raw, signBit), largest);
    const g = v128.andnot(v128.bitselect(capped, raw, isInfinite), isNaN);
    bads = i32x4.sub(bads, v128.or(isNaN, isInfinite));
    const m = f32x4.add(f32x4.mul(v128.load(first + i), b1), f32x4.mul(g, r1));
    const v = f32x4.add(f32x4.mul(v128.load(second + i), b2), f32x4.mul(f32x4.mul(g, g), r2));
    const spread = f32x4.add(f32x4.div(f32x4.sqrt(v), corrections), epsilons);
    v128.store(newValue + i, f32x4.sub(v128.load(value + i), f32x4.mul(steps, f32x4.div(m, spread))));
    v128.store(newFirst + i, m);
    v128.store(newSecond + i, v);
    v128.store(used + i, g);
  }
  let total = i32x4.extract_lane(bads, 0) + i32x4.extract_lane(bads, 1) + i32x4.extract_lane(bads, 2) + i32x4.extract_lane(bads, 3);
  for (; i < end; i += 4) {
    let g = load<f32>(gradient + i);
    if (g != g) {
      g = 0;
      total++;
    } else if (abs<f32>(g) == Infinity) {
      g = g > 0 ? LARGEST : -LARGEST;
      total++;
    }
    const m = load<f32>(first + i) * beta1 + g * rest1;
    const v = load<f32>(second + i) * beta2 + g * g * rest2;
    store<f32>(newValue + i, load<f32>(value + i) - step * (m / (sqrt<f32>(v) / correction + eps)));
    store<f32>(newFirst + i, m);
    store<f32>(newSecond + i, v);
    store<f32>(used + i, g);
  }
  store<f32>(bad, <f32>total);
}

/** out = value + beta (average - value); out may be the average. */
export function emaStep(average: usize, value: usize, beta: usize, out: usize, count: i32): void {
  const b = load<f32>(beta);
  const betas = f32x4.splat(b);
  const end = <usize>count << 2;
  let i: usize = 0;
  for (; i + 16 <= end; i += 16) {
    const v = v128.load(value + i);
    v128.store(out + i, f32x4.add(v, f32x4.mul(f32x4.sub(v128.load(average + i), v), betas)));
  }
  for (; i < end; i += 4) {
    const v = load<f32>(value + i);
    store<f32>(out + i, v + (load<f32>(average + i) - v) * b);
  }
}
