/**
 * The volume renderer over tiles of 4 x 4 rays: `renderRays` of `src/portrait/renderer.ts`, and `decodePoints`.
 *
 * A tile keeps the decoder's hidden values of its samples (256 bytes each, 400 KB in all at 48 + 48 samples:
 * within a second-level cache) until the weights are known. If colours are a linear function of them, the
 * second layer runs once a ray, on their weighted sum, instead of once a sample.
 */

import { BLOCK, colourBlock, colourOfSum, DECODER_BYTES, hiddenBlock, packDecoder } from './render-decoder';
import { forgetHints, MOVE_BYTES, movePoints } from './render-move';
import { describePlanes } from './render-planes';
import { importanceDepths, increases, marchWeights, mergePasses } from './render-rays';

const TILE: i32 = 4;
const TILE_RAYS: i32 = 16;
const HIDDEN_BYTES: usize = 256;
const CROPPED: f32 = -1000;
/** Depth steps of the coarse pass between two looks at what light is left. */
const CHUNK: i32 = 16;
/** A ray is left when less light than this passes its coarse samples so far; what lies behind counts as empty. */
const DARK: f32 = 1e-8;
/** Then at most this may pass in the end, or the tile is done again without leaving anything out. So opacities are
 * right to 1e-6, depths to 1e-6 of the range, features to 1e-6 of the largest colour. */
const LEAK: f32 = 1e-6;

// The call: set by `renderRays`, read by all that follows.
let texels: usize = 0;
let mesh: usize = 0; // block of the posed body, 0 without one
let batchBytes: usize = 0;
let coarseCount: i32 = 0;
let fineCount: i32 = 0;
let activation: i32 = 0;
let cropLimit: f32 = 0;
let evaluateAll: bool = false;

// Memory of a tile.
let xs: usize = 0;
let ys: usize = 0;
let zs: usize = 0;
let slots: usize = 0; // [rows] i32: ray of the tile * samples + sample
let sigma: usize = 0; // [rays, coarse + fine]: coarse samples, then the fine ones in drawn order
let rows: usize = 0; // [rays, coarse + fine] i32: row of hidden values, -1 for samples left out
let fineDepths: usize = 0; // [rays, fine]
let shares: usize = 0; // [rays, coarse + fine] weight of each sample
let hidden: usize = 0; // [rows, 64]
let keys: usize = 0;
let labels: usize = 0;
let depths: usize = 0;
let order: usize = 0;
let sorted: usize = 0;
let weights: usize = 0;
let colours: usize = 0; // [12, 32]
let sums: usize = 0; // [rays, 32]
let hiddenSum: usize = 0; // [64]
let gathered: usize = 0; // [12, 64]
let gatheredShares: usize = 0; // [12]
let moveScratch: usize = 0;
let stops: usize = 0; // [rays] i32: coarse samples looked at
let limits: usize = 0; // [rays]: depth of the first that is not
let light: usize = 0; // [rays]: what passes the coarse samples so far
let rayAt: usize = 0; // [rays] i32: index of the tile's rays in the call

let next: usize = 0;
function take(bytes: usize): usize {
  const at = next;
  next = (next + bytes + 63) & ~(<usize>63);
  return at;
}

/** Must agree with `scratchBytesOf` in `render.ts` of the folder above. */
function layOut(scratch: usize, scratchBytes: usize): usize {
  next = scratch;
  const decoder = take(DECODER_BYTES);
  const samples = <usize>(coarseCount + fineCount);
  const line = (samples + 8) << 2;
  const pass = (<usize>(TILE_RAYS * max(coarseCount, fineCount)) + 16) << 2;
  xs = take(pass);
  ys = take(pass);
  zs = take(pass);
  slots = take(pass);
  sigma = take(samples * 64);
  rows = take(samples * 64);
  shares = take(samples * 64);
  fineDepths = take(<usize>fineCount * 64);
  keys = take(line);
  labels = take(line);
  depths = take(line);
  order = take(line);
  sorted = take(line);
  weights = take(line);
  colours = take(1536);
  sums = take(2048);
  hiddenSum = take(256);
  gathered = take(3072);
  gatheredShares = take(64);
  rayAt = take(64);
  moveScratch = take(MOVE_BYTES);
  stops = take(64);
  limits = take(64);
  light = take(64);
  // Every chunk is padded to a whole block.
  hidden = take((samples * 16 + (<usize>(coarseCount / CHUNK) + 3) * BLOCK) * HIDDEN_BYTES);
  if (next > scratch + scratchBytes) unreachable();
  return decoder;
}

