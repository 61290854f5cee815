/**
 * The way back through the decoder on lists of rows: from cotangents of densities and colours to those of the
 * looked-up features, and sums for the weights.
 *
 * Sums of a tile are apart from those of a job, so that no sum in single precision has more than a few thousand terms.
 */

import { madd, softplusSlope } from './render-math';
import { BLOCK, colourBlock, density, first, LRELU, multiply, second, SIGMOID } from './render-decoder';

/** Rows that go through together. */
export const GROUP: i32 = 48;

/** Floats of the sums: [64, 32], [64], [33, 64], [36]. */
const SUMS: usize = 2048 + 64 + 2112 + 36;
export const SUM_BYTES: usize = (SUMS << 2) + 48;
const B0: usize = 8192;
const W1: usize = 8448;
const B1: usize = 16896;

let back0: usize = 0; // [4, 64, 8]: groups of features, hidden values, features of the group
let back1: usize = 0; // [8, 32, 8]: groups of hidden values, colours, hidden values of the group
let rows1: usize = 0; // [32, 64]: colours, hidden values
let nothing: usize = 0; // [64] zeros
let sums: usize = 0; // of the tile
let colours: usize = 0; // [12, 32]
/** Cotangents before the softplus [48, 64]. */
export let inner: usize = 0;

/** Bytes of `packDecoderBack`'s memory. */
export const BACK_BYTES: usize = 8192 * 3 + 256 + SUM_BYTES + 1536 + <usize>GROUP * 256;

/** Lays the weights out once more, after `packDecoder`. */
export function packDecoderBack(at: usize): void {
  back0 = at;
  back1 = back0 + 8192;
  rows1 = back1 + 8192;
  nothing = rows1 + 8192;
  colours = nothing + 256;
  inner = colours + 1536;
  sums = inner + <usize>GROUP * 256;
  memory.fill(nothing, 0, 256);
  for (let k: usize = 0; k < 64; k++) {
    for (let c: usize = 0; c < 32; c++) {
      const w0 = load<f32>(first + ((((k >> 3) * 32 + c) * 8 + (k & 7)) << 2));
      store<f32>(back0 + ((((c >> 3) * 64 + k) * 8 + (c & 7)) << 2), w0);
      const w1 = load<f32>(second + ((((c >> 3) * 64 + k) * 8 + (c & 7)) << 2));
      store<f32>(back1 + ((((k >> 3) * 32 + c) * 8 + (k & 7)) << 2), w1);
      store<f32>(rows1 + ((c * 64 + k) << 2), w1);
    }
  }
}

/** Starts the sums of a tile. */
export function openSums(): void {
  memory.fill(sums, 0, SUM_BYTES);
}

/** Adds the sums of the tile to those of a job. */
export function closeSums(job: usize): void {
  for (let i: usize = 0; i < SUMS << 2; i += 16) {
    v128.store(job + i, f32x4.add(v128.load(job + i), v128.load(sums + i)));
  }
}

/** Hidden values' cotangent [64] of a colour cotangent [32], where colours are linear in them. */
export function toneOf(cotangent: usize, tone: usize): void {
  for (let k: usize = 0; k < 256; k += 16) {
    let sum = f32x4.splat(0);
    for (let c: usize = 0; c < 32; c++) {
      sum = madd(v128.load32_splat(cotangent + (c << 2)), v128.load(rows1 + (c << 8) + k), sum);
    }
    v128.store(tone + k, sum);
  }
}

/** Adds what a ray does to the second layer where colours are linear: cotangent [32], its sum of hidden values. */
export function addColourSums(cotangent: usize, hiddenSum: usize, total: f32): void {
  for (let c: usize = 0; c < 128; c += 4) {
    const g = v128.load32_splat(cotangent + c);
    const to = sums + W1 + 256 + (c << 6);
    for (let k: usize = 0; k < 256; k += 16) {
      v128.store(to + k, madd(g, v128.load(hiddenSum + k), v128.load(to + k)));
    }
    const bias = sums + B1 + 4 + c;
    store<f32>(bias, load<f32>(bias) + load<f32>(cotangent + c) * total);
  }
}

