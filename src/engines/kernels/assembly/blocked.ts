/**
 * Passes over images whose channels come in blocks: [n, channels / block, pixels, block], block a multiple of 4.
 *
 * A pixel is `pixel` = 4 * block bytes that lie together, so neighbours along a row are whole vectors apart and no
 * vector is ever unaligned or incomplete. Arrays are float32; pointers are byte offsets.
 */

import { madd } from './render-math';

/** [planes, block, pixels] to [planes, pixels, block]. */
export function toBlocked(x: usize, out: usize, planes: i32, block: i32, pixels: i32): void {
  const row = <usize>pixels << 2;
  const pixel = <usize>block << 2;
  let image = x;
  let to = out;
  for (let plane = 0; plane < planes; plane++, image += row * <usize>block) {
    let i: usize = 0;
    for (; i + 16 <= row; i += 16, to += pixel << 2) {
      let from = image + i;
      for (let c: usize = 0; c < pixel; c += 16, from += row << 2) transpose(from, row, to + c, pixel);
    }
    for (; i < row; i += 4) {
      for (let from = image + i, end = to + pixel; to < end; to += 4, from += row) store<f32>(to, load<f32>(from));
    }
  }
}

/** The way back. */
export function fromBlocked(x: usize, out: usize, planes: i32, block: i32, pixels: i32): void {
  const row = <usize>pixels << 2;
  const pixel = <usize>block << 2;
  let image = out;
  let from = x;
  for (let plane = 0; plane < planes; plane++, image += row * <usize>block) {
    let i: usize = 0;
    for (; i + 16 <= row; i += 16, from += pixel << 2) {
      let to = image + i;
      for (let c: usize = 0; c < pixel; c += 16, to += row << 2) transpose(from + c, pixel, to, row);
    }
    for (; i < row; i += 4) {
      for (let to = image + i, end = from + pixel; from < end; from += 4, to += row) store<f32>(to, load<f32>(from));
    }
  }
}

/** 4 x 4 numbers; rows are `step` and `outStep` bytes apart. */
// @ts-ignore: decorator
@inline
function transpose(x: usize, step: usize, out: usize, outStep: usize): void {
  const a = v128.load(x), b = v128.load(x + step), c = v128.load(x + 2 * step), d = v128.load(x + 3 * step);
  const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5), ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5), cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
  v128.store(out + outStep, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7));
  v128.store(out + 2 * outStep, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5));
  v128.store(out + 3 * outStep, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7));
}

/** [planes, h, w, block] to plain images of even and odd rows and columns: ee, eo, oe, oo [planes, block, ...]. */
export function splitBlocked(
  x: usize, ee: usize, eo: usize, oe: usize, oo: usize, planes: i32, block: i32, h: i32, w: i32,
): void {
  const row = <usize>(w * block) << 2;
  const evenColumns = (w + 1) >> 1;
  const oddColumns = w >> 1;
  const evenRows = <usize>((h + 1) >> 1);
  const oddRows = <usize>(h >> 1);
  let from = x;
  for (let plane = 0; plane < planes; plane++) {
    for (let i = 0; i < h; i++, from += row) {
      const at = <usize>(i >> 1) << 2;
      if (i & 1) {
        spread(from, oe + at * evenColumns, evenColumns, block, (oddRows * evenColumns) << 2);
        spread(from + (<usize>block << 2), oo + at * oddColumns, oddColumns, block, (oddRows * oddColumns) << 2);
      } else {
        spread(from, ee + at * evenColumns, evenColumns, block, (evenRows * evenColumns) << 2);
        spread(from + (<usize>block << 2), eo + at * oddColumns, oddColumns, block, (evenRows * oddColumns) << 2);
      }
    }
    ee += (evenRows * evenColumns * block) << 2;
    eo += (evenRows * oddColumns * block) << 2;
    oe += (oddRows * evenColumns * block) << 2;
    oo += (oddRows * oddColumns * block) << 2;
  }
}