/** See `renderRays` in `src/portrait/renderer.ts` for what it computes; threads take tiles from the counter. */
export function renderRays(
  origins: usize, directions: usize, coarse: usize, quantiles: usize, planes: usize,
  w0: usize, b0: usize, w1: usize, b1: usize, coarseNoise: usize, fineNoise: usize, meshes: usize,
  features: usize, depth: usize, opacity: usize, range: usize,
  counter: usize, scratch: usize, scratchBytes: usize,
  batch: i32, rays: i32, width: i32, coarseSamples: i32, fineSamples: i32, quantileStep: i32,
  layers: i32, side: i32, scale: f32, crop: f32, gain0: f32, gain1: f32, biasGain: f32,
  colourActivation: i32, whiteBack: i32, meshWords: i32,
): void {
  coarseCount = coarseSamples;
  fineCount = fineSamples;
  activation = colourActivation;
  cropLimit = crop;
  packDecoder(w0, b0, w1, b1, layOut(scratch, scratchBytes), gain0, gain1, biasGain);
  batchBytes = describePlanes(side, layers, scale);
  const across = (width + TILE - 1) / TILE;
  const down = (rays / width + TILE - 1) / TILE;
  const tiles = batch * across * down;
  for (let tile = atomic.add<i32>(counter, 1); tile < tiles; tile = atomic.add<i32>(counter, 1)) {
    const entry = tile / (across * down);
    const count = listRays(entry * rays, tile % across, (tile / across) % down, width, rays / width);
    texels = planes + <usize>entry * batchBytes;
    mesh = meshes == 0 ? 0 : meshes + (<usize>(entry * meshWords) << 2);
    evaluateAll = false;
    for (;;) {
      openRays(count, coarse);
      const used = evaluate(count, origins, directions, coarse, coarseNoise, true, 0);
      if (fineCount > 0) {
        drawFine(count, coarse, quantiles, quantileStep);
        evaluate(count, origins, directions, fineDepths, fineNoise, false, used);
      }
      let complete = true;
      for (let r = 0; r < count; r++) {
        complete = march(r, coarse, depth, opacity, range) && complete;
      }
      // Incomplete: a cropped sample beside a density above 897 weighs something, so its colour is needed; or light
      // that the coarse samples stopped passes the fine ones, as at a thin shell.
      if (complete || evaluateAll) {
        compose(count, features, opacity, whiteBack);
        break;
      }
      evaluateAll = true;
    }
  }
}

function listRays(first: i32, tileX: i32, tileY: i32, width: i32, height: i32): i32 {
  let count = 0;
  for (let y = tileY * TILE; y < min(tileY * TILE + TILE, height); y++) {
    for (let x = tileX * TILE; x < min(tileX * TILE + TILE, width); x++) {
      store<i32>(rayAt + (<usize>count << 2), first + y * width + x);
      count++;
    }
  }
  return count;
}

// @ts-ignore: decorator
@inline
function rayOf(r: i32): usize {
  return <usize>load<i32>(rayAt + (<usize>r << 2));
}

