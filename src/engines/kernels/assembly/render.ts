/**
 * The volume renderer over tiles of 4 x 4 rays: `renderRays` of `src/portrait/renderer.ts`.
 *
 * A tile keeps the decoder's hidden values of its samples (256 bytes each, 400 KB in all at 48 + 48 samples:
 * within a second-level cache) until the weights are known. If colours are a linear function of them, the
 * second layer runs once a ray, on their weighted sum, instead of once a sample.
 */

import { BLOCK, colourBlock, colourOfSum, DECODER_BYTES, packDecoder } from './render-decoder';
import { describePlanes } from './render-planes';
import {
  coarseCount,
  describeEntry,
  describeRays,
  farthestOf,
  fineCount,
  hidden,
  HIDDEN_BYTES,
  listRays,
  meanDepthOf,
  nearestOf,
  opacityOf,
  rayOf,
  rows,
  shares,
  take,
  TILE,
  traceTile,
} from './render-tile';

let activation: i32 = 0;
let colours: usize = 0; // [12, 32]
let sums: usize = 0; // [rays, 32]
let hiddenSum: usize = 0; // [64]
let gathered: usize = 0; // [12, 64]
let gatheredShares: usize = 0; // [12]

/** See `renderRays` in `src/portrait/renderer.ts` for what it computes; threads take tiles from the counter. */
export function renderRays(
  origins: usize, directions: usize, coarse: usize, quantiles: usize, planes: usize,
  w0: usize, b0: usize, w1: usize, b1: usize, coarseNoise: usize, fineNoise: usize,
  meshes: usize, maps: usize, coarseFaces: usize, fineFaces: usize,
  features: usize, depth: usize, opacity: usize, range: usize,
  counter: usize, scratch: usize, scratchBytes: usize,
  batch: i32, rays: i32, width: i32, coarseSamples: i32, fineSamples: i32, quantileStep: i32,
  layers: i32, side: i32, scale: f32, crop: f32, gain0: f32, gain1: f32, biasGain: f32,
  colourActivation: i32, whiteBack: i32, meshWords: i32, faceCount: i32,
): void {
  activation = colourActivation;
  describeRays(
    origins, directions, coarse, quantiles, quantileStep, coarseNoise, fineNoise, coarseFaces, fineFaces,
    faceCount, coarseSamples, fineSamples, crop, false, scratch, scratchBytes,
  );
  packDecoder(w0, b0, w1, b1, take(DECODER_BYTES), gain0, gain1, biasGain);
  colours = take(1536);
  sums = take(2048);
  hiddenSum = take(256);
  gathered = take(3072);
  gatheredShares = take(64);
  const entryBytes = describePlanes(side, layers, scale);
  const across = (width + TILE - 1) / TILE;
  const down = (rays / width + TILE - 1) / TILE;
  const tiles = batch * across * down;
  for (let tile = atomic.add<i32>(counter, 1); tile < tiles; tile = atomic.add<i32>(counter, 1)) {
    const entry = tile / (across * down);
    const count = listRays(entry * rays, tile % across, (tile / across) % down, width, rays / width);
    describeEntry(entry, planes, entryBytes, meshes, meshWords, maps);
    traceTile(count);
    for (let r = 0; r < count; r++) {
      const ray = rayOf(r);
      const mean = meanDepthOf(r);
      store<f32>(depth + (ray << 2), mean == mean ? mean : Infinity);
      store<f32>(opacity + (ray << 2), opacityOf(r));
      store<f32>(range + (ray << 3), nearestOf(r));
      store<f32>(range + (ray << 3), farthestOf(r), 4);
    }
    compose(count, features, opacity, whiteBack);
  }
}

function compose(count: i32, features: usize, opacity: usize, whiteBack: i32): void {
  if (activation == 0) {
    for (let r = 0; r < count; r++) {
      const total = sumHidden(r, hiddenSum);
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
export function sumHidden(r: i32, hiddenSum: usize): f32 {
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
