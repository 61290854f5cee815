/**
 * Small separable filters with zero insertion or decimation, in SIMD: `upfirdn2d` with at most four taps an axis.
 *
 * One output row at a time: the input rows it hears are blended into a line with zeros on both sides, and the line
 * is filtered along columns. All arrays are float32, row-major; pointers are byte offsets.
 */

import { madd } from './render-math';

/** dst = sum of weights times rows, over `bytes`; rows may be read up to 12 bytes past their end. */
// @ts-ignore: decorator
@inline
function blend2(dst: usize, bytes: usize, a: usize, b: usize, wa: v128, wb: v128): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(dst + i, madd(v128.load(b + i), wb, f32x4.mul(v128.load(a + i), wa)));
  }
}

// @ts-ignore: decorator
@inline
function blend4(
  dst: usize, bytes: usize, a: usize, b: usize, c: usize, d: usize, wa: v128, wb: v128, wc: v128, wd: v128,
): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    const ab = madd(v128.load(b + i), wb, f32x4.mul(v128.load(a + i), wa));
    v128.store(dst + i, madd(v128.load(d + i), wd, madd(v128.load(c + i), wc, ab)));
  }
}

/** Bytes of zeros before and behind the line. */
const MARGIN: usize = 128;

/**
 * x [planes, h, w] to out [planes, outH, outW]; `up` and `down` are 1 or 2 and not both 2; paddings are those at the top
 * and on the left, at most 8 either way; taps as a correlation hears them. The scratch memory holds 3 lines of w floats,
 * one of 2 w and margins.
 */
export function upfirdn(
  x: usize, out: usize, scratch: usize,
  planes: i32, h: i32, w: i32, outH: i32, outW: i32, up: i32, down: i32, top: i32, left: i32,
  r0: f32, r1: f32, r2: f32, r3: f32, c0: f32, c1: f32, c2: f32, c3: f32,
): void {
  const row = <usize>w << 2;
  const zero = scratch + MARGIN;
  const line = zero + row + 2 * MARGIN;
  const wide = line + row + 2 * MARGIN;
  memory.fill(scratch, 0, (row + 2 * MARGIN) * 2);
  const rows0 = f32x4.splat(r0), rows1 = f32x4.splat(r1), rows2 = f32x4.splat(r2), rows3 = f32x4.splat(r3);
  const columns0 = f32x4.splat(c0), columns1 = f32x4.splat(c1);
  const columns2 = f32x4.splat(c2), columns3 = f32x4.splat(c3);
  const outRow = <usize>outW << 2;
  let to = out;
  for (let plane = 0; plane < planes; plane++) {
    const image = x + <usize>plane * row * <usize>h;
    for (let i = 0; i < outH; i++) {
      const first = i * down - top;
      if (up == 2) {
        // Only every second tap meets a row that is not inserted.
        const m = (first + 1) >> 1;
        const a = m >= 0 && m < h ? image + <usize>m * row : zero;
        const b = m + 1 >= 0 && m + 1 < h ? image + <usize>(m + 1) * row : zero;
        if (first & 1) blend2(line, row, a, b, rows1, rows3);
        else blend2(line, row, a, b, rows0, rows2);
      } else {
        const a = first >= 0 && first < h ? image + <usize>first * row : zero;
        const b = first + 1 >= 0 && first + 1 < h ? image + <usize>(first + 1) * row : zero;
        const c = first + 2 >= 0 && first + 2 < h ? image + <usize>(first + 2) * row : zero;
        const d = first + 3 >= 0 && first + 3 < h ? image + <usize>(first + 3) * row : zero;
        blend4(line, row, a, b, c, d, rows0, rows1, rows2, rows3);
      }
      // Whole vectors were written: what lies past the row's end must be zeros again.
      v128.store(line + row, f32x4.splat(0));
      if (up == 2) {
        // The row with its inserted zeros, filtered, from position 2 start on.
        const start = (-left) >> 1;
        let from = line + (start << 2);
        for (let k: usize = 0; k < outRow + 4; k += 32, from += 16) {
          const a = v128.load(from), b = v128.load(from, 4), c = v128.load(from, 8);
          const even = madd(b, columns2, f32x4.mul(a, columns0));
          const odd = madd(c, columns3, f32x4.mul(b, columns1));
          v128.store(wide + k, v128.shuffle<f32>(even, odd, 0, 4, 1, 5));
          v128.store(wide + k, v128.shuffle<f32>(even, odd, 2, 6, 3, 7), 16);
        }
        memory.copy(to, wide + (<usize>(-left - 2 * start) << 2), outRow);
      } else if (down == 2) {
        let from = line - (left << 2);
        let k: usize = 0;
        for (; k + 16 <= outRow; k += 16, from += 32) v128.store(to + k, decimated(from, columns0, columns1, columns2, columns3));
        if (k < outRow) {
          v128.store(wide, decimated(from, columns0, columns1, columns2, columns3));
          memory.copy(to + k, wide, outRow - k);
        }
      } else {
        let from = line - (left << 2);
        let k: usize = 0;
        for (; k + 16 <= outRow; k += 16, from += 16) v128.store(to + k, filtered(from, columns0, columns1, columns2, columns3));
        if (k < outRow) {
          v128.store(wide, filtered(from, columns0, columns1, columns2, columns3));
          memory.copy(to + k, wide, outRow - k);
        }
      }
      to += outRow;
    }
  }
}