/** Densities of one pass of the tile, and its hidden values from row `base` on; returns the rows used so far. */
function evaluate(
  count: i32, origins: usize, directions: usize, at: usize, noise: usize, isCoarse: bool, base: i32,
): i32 {
  const samples = isCoarse ? coarseCount : fineCount;
  const chunk = isCoarse && !evaluateAll ? CHUNK : samples;
  if (mesh != 0) forgetHints(moveScratch);
  for (let from = 0; from < samples; from += chunk) {
    const to = min(from + chunk, samples);
    const listed = listPoints(count, origins, directions, at, isCoarse, from, to);
    if (mesh != 0) movePoints(mesh, moveScratch, xs, ys, zs, slots, coarseCount + fineCount, listed);
    const kept = keepInside(listed, base);
    evaluateList(kept, base);
    base += ((kept + BLOCK - 1) / BLOCK) * BLOCK;
    if (noise != 0) addNoise(count, noise, isCoarse, from, to);
    if (to < samples) closeRays(count, at, from, to);
  }
  return base;
}

/** Points of the depth steps [from, to), one step after the other, so that neighbours in the list are neighbours in
 * space; without those of rays that are closed. Returns how many. */
function listPoints(
  count: i32, origins: usize, directions: usize, at: usize, isCoarse: bool, from: i32, to: i32,
): i32 {
  const samples = isCoarse ? coarseCount : fineCount;
  let point: usize = 0;
  for (let s = from; s < to; s++) {
    for (let r = 0; r < count; r++) {
      const ray = rayOf(r);
      const slot = r * (coarseCount + fineCount) + (isCoarse ? s : coarseCount + s);
      const t = load<f32>(at + (((isCoarse ? ray : <usize>r) * <usize>samples + <usize>s) << 2));
      const mine = <usize>r << 2;
      if (isCoarse ? s >= load<i32>(stops + mine) : t >= load<f32>(limits + mine)) {
        store<f32>(sigma + (<usize>slot << 2), CROPPED);
        store<i32>(rows + (<usize>slot << 2), -1);
        continue;
      }
      const o = origins + ray * 12;
      const d = directions + ray * 12;
      store<f32>(xs + point, load<f32>(o) + load<f32>(d) * t);
      store<f32>(ys + point, load<f32>(o, 4) + load<f32>(d, 4) * t);
      store<f32>(zs + point, load<f32>(o, 8) + load<f32>(d, 8) * t);
      store<i32>(slots + point, slot);
      point += 4;
    }
  }
  return <i32>(point >> 2);
}

/** Closes up the list over cropped points, and pads it to a whole block. */
function keepInside(listed: i32, base: i32): i32 {
  let kept = 0;
  for (let point: usize = 0; point < <usize>listed << 2; point += 4) {
    const slot = load<i32>(slots + point);
    const x = load<f32>(xs + point);
    const z = load<f32>(zs + point);
    const cropped = abs(x) > cropLimit || abs(z) > cropLimit;
    store<f32>(sigma + (<usize>slot << 2), cropped ? CROPPED : 0);
    if (cropped && !evaluateAll) {
      store<i32>(rows + (<usize>slot << 2), -1);
    } else {
      const to = <usize>kept << 2;
      store<f32>(xs + to, x);
      store<f32>(ys + to, load<f32>(ys + point));
      store<f32>(zs + to, z);
      store<i32>(slots + to, slot);
      store<i32>(rows + (<usize>slot << 2), base + kept);
      kept++;
    }
  }
  const end = <usize>kept << 2;
  memory.fill(xs + end, 0, 48);
  memory.fill(ys + end, 0, 48);
  memory.fill(zs + end, 0, 48);
  return kept;
}

/** Noise is given in the order [ray, sample]; what is left out stays empty. */
function addNoise(count: i32, noise: usize, isCoarse: bool, from: i32, to: i32): void {
  const samples = isCoarse ? coarseCount : fineCount;
  const shift = isCoarse ? 0 : coarseCount;
  for (let r = 0; r < count; r++) {
    for (let s = from; s < to; s++) {
      const slot = sigma + (<usize>(r * (coarseCount + fineCount) + shift + s) << 2);
      const value = load<f32>(slot);
      if (value == CROPPED) continue;
      store<f32>(slot, value + load<f32>(noise + ((rayOf(r) * <usize>samples + <usize>s) << 2)));
    }
  }
}

