/** The way back through a look-up in tri-grid planes: to texels, and to where the points lie. */

import { madd } from './render-math';
import { layers, scale, side, TEXEL } from './render-planes';

/** Adds the cotangent [32] of one point's features to the gradients of its 24 texels; `tap` as `locate` made it. */
// @ts-ignore: decorator
@inline
export function scatter(gradients: usize, tap: usize, cotangent: usize): void {
  const end = tap + 384;
  for (let half: usize = 0; half < TEXEL; half += 64) {
    const base = gradients + half;
    const a = v128.load(cotangent + half);
    const b = v128.load(cotangent + half, 16);
    const c = v128.load(cotangent + half, 32);
    const d = v128.load(cotangent + half, 48);
    for (let at = tap; at < end; at += 16) {
      const texel = base + <usize>load<u32>(at);
      const w = v128.load32_splat(at, 384);
      v128.store(texel, madd(w, a, v128.load(texel)));
      v128.store(texel, madd(w, b, v128.load(texel, 16)), 16);
      v128.store(texel, madd(w, c, v128.load(texel, 32)), 32);
      v128.store(texel, madd(w, d, v128.load(texel, 48)), 48);
    }
  }
}

/** x . y of 32 numbers. */
// @ts-ignore: decorator
@inline
function dot32(x: usize, y: usize): f32 {
  let a = f32x4.mul(v128.load(x), v128.load(y));
  let b = f32x4.mul(v128.load(x, 16), v128.load(y, 16));
  a = madd(v128.load(x, 32), v128.load(y, 32), a);
  b = madd(v128.load(x, 48), v128.load(y, 48), b);
  a = madd(v128.load(x, 64), v128.load(y, 64), a);
  b = madd(v128.load(x, 80), v128.load(y, 80), b);
  a = madd(v128.load(x, 96), v128.load(y, 96), a);
  b = madd(v128.load(x, 112), v128.load(y, 112), b);
  a = f32x4.add(a, b);
  a = f32x4.add(a, v128.shuffle<f32>(a, a, 2, 3, 0, 1));
  return f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1);
}

/** One axis of four points: weights of the neighbours and their slopes, 0 for a neighbour outside. */
let weight0: v128 = i32x4.splat(0);
let weight1: v128 = i32x4.splat(0);
let slope0: v128 = i32x4.splat(0);
let slope1: v128 = i32x4.splat(0);

/** As `taps` in `render-planes.ts`. */
// @ts-ignore: decorator
@inline
function axis(x: v128, size: f32): void {
  const g = f32x4.mul(x, f32x4.splat(scale));
  const last = f32x4.splat(size - 1);
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const position = f32x4.mul(
    f32x4.sub(f32x4.mul(f32x4.add(g, one), f32x4.splat(size)), one), f32x4.splat(0.5),
  );
  const floor = f32x4.floor(position);
  const next = f32x4.add(floor, one);
  const fraction = f32x4.sub(position, floor);
  const floorInside = v128.and(f32x4.le(zero, floor), f32x4.le(floor, last));
  const nextInside = v128.and(f32x4.le(zero, next), f32x4.le(next, last));
  const rise = f32x4.splat(0.5 * size * scale);
  weight0 = v128.and(f32x4.sub(one, fraction), floorInside);
  weight1 = v128.and(fraction, nextInside);
  slope0 = v128.and(f32x4.neg(rise), floorInside);
  slope1 = v128.and(rise, nextInside);
}

// @ts-ignore: decorator
@inline
function mix(a: v128, x: v128, b: v128, y: v128): v128 {
  return madd(a, x, f32x4.mul(b, y));
}

let alongColumns: v128 = i32x4.splat(0);
let alongRows: v128 = i32x4.splat(0);
let alongLayers: v128 = i32x4.splat(0);