/** Every second pixel of a row to `count` numbers of each channel's image, images `step` bytes apart. */
// @ts-ignore: decorator
@inline
function spread(from: usize, to: usize, count: i32, block: i32, step: usize): void {
  const pixel = <usize>block << 2;
  let j = 0;
  for (; j + 4 <= count; j += 4, from += pixel << 3, to += 16) {
    let image = to;
    for (let c: usize = 0; c < pixel; c += 16, image += step << 2) transpose(from + c, pixel << 1, image, step);
  }
  for (; j < count; j++, from += pixel << 1, to += 4) {
    let image = to;
    for (let c: usize = 0; c < pixel; c += 4, image += step) store<f32>(image, load<f32>(from + c));
  }
}

/** `biasAct` of `activation.ts`; bias [blocks * block] or 0. */
export function biasActBlocked(
  x: usize, bias: usize, y: usize, batch: i32, blocks: i32, block: i32, pixels: i32, slope: f32, gain: f32, clamp: f32,
): void {
  const slopes = f32x4.splat(slope);
  const gains = f32x4.splat(gain);
  const high = f32x4.splat(clamp > 0 ? clamp : Infinity);
  const low = f32x4.neg(high);
  const pixel = <usize>block << 2;
  let at: usize = 0;
  for (let n = 0; n < batch; n++) {
    for (let k = 0; k < blocks; k++) {
      const shifts = bias + <usize>k * pixel;
      for (let p = 0; p < pixels; p++) {
        for (let c: usize = 0; c < pixel; c += 16, at += 16) {
          const raw = v128.load(x + at);
          const v = bias == 0 ? raw : f32x4.add(raw, v128.load(shifts + c));
          const bent = f32x4.mul(f32x4.pmax(v, f32x4.mul(v, slopes)), gains);
          v128.store(y + at, f32x4.pmax(f32x4.pmin(bent, high), low));
        }
      }
    }
  }
}

/**
 * `biasActGrad` of `activation.ts`; db [blocks * block] or 0. Sums run over the pixels of a plane, then over the batch:
 * always in this order, in single precision.
 */