// @ts-ignore: decorator
@inline
function filtered(from: usize, c0: v128, c1: v128, c2: v128, c3: v128): v128 {
  const ab = madd(v128.load(from, 4), c1, f32x4.mul(v128.load(from), c0));
  return madd(v128.load(from, 12), c3, madd(v128.load(from, 8), c2, ab));
}

/** Four results whose windows begin at every second number. */
// @ts-ignore: decorator
@inline
function decimated(from: usize, c0: v128, c1: v128, c2: v128, c3: v128): v128 {
  const a = v128.load(from), b = v128.load(from, 16), c = v128.load(from, 8), d = v128.load(from, 24);
  const ab = madd(v128.shuffle<f32>(a, b, 1, 3, 5, 7), c1, f32x4.mul(v128.shuffle<f32>(a, b, 0, 2, 4, 6), c0));
  return madd(v128.shuffle<f32>(c, d, 1, 3, 5, 7), c3, madd(v128.shuffle<f32>(c, d, 0, 2, 4, 6), c2, ab));
}

/**
 * Adjoint of `foldUp` without its epilogue: g [planes, 2h, 2w] filtered by [1, 3, 3, 1] / 4 along both axes, then taken
 * apart by parity of rows and columns: ee [h+1, w+1], eo [h+1, w], oe [h, w+1], oo [h, w]. The scratch memory holds 3
 * rows of g and margins.
 */
export function unfoldUp(
  g: usize, ee: usize, eo: usize, oe: usize, oo: usize, scratch: usize, planes: i32, h: i32, w: i32,
): void {
  const outer = f32x4.splat(0.25);
  const inner = f32x4.splat(0.75);
  const row = <usize>w << 3;
  const zero = scratch + MARGIN;
  const line = zero + row + 2 * MARGIN;
  const rest = line + row + 2 * MARGIN;
  memory.fill(scratch, 0, (row + 2 * MARGIN) * 2);
  const height = 2 * h;
  for (let plane = 0; plane < planes; plane++) {
    const image = g + <usize>plane * row * <usize>height;
    for (let i = 0; i <= height; i++) {
      const a = i >= 2 ? image + <usize>(i - 2) * row : zero;
      const b = i >= 1 && i - 1 < height ? image + <usize>(i - 1) * row : zero;
      const c = i < height ? image + <usize>i * row : zero;
      const d = i + 1 < height ? image + <usize>(i + 1) * row : zero;
      blend4(line, row, a, b, c, d, outer, inner, inner, outer);
      v128.store(line + row, f32x4.splat(0));
      const even = <usize>(w + 1) << 2;
      const odd = <usize>w << 2;
      if (i & 1) {
        takeSecond(line - 8, oe, rest, even, outer, inner);
        takeSecond(line - 4, oo, rest, odd, outer, inner);
        oe += even;
        oo += odd;
      } else {
        takeSecond(line - 8, ee, rest, even, outer, inner);
        takeSecond(line - 4, eo, rest, odd, outer, inner);
        ee += even;
        eo += odd;
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function takeSecond(line: usize, to: usize, rest: usize, bytes: usize, outer: v128, inner: v128): void {
  let from = line;
  let k: usize = 0;
  for (; k + 16 <= bytes; k += 16, from += 32) v128.store(to + k, decimated(from, outer, inner, inner, outer));
  if (k < bytes) {
    v128.store(rest, decimated(from, outer, inner, inner, outer));
    memory.copy(to + k, rest, bytes - k);
  }
}