/** One plane: `dots` [8, 4] of the texels with the cotangents of four points. */
// @ts-ignore: decorator
@inline
function plane(dots: usize, column: v128, row: v128, layer: v128): void {
  axis(column, side);
  const u0 = weight0, u1 = weight1, su0 = slope0, su1 = slope1;
  axis(row, side);
  const v0 = weight0, v1 = weight1, sv0 = slope0, sv1 = slope1;
  axis(layer, layers);
  let values0 = i32x4.splat(0), values1 = values0;
  let columns0 = values0, columns1 = values0, rows0 = values0, rows1 = values0;
  for (let d: usize = 0; d < 2; d++) {
    const at = dots + d * 64;
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const e = v128.load(at, 48);
    const upper = mix(u0, a, u1, b);
    const lower = mix(u0, c, u1, e);
    const columns = mix(v0, mix(su0, a, su1, b), v1, mix(su0, c, su1, e));
    const values = mix(v0, upper, v1, lower);
    const rows = mix(sv0, upper, sv1, lower);
    if (d == 0) {
      values0 = values;
      columns0 = columns;
      rows0 = rows;
    } else {
      values1 = values;
      columns1 = columns;
      rows1 = rows;
    }
  }
  alongColumns = mix(weight0, columns0, weight1, columns1);
  alongRows = mix(weight0, rows0, weight1, rows1);
  alongLayers = mix(slope0, values0, slope1, values1);
}

/** Gradients of four points from the cotangents [4, 32] of their features: to [3, 4].
 *
 * @param dots memory of 384 bytes
 */
export function pointGradients(
  texels: usize, tap: usize, cotangents: usize, x: v128, y: v128, z: v128, dots: usize, out: usize,
): void {
  for (let at: usize = 0; at < 384; at += 4) {
    const cotangent = cotangents + (at & 12) * (TEXEL >> 2);
    store<f32>(dots + at, dot32(texels + <usize>load<u32>(tap + at), cotangent));
  }
  plane(dots, x, y, z);
  const x0 = alongColumns, y0 = alongRows, z0 = alongLayers;
  plane(dots + 128, x, z, y);
  const x1 = alongColumns, z1 = alongRows, y1 = alongLayers;
  plane(dots + 256, y, z, x);
  v128.store(out, f32x4.add(f32x4.add(x0, x1), alongLayers));
  v128.store(out, f32x4.add(f32x4.add(y0, y1), alongColumns), 16);
  v128.store(out, f32x4.add(f32x4.add(z0, z1), alongRows), 32);
}

/** One row of texels [width, 32], summed over `copies` that lie `stride` apart, to 32 rows of the planes' own layout
 * that lie `channel` bytes apart. */
export function sumRow(from: usize, copies: i32, stride: usize, to: usize, channel: usize, width: usize): void {
  for (let x: usize = 0; x < width; x += 16) {
    const end = min<usize>(x + 16, width);
    for (let c: usize = 0; c < 32; c += 4) {
      let i = x;
      for (; i + 4 <= end; i += 4) {
        let at = from + i * TEXEL + (c << 2);
        let a = v128.load(at);
        let b = v128.load(at, 128);
        let d = v128.load(at, 256);
        let e = v128.load(at, 384);
        for (let copy = 1; copy < copies; copy++) {
          at += stride;
          a = f32x4.add(a, v128.load(at));
          b = f32x4.add(b, v128.load(at, 128));
          d = f32x4.add(d, v128.load(at, 256));
          e = f32x4.add(e, v128.load(at, 384));
        }
        const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
        const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
        const de0 = v128.shuffle<f32>(d, e, 0, 4, 1, 5);
        const de1 = v128.shuffle<f32>(d, e, 2, 6, 3, 7);
        const target = to + c * channel + (i << 2);
        v128.store(target, v128.shuffle<f32>(ab0, de0, 0, 1, 4, 5));
        v128.store(target + channel, v128.shuffle<f32>(ab0, de0, 2, 3, 6, 7));
        v128.store(target + 2 * channel, v128.shuffle<f32>(ab1, de1, 0, 1, 4, 5));
        v128.store(target + 3 * channel, v128.shuffle<f32>(ab1, de1, 2, 3, 6, 7));
      }
      for (; i < end; i++) {
        for (let k: usize = 0; k < 4; k++) {
          let at = from + i * TEXEL + ((c + k) << 2);
          let sum: f32 = 0;
          for (let copy = 0; copy < copies; copy++) {
            sum += load<f32>(at);
            at += stride;
          }
          store<f32>(to + (c + k) * channel + (i << 2), sum);
        }
      }
    }
  }
}
