/**
 * The decoder 32 -> 64 softplus -> 33 on blocks of twelve points.
 *
 * Products go four points by eight outputs at a time. More would not fit: V8 loads all that a loop's body needs
 * before it multiplies, so accumulators, weights and values share fifteen registers, and a spilled accumulator
 * costs its store and load in every turn (six points: 1.3 times slower).
 */

import { exp, madd, softplus } from './render-math';
import { lookUp, TAP_BYTES } from './render-planes';

export const BLOCK: i32 = 12;
const HIDDEN_BYTES: usize = 256;
const FEATURE_BYTES: usize = 128;

/** Where the decoder lies, set by `packDecoder`. */
export let first: usize = 0; // [8, 32, 8]: groups of outputs, inputs, outputs of the group
let firstBias: usize = 0; // [64]
export let density: usize = 0; // [64]
let densityBias: f32 = 0;
export let second: usize = 0; // [4, 64, 8]
export let secondBias: usize = 0; // [32]
export let tap: usize = 0;
/** Memory for what `hiddenBlock` looks up, where nobody needs it afterwards: [12, 32]. */
export let decoderFeatures: usize = 0;
let blockSigma: usize = 0; // [12]

/** Bytes of `packDecoder`'s memory. */
export const DECODER_BYTES: usize = (2048 + 64 + 64 + 2048 + 32 + 384 + 16) * 4 + TAP_BYTES;

/** Scales the weights [64, 32], [64], [33, 64], [33] and lays them out; a third of the first for the mean over planes. */
export function packDecoder(
  w0: usize, b0: usize, w1: usize, b1: usize, memory: usize, gain0: f32, gain1: f32, biasGain: f32,
): void {
  first = memory;
  firstBias = first + 8192;
  density = firstBias + 256;
  second = density + 256;
  secondBias = second + 8192;
  decoderFeatures = secondBias + 128;
  blockSigma = decoderFeatures + 1536;
  tap = blockSigma + 64;
  for (let out: usize = 0; out < 64; out++) {
    for (let k: usize = 0; k < 32; k++) {
      const value = (load<f32>(w0 + ((out * 32 + k) << 2)) * gain0) / 3;
      store<f32>(first + ((((out >> 3) * 32 + k) * 8 + (out & 7)) << 2), value);
    }
    store<f32>(firstBias + (out << 2), load<f32>(b0 + (out << 2)) * biasGain);
    store<f32>(density + (out << 2), load<f32>(w1 + (out << 2)) * gain1);
  }
  densityBias = load<f32>(b1) * biasGain;
  for (let out: usize = 0; out < 32; out++) {
    for (let k: usize = 0; k < 64; k++) {
      const value = load<f32>(w1 + (((out + 1) * 64 + k) << 2)) * gain1;
      store<f32>(second + ((((out >> 3) * 64 + k) * 8 + (out & 7)) << 2), value);
    }
    store<f32>(secondBias + (out << 2), load<f32>(b1 + ((out + 1) << 2)) * biasGain);
  }
}

/** y [4, ...] = x [4, inputs] times eight columns of packed weights, plus their biases. */
// @ts-ignore: decorator
@inline
export function multiply(x: usize, inputs: usize, w: usize, bias: usize, y: usize, yBytes: usize): void {
  const row = inputs << 2;
  let a0 = v128.load(bias);
  let a1 = v128.load(bias, 16);
  let b0 = a0, b1 = a1, c0 = a0, c1 = a1, d0 = a0, d1 = a1;
  const end = x + row;
  for (let at = x; at < end; at += 4) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    w += 32;
    const a = v128.load32_splat(at);
    a0 = madd(a, w0, a0);
    a1 = madd(a, w1, a1);
    const b = v128.load32_splat(at + row);
    b0 = madd(b, w0, b0);
    b1 = madd(b, w1, b1);
    const c = v128.load32_splat(at + 2 * row);
    c0 = madd(c, w0, c0);
    c1 = madd(c, w1, c1);
    const d = v128.load32_splat(at + 3 * row);
    d0 = madd(d, w0, d0);
    d1 = madd(d, w1, d1);
  }
  v128.store(y, a0);
  v128.store(y, a1, 16);
  v128.store(y + yBytes, b0);
  v128.store(y + yBytes, b1, 16);
  v128.store(y + 2 * yBytes, c0);
  v128.store(y + 2 * yBytes, c1, 16);
  v128.store(y + 3 * yBytes, d0);
  v128.store(y + 3 * yBytes, d1, 16);
}