/** Light enters; only rays whose depths increase may be closed. */
function openRays(count: i32, coarse: usize): void {
  for (let r = 0; r < count; r++) {
    const at = <usize>r << 2;
    const ordered = increases(coarse + ((rayOf(r) * <usize>coarseCount) << 2), coarseCount);
    store<i32>(stops + at, coarseCount);
    store<f32>(limits + at, Infinity);
    store<f32>(light + at, ordered ? 1 : Infinity);
  }
}

/** Takes the coarse samples [from, to) off the light of each ray, and closes rays that are dark. */
function closeRays(count: i32, coarse: usize, from: i32, to: i32): void {
  const first = max(from - 1, 0);
  for (let r = 0; r < count; r++) {
    const at = <usize>r << 2;
    if (load<i32>(stops + at) < coarseCount) continue;
    const t = coarse + ((rayOf(r) * <usize>coarseCount) << 2);
    const values = sigma + (<usize>(r * (coarseCount + fineCount) + first) << 2);
    const left = load<f32>(light + at) * marchWeights(t + (<usize>first << 2), values, to - first, weights);
    store<f32>(light + at, left);
    if (left < DARK) {
      store<i32>(stops + at, to);
      store<f32>(limits + at, load<f32>(t + (<usize>to << 2)));
    }
  }
}

function evaluateList(count: i32, base: i32): void {
  for (let b = 0; b < count; b += BLOCK) {
    const at = <usize>b << 2;
    const found = hiddenBlock(texels, xs + at, ys + at, zs + at, hidden + <usize>(base + b) * HIDDEN_BYTES);
    const filled = min(BLOCK, count - b);
    for (let i: usize = 0; i < <usize>filled; i++) {
      const slot = sigma + (<usize>load<i32>(slots + at + (i << 2)) << 2);
      if (load<f32>(slot) != CROPPED) store<f32>(slot, load<f32>(found + (i << 2)));
    }
  }
}

function drawFine(count: i32, coarse: usize, quantiles: usize, quantileStep: i32): void {
  const stride = coarseCount + fineCount;
  for (let r = 0; r < count; r++) {
    const ray = rayOf(r);
    const t = coarse + ((ray * <usize>coarseCount) << 2);
    marchWeights(t, sigma + (<usize>(r * stride) << 2), coarseCount, weights);
    const u = quantiles + ((ray * <usize>quantileStep) << 2);
    importanceDepths(t, weights, coarseCount, u, fineCount, keys, fineDepths + (<usize>(r * fineCount) << 2));
  }
}

/** Shares of the samples of one ray; false if a sample without hidden values has one. */
function march(r: i32, coarse: usize, depth: usize, opacity: usize, range: usize): bool {
  const samples = coarseCount + fineCount;
  const ray = rayOf(r);
  const t = coarse + ((ray * <usize>coarseCount) << 2);
  const first = <usize>(r * samples) << 2;
  const end = <usize>samples << 2;
  if (fineCount > 0) {
    mergePasses(t, coarseCount, fineDepths + (<usize>(r * fineCount) << 2), fineCount, keys, labels, depths, order);
  } else {
    memory.copy(depths, t, end);
    for (let i: usize = 0; i < end; i += 4) store<i32>(order + i, <i32>(i >> 2));
  }
  for (let i: usize = 0; i < end; i += 4) {
    store<f32>(sorted + i, load<f32>(sigma + first + (<usize>load<i32>(order + i) << 2)));
  }
  const passed = marchWeights(depths, sorted, samples, weights);
  let total: f32 = 0;
  let along: f32 = 0;
  let before: f32 = 0;
  let near = load<f32>(depths);
  let far = near;
  let complete = load<i32>(stops + (<usize>r << 2)) == coarseCount || passed <= LEAK;
  for (let i: usize = 0; i < end; i += 4) {
    const here = load<f32>(depths + i);
    near = min(near, here);
    far = max(far, here);
    let w: f32 = 0;
    if (i + 4 < end) {
      w = load<f32>(weights + i);
      total += w;
      along += w * ((load<f32>(depths + i, 4) + here) * 0.5);
    }
    const share: f32 = (before + w) * 0.5;
    before = w;
    const slot = first + (<usize>load<i32>(order + i) << 2);
    store<f32>(shares + slot, share);
    if (load<i32>(rows + slot) < 0 && share != 0) complete = false;
  }
  const mean = along / total;
  store<f32>(depth + (ray << 2), mean == mean ? mean : Infinity);
  store<f32>(opacity + (ray << 2), total);
  store<f32>(range + (ray << 3), near);
  store<f32>(range + (ray << 3), far, 4);
  return complete;
}