export function biasActGradBlocked(
  g: usize, y: usize, dx: usize, db: usize,
  batch: i32, blocks: i32, block: i32, pixels: i32, slope: f32, gain: f32, clamp: f32,
): void {
  const positive = f32x4.splat(gain);
  const negative = f32x4.splat(gain * slope);
  const high = f32x4.splat(clamp > 0 ? clamp : NaN);
  const pixel = <usize>block << 2;
  const plane = pixel * <usize>pixels;
  if (db != 0) memory.fill(db, 0, <usize>blocks * pixel);
  for (let n = 0; n < batch; n++) {
    for (let k = 0; k < blocks; k++) {
      const start = <usize>(n * blocks + k) * plane;
      const end = start + plane;
      // Eight channels at a time: a block is one or two of these.
      for (let c: usize = 0; c < pixel; c += 32) {
        let s0 = f32x4.splat(0), s1 = f32x4.splat(0);
        for (let at = start + c; at < end; at += pixel) {
          s0 = f32x4.add(s0, bent(g, y, dx, at, positive, negative, high));
          s1 = f32x4.add(s1, bent(g, y, dx, at + 16, positive, negative, high));
        }
        if (db != 0) {
          const to = db + <usize>k * pixel + c;
          v128.store(to, f32x4.add(v128.load(to), s0));
          v128.store(to, f32x4.add(v128.load(to, 16), s1), 16);
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function bent(g: usize, y: usize, dx: usize, at: usize, positive: v128, negative: v128, high: v128): v128 {
  const value = v128.load(y + at);
  const slope = v128.bitselect(positive, negative, f32x4.gt(value, f32x4.splat(0)));
  const v = v128.andnot(f32x4.mul(v128.load(g + at), slope), f32x4.ge(f32x4.abs(value), high));
  v128.store(dx + at, v);
  return v;
}

/** The rows of one output row, blended at the column that begins `at` bytes into them; zeros outside of [0, end). */
// @ts-ignore: decorator
@inline
function blended4(at: usize, end: usize, a: usize, b: usize, c: usize, d: usize, wa: v128, wb: v128, wc: v128, wd: v128): v128 {
  // What lies before the first column has wrapped round to a large number.
  if (at >= end) return f32x4.splat(0);
  const ab = madd(v128.load(b + at), wb, f32x4.mul(v128.load(a + at), wa));
  return madd(v128.load(d + at), wd, madd(v128.load(c + at), wc, ab));
}

// @ts-ignore: decorator
@inline
function blended2(at: usize, end: usize, a: usize, b: usize, wa: v128, wb: v128): v128 {
  if (at >= end) return f32x4.splat(0);
  return madd(v128.load(b + at), wb, f32x4.mul(v128.load(a + at), wa));
}

// @ts-ignore: decorator
@inline
function weighted(p: v128, q: v128, r: v128, s: v128, c0: v128, c1: v128, c2: v128, c3: v128): v128 {
  return madd(s, c3, madd(r, c2, madd(q, c1, f32x4.mul(p, c0))));
}

/**
 * `upfirdn` of `fir.ts`; `planes` are images times blocks. The scratch memory holds a row.
 *
 * Four channels at a time walk along the row, and the columns that are still heard stay in registers.
 */
export function upfirdnBlocked(
  x: usize, out: usize, scratch: usize,
  planes: i32, block: i32, h: i32, w: i32, outH: i32, outW: i32, up: i32, down: i32, top: i32, left: i32,
  r0: f32, r1: f32, r2: f32, r3: f32, c0: f32, c1: f32, c2: f32, c3: f32,
): void {
  const pixel = <usize>block << 2;
  const row = <usize>w * pixel;
  memory.fill(scratch, 0, row);
  const rows0 = f32x4.splat(r0), rows1 = f32x4.splat(r1), rows2 = f32x4.splat(r2), rows3 = f32x4.splat(r3);
  const columns0 = f32x4.splat(c0), columns1 = f32x4.splat(c1);
  const columns2 = f32x4.splat(c2), columns3 = f32x4.splat(c3);
  const outRow = <usize>outW * pixel;
  let target = out;
  for (let plane = 0; plane < planes; plane++) {
    const image = x + <usize>plane * row * <usize>h;
    for (let i = 0; i < outH; i++, target += outRow) {
      const first = i * down - top;
      if (up == 2) {
        // Only every second tap meets a row that is not inserted, and so it is with columns.
        const m = (first + 1) >> 1;
        const wa = first & 1 ? rows1 : rows0;
        const wb = first & 1 ? rows3 : rows2;
        const start = (-left) >> 1;
        for (let lane: usize = 0; lane < pixel; lane += 16) {
          const a = (m >= 0 && m < h ? image + <usize>m * row : scratch) + lane;
          const b = (m + 1 >= 0 && m + 1 < h ? image + <usize>(m + 1) * row : scratch) + lane;
          let at = <usize>(start * <i32>pixel);
          let p = blended2(at, row, a, b, wa, wb);
          let q = blended2(at + pixel, row, a, b, wa, wb);
          at += pixel << 1;
          let to = target + lane;
          for (let u = 2 * start + left; u < outW; u += 2, at += pixel) {
            const r = blended2(at, row, a, b, wa, wb);
            if (u >= 0) {
              v128.store(to, madd(q, columns2, f32x4.mul(p, columns0)));
              to += pixel;
            }
            if (u + 1 < outW) {
              v128.store(to, madd(r, columns3, f32x4.mul(q, columns1)));
              to += pixel;
            }
            p = q;
            q = r;
          }
        }
        continue;
      }
      for (let lane: usize = 0; lane < pixel; lane += 16) {
        const a = (first >= 0 && first < h ? image + <usize>first * row : scratch) + lane;
        const b = (first + 1 >= 0 && first + 1 < h ? image + <usize>(first + 1) * row : scratch) + lane;
        const c = (first + 2 >= 0 && first + 2 < h ? image + <usize>(first + 2) * row : scratch) + lane;
        const d = (first + 3 >= 0 && first + 3 < h ? image + <usize>(first + 3) * row : scratch) + lane;
        let at = <usize>(-left * <i32>pixel);
        let p = blended4(at, row, a, b, c, d, rows0, rows1, rows2, rows3);
        let q = blended4(at + pixel, row, a, b, c, d, rows0, rows1, rows2, rows3);
        at += pixel << 1;
        let to = target + lane;
        const end = to + outRow;
        if (down == 2) {
          for (; to < end; to += pixel, at += pixel << 1) {
            const r = blended4(at, row, a, b, c, d, rows0, rows1, rows2, rows3);
            const s = blended4(at + pixel, row, a, b, c, d, rows0, rows1, rows2, rows3);
            v128.store(to, weighted(p, q, r, s, columns0, columns1, columns2, columns3));
            p = r;
            q = s;
          }
        } else {
          let r = blended4(at, row, a, b, c, d, rows0, rows1, rows2, rows3);
          at += pixel;
          for (; to < end; to += pixel, at += pixel) {
            const s = blended4(at, row, a, b, c, d, rows0, rows1, rows2, rows3);
            v128.store(to, weighted(p, q, r, s, columns0, columns1, columns2, columns3));
            p = q;
            q = r;
            r = s;
          }
        }
      }
    }
  }
}

/** Images of even and odd rows and columns to one: ee [h+1, w+1], eo [h+1, w], oe [h, w+1], oo [h, w]. */
export function interleaveBlocked(
  ee: usize, eo: usize, oe: usize, oo: usize, out: usize, planes: i32, block: i32, h: i32, w: i32,
): void {
  const pixel = <usize>block << 2;
  let to = out;
  for (let plane = 0; plane < planes; plane++) {
    for (let i = 0; i < 2 * h + 1; i++) {
      for (let j = 0; j < w; j++) {
        for (let c: usize = 0; c < pixel; c += 16) {
          v128.store(to + c, v128.load((i & 1 ? oe : ee) + c));
          v128.store(to + pixel + c, v128.load((i & 1 ? oo : eo) + c));
        }
        if (i & 1) {
          oe += pixel;
          oo += pixel;
        } else {
          ee += pixel;
          eo += pixel;
        }
        to += pixel << 1;
      }
      for (let c: usize = 0; c < pixel; c += 16) v128.store(to + c, v128.load((i & 1 ? oe : ee) + c));
      if (i & 1) oe += pixel;
      else ee += pixel;
      to += pixel;
    }
  }
}

/**
 * A weight's taps for a blocked convolution: [out / block, in / block, taps, in block, out block], and
 * [out / block, in, taps, out block] for fewer inputs than a block. A tap (a, b) of `rows` x `columns` lies `first` + a
 * `rowStep` + b `columnStep` numbers into each kernel; kernels of an output (an input) lie `outStep` (`inStep`) apart.
 */
export function arrangeWeight(
  w: usize, out: usize, outs: i32, ins: i32, block: i32, rows: i32, columns: i32,
  outStep: i32, inStep: i32, first: i32, rowStep: i32, columnStep: i32,
): void {
  const group = min<i32>(block, ins);
  let to = out;
  for (let o = 0; o < outs; o += block) {
    for (let c = 0; c < ins; c += group) {
      for (let a = 0; a < rows; a++) {
        for (let b = 0; b < columns; b++) {
          const tap = first + a * rowStep + b * columnStep + o * outStep + c * inStep;
          for (let i = 0; i < group; i++) {
            let from = w + (<usize>(tap + i * inStep) << 2);
            for (let k = 0; k < block; k++, to += 4, from += <usize>outStep << 2) store<f32>(to, load<f32>(from));
          }
        }
      }
    }
  }
}