// @ts-ignore: decorator
@inline
function dot4(h: usize): v128 {
  let a = f32x4.splat(0);
  let b = a, c = a, d = a;
  for (let i: usize = 0; i < 256; i += 16) {
    const w = v128.load(density + i);
    a = madd(w, v128.load(h + i), a);
    b = madd(w, v128.load(h + i, 256), b);
    c = madd(w, v128.load(h + i, 512), c);
    d = madd(w, v128.load(h + i, 768), d);
  }
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  const sum = f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
  return f32x4.add(sum, f32x4.splat(densityBias));
}

/** Twelve points (coordinates apart) to looked-up features [12, 32], hidden values [12, 64] and densities; returns
 * where the densities are. */
export function hiddenBlock(
  texels: usize, xs: usize, ys: usize, zs: usize, features: usize, hidden: usize,
): usize {
  for (let i: usize = 0; i < 3; i++) {
    const at = i << 4;
    lookUp(texels, v128.load(xs + at), v128.load(ys + at), v128.load(zs + at), tap, features + i * 512);
  }
  for (let four: usize = 0; four < 12; four += 4) {
    const from = features + four * FEATURE_BYTES;
    const to = hidden + four * HIDDEN_BYTES;
    for (let group: usize = 0; group < 8; group++) {
      multiply(from, 32, first + (group << 10), firstBias + (group << 5), to + (group << 5), HIDDEN_BYTES);
    }
  }
  for (let at = hidden; at < hidden + 12 * HIDDEN_BYTES; at += 64) {
    const a = softplus(v128.load(at));
    const b = softplus(v128.load(at, 16));
    const c = softplus(v128.load(at, 32));
    const d = softplus(v128.load(at, 48));
    v128.store(at, a);
    v128.store(at, b, 16);
    v128.store(at, c, 32);
    v128.store(at, d, 48);
  }
  for (let i: usize = 0; i < 3; i++) {
    v128.store(blockSigma + (i << 4), dot4(hidden + i * 4 * HIDDEN_BYTES));
  }
  return blockSigma;
}

/** Decoder activations: none, sigmoid(x) 1.002 - .001, leaky ReLU of slope .2 times root 2. */
export const SIGMOID: i32 = 1;
export const LRELU: i32 = 2;

/** Hidden values [12, 64] to colours [12, 32] with their activation. */
export function colourBlock(hidden: usize, rgb: usize, activation: i32): void {
  for (let four: usize = 0; four < 12; four += 4) {
    const from = hidden + four * HIDDEN_BYTES;
    const to = rgb + four * FEATURE_BYTES;
    for (let group: usize = 0; group < 4; group++) {
      multiply(from, 64, second + (group << 11), secondBias + (group << 5), to + (group << 5), FEATURE_BYTES);
    }
  }
  if (activation == 0) return;
  const one = f32x4.splat(1);
  for (let at = rgb; at < rgb + 12 * FEATURE_BYTES; at += 16) {
    const x = v128.load(at);
    if (activation == SIGMOID) {
      const s = f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))));
      v128.store(at, f32x4.sub(f32x4.mul(s, f32x4.splat(1.002)), f32x4.splat(0.001)));
    } else {
      const y = f32x4.pmax(x, f32x4.mul(x, f32x4.splat(0.2)));
      v128.store(at, f32x4.mul(y, f32x4.splat(1.4142135623730951)));
    }
  }
}

/** Features [32] = packed second layer times hidden sums [64] + biases times `total`: for linear colours. */
export function colourOfSum(hidden: usize, total: f32, rgb: usize): void {
  const t = f32x4.splat(total);
  for (let group: usize = 0; group < 4; group++) {
    let w = second + (group << 11);
    const bias = secondBias + (group << 5);
    let a = f32x4.mul(v128.load(bias), t);
    let b = f32x4.mul(v128.load(bias, 16), t);
    for (let at = hidden; at < hidden + HIDDEN_BYTES; at += 4) {
      const v = v128.load32_splat(at);
      a = madd(v, v128.load(w), a);
      b = madd(v, v128.load(w, 16), b);
      w += 32;
    }
    v128.store(rgb + (group << 5), a);
    v128.store(rgb + (group << 5), b, 16);
  }
}
