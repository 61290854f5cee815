/** Tri-grid planes: their layout for look-ups, and the look-up of blocks of points. */

import { madd } from './render-math';

/** Bytes of a texel: 32 channels side by side. */
export const TEXEL: usize = 128;

/**
 * planes [n, 3, 32, depth, height, width] to texels [n, 3, depth, height, width, 32].
 *
 * Threads share the rows: each takes the next one from the counter.
 */
export function packPlanes(
  src: usize, dst: usize, counter: usize, batch: i32, depth: i32, height: i32, width: i32,
): void {
  const row = <usize>width << 2;
  const channel = row * <usize>height * <usize>depth;
  const rows = batch * 3 * depth * height;
  for (let job = atomic.add<i32>(counter, 1); job < rows; job = atomic.add<i32>(counter, 1)) {
    const line = <usize>(job % (depth * height));
    const from = src + <usize>(job / (depth * height)) * 32 * channel + line * row;
    const to = dst + <usize>job * <usize>width * TEXEL;
    // Sixteen columns at a time: a cache line of four channels is used up before the next four.
    for (let x: usize = 0; x < <usize>width; x += 16) {
      const end = min<usize>(x + 16, <usize>width);
      for (let c: usize = 0; c < 32; c += 4) {
        const source = from + c * channel;
        let i = x;
        for (; i + 4 <= end; i += 4) {
          const at = source + (i << 2);
          const a = v128.load(at);
          const b = v128.load(at + channel);
          const d = v128.load(at + 2 * channel);
          const e = v128.load(at + 3 * channel);
          const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
          const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
          const de0 = v128.shuffle<f32>(d, e, 0, 4, 1, 5);
          const de1 = v128.shuffle<f32>(d, e, 2, 6, 3, 7);
          const target = to + i * TEXEL + (c << 2);
          v128.store(target, v128.shuffle<f32>(ab0, de0, 0, 1, 4, 5));
          v128.store(target, v128.shuffle<f32>(ab0, de0, 2, 3, 6, 7), 128);
          v128.store(target, v128.shuffle<f32>(ab1, de1, 0, 1, 4, 5), 256);
          v128.store(target, v128.shuffle<f32>(ab1, de1, 2, 3, 6, 7), 384);
        }
        for (; i < end; i++) {
          for (let k: usize = 0; k < 4; k++) {
            store<f32>(to + i * TEXEL + ((c + k) << 2), load<f32>(source + k * channel + (i << 2)));
          }
        }
      }
    }
  }
}

/** Size of a plane in texels and bytes, set by `describePlanes`. */
export let side: f32 = 0;
export let layers: f32 = 0;
let rowBytes: i32 = 0;
let layerBytes: i32 = 0;
let planeBytes: i32 = 0;
export let scale: f32 = 0;

/** Square planes of `size` and `depth` layers; points times `factor` lie in [-1, 1]. Returns a batch entry's bytes. */
export function describePlanes(size: i32, depth: i32, factor: f32): usize {
  side = <f32>size;
  layers = <f32>depth;
  rowBytes = size * <i32>TEXEL;
  layerBytes = size * rowBytes;
  planeBytes = depth * layerBytes;
  scale = factor;
  return <usize>planeBytes * 3;
}

/** Neighbours of a coordinate along one axis: byte offsets and weights of four points. */
let low: v128 = i32x4.splat(0);
let high: v128 = i32x4.splat(0);
let lowWeight: v128 = i32x4.splat(0);
let highWeight: v128 = i32x4.splat(0);

/** A whole number in [0, 2^22) as i32, by its low mantissa bits. NaN was excluded by the clamp before. */
// @ts-ignore: decorator
@inline
function whole(x: v128): v128 {
  return i32x4.sub(f32x4.add(x, f32x4.splat(8388608)), i32x4.splat(0x4b000000));
}

/** Same order of roundings as `axisTaps` in `src/tensor/composites/trigrid.ts`. */
// @ts-ignore: decorator
@inline
function taps(g: v128, size: f32, bytes: i32): void {
  const last = f32x4.splat(size - 1);
  const zero = f32x4.splat(0);
  const position = f32x4.mul(
    f32x4.sub(f32x4.mul(f32x4.add(g, f32x4.splat(1)), f32x4.splat(size)), f32x4.splat(1)),
    f32x4.splat(0.5),
  );
  const floor = f32x4.floor(position);
  const next = f32x4.add(floor, f32x4.splat(1));
  const fraction = f32x4.sub(position, floor);
  const floorInside = v128.and(f32x4.le(zero, floor), f32x4.le(floor, last));
  const nextInside = v128.and(f32x4.le(zero, next), f32x4.le(next, last));
  lowWeight = v128.and(f32x4.sub(f32x4.splat(1), fraction), floorInside);
  highWeight = v128.and(fraction, nextInside);
  low = i32x4.mul(whole(f32x4.pmin(f32x4.pmax(zero, floor), last)), i32x4.splat(bytes));
  high = i32x4.mul(whole(f32x4.pmin(f32x4.pmax(zero, next), last)), i32x4.splat(bytes));
}