function compose(count: i32, features: usize, opacity: usize, whiteBack: i32): void {
  if (activation == 0) {
    for (let r = 0; r < count; r++) {
      const total = sumHidden(r);
      colourOfSum(hiddenSum, total, sums + (<usize>r << 7));
    }
  } else sumColours(count);
  for (let r = 0; r < count; r++) {
    const ray = rayOf(r);
    const behind = f32x4.splat(whiteBack ? 1 - load<f32>(opacity + (ray << 2)) : 0);
    for (let c: usize = 0; c < 128; c += 16) {
      v128.store(features + (ray << 7) + c, f32x4.add(v128.load(sums + (<usize>r << 7) + c), behind));
    }
  }
}

/** Weighted sum of a ray's hidden values, sixteen of them at a time; returns the sum of the weights. */
function sumHidden(r: i32): f32 {
  const first = <usize>(r * (coarseCount + fineCount)) << 2;
  const end = first + (<usize>(coarseCount + fineCount) << 2);
  let total: f32 = 0;
  for (let part: usize = 0; part < HIDDEN_BYTES; part += 64) {
    let a = f32x4.splat(0);
    let b = a, c = a, d = a;
    for (let slot = first; slot < end; slot += 4) {
      const share = load<f32>(shares + slot);
      if (share == 0) continue;
      if (part == 0) total += share;
      const at = hidden + <usize>load<i32>(rows + slot) * HIDDEN_BYTES + part;
      const w = f32x4.splat(share);
      a = f32x4.add(a, f32x4.mul(w, v128.load(at)));
      b = f32x4.add(b, f32x4.mul(w, v128.load(at, 16)));
      c = f32x4.add(c, f32x4.mul(w, v128.load(at, 32)));
      d = f32x4.add(d, f32x4.mul(w, v128.load(at, 48)));
    }
    v128.store(hiddenSum + part, a);
    v128.store(hiddenSum + part, b, 16);
    v128.store(hiddenSum + part, c, 32);
    v128.store(hiddenSum + part, d, 48);
  }
  return total;
}

/** For colours that are no linear function of the hidden values: every sample's own, twelve at a time. */
function sumColours(count: i32): void {
  const samples = coarseCount + fineCount;
  memory.fill(sums, 0, 2048);
  for (let r = 0; r < count; r++) {
    const target = sums + (<usize>r << 7);
    const first = <usize>(r * samples) << 2;
    const end = first + (<usize>samples << 2);
    let filled = 0;
    for (let slot = first; slot < end; slot += 4) {
      const row = load<i32>(rows + slot);
      if (load<f32>(shares + slot) != 0) {
        memory.copy(gathered + <usize>filled * HIDDEN_BYTES, hidden + <usize>row * HIDDEN_BYTES, HIDDEN_BYTES);
        store<f32>(gatheredShares + (<usize>filled << 2), load<f32>(shares + slot));
        filled++;
      }
      if (filled == BLOCK || (slot + 4 == end && filled > 0)) {
        addColours(filled, target);
        filled = 0;
      }
    }
  }
}

function addColours(filled: i32, target: usize): void {
  colourBlock(gathered, colours, activation);
  for (let i: usize = 0; i < <usize>filled; i++) {
    const w = f32x4.splat(load<f32>(gatheredShares + (i << 2)));
    for (let c: usize = 0; c < 128; c += 16) {
      const colour = v128.load(colours + (i << 7) + c);
      v128.store(target + c, f32x4.add(v128.load(target + c), f32x4.mul(w, colour)));
    }
  }
}