/** c [m, n] += a [count, m] transposed times b [count, n]; m in fours, n in eights. */
function addProducts(
  a: usize, aBytes: usize, m: usize, b: usize, bBytes: usize, n: usize, count: usize, c: usize,
): void {
  const cBytes = n << 2;
  const end = a + count * aBytes;
  for (let i: usize = 0; i < m << 2; i += 16) {
    for (let j: usize = 0; j < cBytes; j += 32) {
      const at = c + (i >> 2) * cBytes + j;
      let p0 = v128.load(at);
      let p1 = v128.load(at, 16);
      let q0 = v128.load(at + cBytes);
      let q1 = v128.load(at + cBytes, 16);
      let r0 = v128.load(at + 2 * cBytes);
      let r1 = v128.load(at + 2 * cBytes, 16);
      let s0 = v128.load(at + 3 * cBytes);
      let s1 = v128.load(at + 3 * cBytes, 16);
      let y = b + j;
      for (let x = a; x < end; x += aBytes) {
        const y0 = v128.load(y);
        const y1 = v128.load(y, 16);
        y += bBytes;
        const p = v128.load32_splat(x + i);
        p0 = madd(p, y0, p0);
        p1 = madd(p, y1, p1);
        const q = v128.load32_splat(x + i, 4);
        q0 = madd(q, y0, q0);
        q1 = madd(q, y1, q1);
        const r = v128.load32_splat(x + i, 8);
        r0 = madd(r, y0, r0);
        r1 = madd(r, y1, r1);
        const s = v128.load32_splat(x + i, 12);
        s0 = madd(s, y0, s0);
        s1 = madd(s, y1, s1);
      }
      v128.store(at, p0);
      v128.store(at, p1, 16);
      v128.store(at + cBytes, q0);
      v128.store(at + cBytes, q1, 16);
      v128.store(at + 2 * cBytes, r0);
      v128.store(at + 2 * cBytes, r1, 16);
      v128.store(at + 3 * cBytes, s0);
      v128.store(at + 3 * cBytes, s1, 16);
    }
  }
}

/** Cotangents of hidden values from those of colours, row by row, for a block of rows: to `to` [12, 64]; and what
 * they do to the second layer.
 *
 * @param cotangents [12] pointers to cotangents [32] of activated colours
 * @param factors    [12] what they are multiplied by
 */
export function backColours(hidden: usize, cotangents: usize, factors: usize, activation: i32, to: usize): void {
  // The slopes of the activation can be read off its values.
  colourBlock(hidden, colours, activation);
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < <usize>BLOCK; i++) {
    const cotangent = <usize>load<u32>(cotangents + (i << 2));
    const factor = v128.load32_splat(factors + (i << 2));
    for (let c: usize = 0; c < 128; c += 16) {
      const at = colours + (i << 7) + c;
      const value = v128.load(at);
      let g = f32x4.mul(factor, v128.load(cotangent + c));
      if (activation == SIGMOID) {
        const s = f32x4.mul(f32x4.add(value, f32x4.splat(0.001)), f32x4.splat(1 / 1.002));
        g = f32x4.mul(g, f32x4.mul(f32x4.splat(1.002), f32x4.mul(s, f32x4.sub(one, s))));
      } else if (activation == LRELU) {
        const rises = f32x4.ge(value, f32x4.splat(0));
        const steep = f32x4.splat(1.4142135623730951);
        g = f32x4.mul(g, v128.bitselect(steep, f32x4.mul(steep, f32x4.splat(0.2)), rises));
      }
      v128.store(at, g);
      const bias = sums + B1 + 4 + c;
      v128.store(bias, f32x4.add(v128.load(bias), g));
    }
  }
  addProducts(colours, 128, 32, hidden, 256, 64, <usize>BLOCK, sums + W1 + 256);
  for (let four: usize = 0; four < 12; four += 4) {
    for (let group: usize = 0; group < 8; group++) {
      multiply(colours + four * 128, 32, back1 + (group << 10), nothing, to + four * 256 + (group << 5), 256);
    }
  }
}