/** One plane's eight corners of four points: offsets at `at`, weights 384 bytes on. */
// @ts-ignore: decorator
@inline
function corners(
  at: usize, plane: i32,
  u0: v128, u1: v128, uw0: v128, uw1: v128,
  v0: v128, v1: v128, vw0: v128, vw1: v128,
  d0: v128, d1: v128, dw0: v128, dw1: v128,
): void {
  const base = i32x4.splat(plane);
  const d0b = i32x4.add(d0, base);
  const d1b = i32x4.add(d1, base);
  const d0v0 = i32x4.add(d0b, v0);
  const d0v1 = i32x4.add(d0b, v1);
  const d1v0 = i32x4.add(d1b, v0);
  const d1v1 = i32x4.add(d1b, v1);
  v128.store(at, i32x4.add(d0v0, u0));
  v128.store(at, i32x4.add(d0v0, u1), 16);
  v128.store(at, i32x4.add(d0v1, u0), 32);
  v128.store(at, i32x4.add(d0v1, u1), 48);
  v128.store(at, i32x4.add(d1v0, u0), 64);
  v128.store(at, i32x4.add(d1v0, u1), 80);
  v128.store(at, i32x4.add(d1v1, u0), 96);
  v128.store(at, i32x4.add(d1v1, u1), 112);
  const w00 = f32x4.mul(dw0, vw0);
  const w01 = f32x4.mul(dw0, vw1);
  const w10 = f32x4.mul(dw1, vw0);
  const w11 = f32x4.mul(dw1, vw1);
  v128.store(at, f32x4.mul(w00, uw0), 384);
  v128.store(at, f32x4.mul(w00, uw1), 400);
  v128.store(at, f32x4.mul(w01, uw0), 416);
  v128.store(at, f32x4.mul(w01, uw1), 432);
  v128.store(at, f32x4.mul(w10, uw0), 448);
  v128.store(at, f32x4.mul(w10, uw1), 464);
  v128.store(at, f32x4.mul(w11, uw0), 480);
  v128.store(at, f32x4.mul(w11, uw1), 496);
}

/** Bytes that `lookUp` needs for offsets and weights. */
export const TAP_BYTES: usize = 768;

/** The 24 texels round each of four points: offsets and weights to `tap`. */
// @ts-ignore: decorator
@inline
export function locate(x: v128, y: v128, z: v128, tap: usize): void {
  const gx = f32x4.mul(x, f32x4.splat(scale));
  const gy = f32x4.mul(y, f32x4.splat(scale));
  const gz = f32x4.mul(z, f32x4.splat(scale));
  taps(gx, side, <i32>TEXEL);
  const x0 = low, x1 = high, xw0 = lowWeight, xw1 = highWeight;
  taps(gy, side, <i32>TEXEL);
  const y0 = low, y1 = high, yw0 = lowWeight, yw1 = highWeight;
  // y runs along the rows of plane 0: the column's offset times the side.
  const yr0 = i32x4.mul(y0, i32x4.splat(<i32>side));
  const yr1 = i32x4.mul(y1, i32x4.splat(<i32>side));
  taps(gz, side, rowBytes);
  const z0 = low, z1 = high, zw0 = lowWeight, zw1 = highWeight;
  taps(gz, layers, layerBytes);
  corners(tap, 0, x0, x1, xw0, xw1, yr0, yr1, yw0, yw1, low, high, lowWeight, highWeight);
  taps(gy, layers, layerBytes);
  corners(tap + 128, planeBytes, x0, x1, xw0, xw1, z0, z1, zw0, zw1, low, high, lowWeight, highWeight);
  taps(gx, layers, layerBytes);
  corners(tap + 256, planeBytes * 2, y0, y1, yw0, yw1, z0, z1, zw0, zw1, low, high, lowWeight, highWeight);
}

/** Sum over the three planes of the features at four points: to [4, 32]. */
export function lookUp(texels: usize, x: v128, y: v128, z: v128, tap: usize, features: usize): void {
  locate(x, y, z, tap);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    gather(texels, tap + lane, features);
    features += TEXEL;
  }
}

/** Sum of the 24 corners of one point, sixteen channels at a time: see `render-decoder.ts` for why not 32. */
// @ts-ignore: decorator
@inline
function gather(texels: usize, tap: usize, features: usize): void {
  const end = tap + 384;
  for (let half: usize = 0; half < TEXEL; half += 64) {
    const base = texels + half;
    let a = f32x4.splat(0);
    let b = a, c = a, d = a;
    for (let at = tap; at < end; at += 16) {
      const texel = base + <usize>load<u32>(at);
      const w = v128.load32_splat(at, 384);
      a = madd(w, v128.load(texel), a);
      b = madd(w, v128.load(texel, 16), b);
      c = madd(w, v128.load(texel, 32), c);
      d = madd(w, v128.load(texel, 48), d);
    }
    v128.store(features + half, a);
    v128.store(features + half, b, 16);
    v128.store(features + half, c, 32);
    v128.store(features + half, d, 48);
  }
}