/** Dots of activated colours of a block with cotangents: `cotangents` [12] pointers, to [12]. */
export function colourDots(hidden: usize, cotangents: usize, activation: i32, to: usize): void {
  colourBlock(hidden, colours, activation);
  for (let i: usize = 0; i < <usize>BLOCK; i++) {
    const cotangent = <usize>load<u32>(cotangents + (i << 2));
    let sum = f32x4.splat(0);
    for (let c: usize = 0; c < 128; c += 16) {
      sum = madd(v128.load(colours + (i << 7) + c), v128.load(cotangent + c), sum);
    }
    store<f32>(to + (i << 2), horizontal(sum));
  }
}

// @ts-ignore: decorator
@inline
export function horizontal(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Hidden values of a block [12, 64] and cotangents of its densities [12] to `to` [12, 64], before the softplus.
 *
 * @param tones   [12] pointers to cotangents [64] of hidden values, multiplied by `factors` [12]; 0 if `to` holds the
 *                cotangents from the colours
 */
export function backHidden(hidden: usize, densities: usize, tones: usize, factors: usize, to: usize): void {
  for (let k: usize = 0; k < 256; k += 16) {
    const weight = v128.load(density + k);
    let toDensity = v128.load(sums + W1 + k);
    let toBias = v128.load(sums + B0 + k);
    for (let i: usize = 0; i < <usize>BLOCK; i++) {
      const h = v128.load(hidden + (i << 8) + k);
      const g = v128.load32_splat(densities + (i << 2));
      const at = to + (i << 8) + k;
      let c: v128;
      if (tones != 0) {
        const tone = v128.load(<usize>load<u32>(tones + (i << 2)) + k);
        c = f32x4.mul(v128.load32_splat(factors + (i << 2)), tone);
      } else c = v128.load(at);
      toDensity = madd(g, h, toDensity);
      c = f32x4.mul(madd(g, weight, c), softplusSlope(h));
      toBias = f32x4.add(toBias, c);
      v128.store(at, c);
    }
    v128.store(sums + W1 + k, toDensity);
    v128.store(sums + B0 + k, toBias);
  }
  let total: f32 = 0;
  for (let i: usize = 0; i < <usize>BLOCK; i++) total += load<f32>(densities + (i << 2));
  store<f32>(sums + B1, load<f32>(sums + B1) + total);
}

/** Adds the group's rows to the sums of the first layer: `inner` with looked-up features [count, 32]. */
export function addFirst(looked: usize, count: i32): void {
  addProducts(inner, 256, 64, looked, 128, 32, <usize>count, sums);
}

/** Cotangents of the looked-up features of four rows of `inner` from `row` on: to [4, 32]. */
export function backFeatures(row: usize, to: usize): void {
  for (let group: usize = 0; group < 4; group++) {
    multiply(inner + (row << 8), 64, back0 + (group << 11), nothing, to + (group << 5), 128);
  }
}

/** Sums of `jobs` jobs, `stride` apart, to the gradients of the weights as they are stored; a pointer may be 0. */
export function finishDecoder(
  from: usize, jobs: i32, stride: usize, w0: usize, b0: usize, w1: usize, b1: usize,
  gain0: f32, gain1: f32, biasGain: f32,
): void {
  finishPart(from, jobs, stride, w0, 2048, gain0 / 3);
  finishPart(from + B0, jobs, stride, b0, 64, biasGain);
  finishPart(from + W1, jobs, stride, w1, 2112, gain1);
  finishPart(from + B1, jobs, stride, b1, 33, biasGain);
}

/** Sums `count` floats over copies that lie `stride` apart. */
export function finishPart(from: usize, copies: i32, stride: usize, to: usize, count: usize, gain: f32): void {
  if (to == 0) return;
  for (let i: usize = 0; i < count << 2; i += 4) {
    let at = from + i;
    let sum: f32 = 0;
    for (let copy = 0; copy < copies; copy++) {
      sum += load<f32>(at);
      at += stride;
    }
    store<f32>(to + i, sum * gain);
  }
}
