/**
 * The volume renderer's gradient: `renderRaysGrad` of `src/portrait/renderer.ts`, tile by tile as the renderer.
 *
 * A tile's samples are computed again; then each ray is marched back, and its samples go back through decoder and
 * planes. Tiles add to the gradients of a job: one slice of one batch entry, with an area of its own in the memory
 * that threads share. Which tiles a job has, and their order, is fixed; jobs are summed in their order. So the result
 * does not depend on the number of threads.
 */

import { BLOCK, DECODER_BYTES, packDecoder, secondBias, tap } from './render-decoder';
import {
  addColourSums,
  addFirst,
  BACK_BYTES,
  backColours,
  backFeatures,
  backHidden,
  closeSums,
  colourDots,
  finishDecoder,
  finishPart,
  GROUP,
  horizontal,
  inner,
  openSums,
  packDecoderBack,
  SUM_BYTES,
  toneOf,
} from './render-decoder-grad';
import { madd } from './render-math';
import { describePlanes, locate } from './render-planes';
import { pointGradients, scatter, sumRow } from './render-planes-grad';
import { opacitySlopes } from './render-rays';
import { sumHidden } from './render';
import {
  coarseCount,
  CROPPED,
  depthAt,
  depthsOf,
  describeEntry,
  describeRays,
  directionOf,
  faces,
  fineCount,
  hidden,
  HIDDEN_BYTES,
  listRays,
  looked,
  meanDepthOf,
  opacityOf,
  orderOf,
  originOf,
  rayOf,
  rows,
  shares,
  sigma,
  slots,
  sortedOf,
  take,
  texels,
  TILE,
  TILE_RAYS,
  traceTile,
  weightsOf,
  xs,
  ys,
  zs,
} from './render-tile';

// The call.
let activation: i32 = 0;
let ofFeatures: usize = 0; // cotangents; 0 where nothing flows back
let ofDepth: usize = 0;
let ofOpacity: usize = 0;
let whiteBehind: bool = false;

// The job's area.
let planeSums: usize = 0; // [3, layers, side, side, 32], 0 if nobody asks
let mapSums: usize = 0; // [faces, 12], 0 if nobody asks

// The tile.
let dots: usize = 0; // [rays, coarse + fine]: colours with the cotangent of the ray's features
let ofSigma: usize = 0; // [rays, coarse + fine]
let tones: usize = 0; // [rays, 64] cotangents of hidden values, where colours are linear
let colourCotangents: usize = 0; // [rays, 32]
let hiddenSum: usize = 0; // [64]
let alphas: usize = 0; // [coarse + fine]
let slopes: usize = 0;
let light: usize = 0;
let blockSigma: usize = 0; // [12]
let blockShares: usize = 0;
let blockTones: usize = 0;
let blockColours: usize = 0;
let blockDots: usize = 0;
let features: usize = 0; // [4, 32]
let texelDots: usize = 0; // [24, 4]
let moved: usize = 0; // [3, 4]

export function renderRaysGrad(
  origins: usize, directions: usize, coarse: usize, quantiles: usize, planes: usize,
  w0: usize, b0: usize, w1: usize, b1: usize, coarseNoise: usize, fineNoise: usize,
  meshes: usize, maps: usize, coarseFaces: usize, fineFaces: usize,
  features_: usize, depth: usize, opacity: usize,
  areas: usize, counter: usize, scratch: usize, scratchBytes: usize,
  batch: i32, rays: i32, width: i32, coarseSamples: i32, fineSamples: i32, quantileStep: i32,
  layers: i32, side: i32, scale: f32, crop: f32, gain0: f32, gain1: f32, biasGain: f32,
  colourActivation: i32, whiteBack: i32, meshWords: i32, faceCount: i32,
  slices: i32, areaBytes: usize, planeBytes: usize, mapBytes: usize,
): void {
  activation = colourActivation;
  ofFeatures = features_;
  ofDepth = depth;
  ofOpacity = opacity;
  whiteBehind = whiteBack != 0;
  describeRays(
    origins, directions, coarse, quantiles, quantileStep, coarseNoise, fineNoise, coarseFaces, fineFaces,
    faceCount, coarseSamples, fineSamples, crop, true, scratch, scratchBytes,
  );
  packDecoder(w0, b0, w1, b1, take(DECODER_BYTES), gain0, gain1, biasGain);
  packDecoderBack(take(BACK_BYTES));
  layOut();
  const entryBytes = describePlanes(side, layers, scale);
  const across = (width + TILE - 1) / TILE;
  const down = (rays / width + TILE - 1) / TILE;
  const jobs = batch * slices;
  for (let job = atomic.add<i32>(counter, 1); job < jobs; job = atomic.add<i32>(counter, 1)) {
    const entry = job / slices;
    const area = areas + <usize>job * areaBytes;
    memory.fill(area, 0, areaBytes);
    planeSums = planeBytes == 0 ? 0 : area;
    const decoder = area + planeBytes;
    mapSums = mapBytes == 0 ? 0 : decoder + SUM_BYTES;
    describeEntry(entry, planes, entryBytes, meshes, meshWords, maps);
    // Whole rows of tiles: neighbours share texels.
    for (let tileY = job % slices; tileY < down; tileY += slices) {
      for (let tileX = 0; tileX < across; tileX++) {
        const count = listRays(entry * rays, tileX, tileY, width, rays / width);
        openSums();
        backTile(count, traceTile(count));
        closeSums(decoder);
      }
    }
  }
}

function layOut(): void {
  const samples = <usize>(coarseCount + fineCount);
  const line = (samples + 8) << 2;
  dots = take(samples * 64);
  ofSigma = take(samples * 64);
  tones = take(<usize>TILE_RAYS * 256);
  colourCotangents = take(<usize>TILE_RAYS * 128);
  hiddenSum = take(256);
  alphas = take(line);
  slopes = take(line);
  light = take(line);
  blockSigma = take(64);
  blockShares = take(64);
  blockTones = take(64);
  blockColours = take(64);
  blockDots = take(64);
  features = take(512);
  texelDots = take(384);
  moved = take(48);
}

function backTile(count: i32, used: i32): void {
  for (let r = 0; r < count; r++) {
    const own = colourCotangents + (<usize>r << 7);
    if (ofFeatures == 0) memory.fill(own, 0, 128);
    else memory.copy(own, ofFeatures + (rayOf(r) << 7), 128);
    if (activation == 0) toneOf(own, tones + (<usize>r << 8));
  }
  if (activation == 0) {
    for (let r = 0; r < count; r++) linearDots(r);
  } else ownDots(used);
  for (let r = 0; r < count; r++) {
    marchBack(r);
    if (activation == 0) {
      const total = sumHidden(r, hiddenSum);
      addColourSums(colourCotangents + (<usize>r << 7), hiddenSum, total);
    }
  }
  for (let row = 0; row < used; row += GROUP) backRows(row, min(GROUP, used - row));
}

/** Dots of a ray's colours with their cotangent, where they are linear in the hidden values. */
function linearDots(r: i32): void {
  const samples = coarseCount + fineCount;
  const own = colourCotangents + (<usize>r << 7);
  let bias = f32x4.splat(0);
  for (let c: usize = 0; c < 128; c += 16) bias = madd(v128.load(secondBias + c), v128.load(own + c), bias);
  const constant = horizontal(bias);
  const tone = tones + (<usize>r << 8);
  const first = <usize>(r * samples) << 2;
  for (let slot = first; slot < first + (<usize>samples << 2); slot += 4) {
    const row = load<i32>(rows + slot);
    if (row < 0) {
      store<f32>(dots + slot, 0);
      continue;
    }
    const h = hidden + <usize>row * HIDDEN_BYTES;
    let a = f32x4.splat(0);
    let b = a, c = a, d = a;
    for (let k: usize = 0; k < 256; k += 64) {
      a = madd(v128.load(tone + k), v128.load(h + k), a);
      b = madd(v128.load(tone + k, 16), v128.load(h + k, 16), b);
      c = madd(v128.load(tone + k, 32), v128.load(h + k, 32), c);
      d = madd(v128.load(tone + k, 48), v128.load(h + k, 48), d);
    }
    store<f32>(dots + slot, constant + horizontal(f32x4.add(f32x4.add(a, b), f32x4.add(c, d))));
  }
}

/** The same where they are not: colours are computed again. */
function ownDots(used: i32): void {
  const samples = coarseCount + fineCount;
  memory.fill(dots, 0, <usize>samples * 64);
  for (let row = 0; row < used; row += BLOCK) {
    for (let i: usize = 0; i < <usize>BLOCK; i++) {
      const slot = max(load<i32>(slots + ((<usize>row + i) << 2)), 0);
      store<u32>(blockColours + (i << 2), <u32>(colourCotangents + (<usize>(slot / samples) << 7)));
    }
    colourDots(hidden + <usize>row * HIDDEN_BYTES, blockColours, activation, blockDots);
    for (let i: usize = 0; i < <usize>BLOCK; i++) {
      const slot = load<i32>(slots + ((<usize>row + i) << 2));
      if (slot >= 0) store<f32>(dots + (<usize>slot << 2), load<f32>(blockDots + (i << 2)));
    }
  }
}

/** Cotangents of the densities along a ray, from those of what it shows. */
function marchBack(r: i32): void {
  const samples = coarseCount + fineCount;
  const ray = rayOf(r);
  const first = <usize>(r * samples) << 2;
  const depths = depthsOf(r);
  const order = orderOf(r);
  const weights = weightsOf(r);
  opacitySlopes(depths, sortedOf(r), samples, alphas, slopes);
  // Every weight adds to the opacity, and pulls the mean depth towards it.
  const total = opacityOf(r);
  let all: f32 = ofOpacity == 0 ? 0 : load<f32>(ofOpacity + (ray << 2));
  let along: f32 = 0;
  if (whiteBehind) {
    let sum = f32x4.splat(0);
    for (let c: usize = 0; c < 128; c += 16) sum = f32x4.add(sum, v128.load(colourCotangents + (<usize>r << 7) + c));
    all -= horizontal(sum);
  }
  if (ofDepth != 0 && total > 0) {
    along = load<f32>(ofDepth + (ray << 2)) / total;
  }
  const mean: f32 = along == 0 ? 0 : meanDepthOf(r);
  const last = <usize>(samples - 1) << 2;
  let passed: f32 = 1;
  for (let i: usize = 0; i < last; i += 4) {
    store<f32>(light + i, passed);
    passed *= 1 - load<f32>(alphas + i) + 1e-10;
  }
  let behind: f32 = 0; // sum of what the weights behind do
  let after: f32 = 0; // cotangent of the middle density behind
  let slot = first + (<usize>load<i32>(order + last) << 2);
  for (let at: usize = last; at > 0; ) {
    at -= 4;
    const front = first + (<usize>load<i32>(order + at) << 2);
    const middle = (load<f32>(depths + at) + load<f32>(depths + at, 4)) * 0.5;
    const g = (load<f32>(dots + front) + load<f32>(dots + slot)) * 0.5 + all + along * (middle - mean);
    const ofAlpha = g * load<f32>(light + at) - behind / (1 - load<f32>(alphas + at) + 1e-10);
    const ofMiddle = ofAlpha * load<f32>(slopes + at);
    behind += g * load<f32>(weights + at);
    store<f32>(ofSigma + slot, load<f32>(sigma + slot) == CROPPED ? 0 : (after + ofMiddle) * 0.5);
    after = ofMiddle;
    slot = front;
  }
  store<f32>(ofSigma + slot, load<f32>(sigma + slot) == CROPPED ? 0 : after * 0.5);
}

/** Rows back through decoder and planes. */
function backRows(row: i32, count: i32): void {
  const samples = coarseCount + fineCount;
  let any = false;
  for (let b = 0; b < count; b += BLOCK) {
    for (let i: usize = 0; i < <usize>BLOCK; i++) {
      const slot = load<i32>(slots + ((<usize>(row + b) + i) << 2));
      const at = i << 2;
      const known = max(slot, 0);
      const share: f32 = slot < 0 ? 0 : load<f32>(shares + (<usize>slot << 2));
      const density: f32 = slot < 0 ? 0 : load<f32>(ofSigma + (<usize>slot << 2));
      store<f32>(blockShares + at, share);
      store<f32>(blockSigma + at, density);
      any = any || share != 0 || density != 0;
      const r = <usize>(known / samples);
      store<u32>(blockTones + at, <u32>(tones + (r << 8)));
      store<u32>(blockColours + at, <u32>(colourCotangents + (r << 7)));
    }
    const from = hidden + <usize>(row + b) * HIDDEN_BYTES;
    const to = inner + <usize>b * HIDDEN_BYTES;
    if (activation == 0) backHidden(from, blockSigma, blockTones, blockShares, to);
    else {
      backColours(from, blockColours, blockShares, activation, to);
      backHidden(from, blockSigma, 0, 0, to);
    }
  }
  if (!any) return;
  addFirst(looked + (<usize>row << 7), count);
  if (planeSums == 0 && mapSums == 0) return;
  for (let four = 0; four < count; four += 4) {
    backFeatures(four, features);
    backPoints(<usize>(row + four) << 2);
  }
}

/** Four rows back through the planes, from their features' cotangents. */
function backPoints(at: usize): void {
  const x = v128.load(xs + at);
  const y = v128.load(ys + at);
  const z = v128.load(zs + at);
  locate(x, y, z, tap);
  if (planeSums != 0) {
    for (let lane: usize = 0; lane < 16; lane += 4) {
      if (load<i32>(slots + at + lane) >= 0) scatter(planeSums, tap + lane, features + (lane << 5));
    }
  }
  if (mapSums == 0) return;
  pointGradients(texels, tap, features, x, y, z, texelDots, moved);
  const samples = coarseCount + fineCount;
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const slot = load<i32>(slots + at + lane);
    const face = load<i32>(faces + at + lane);
    if (slot < 0 || face < 0) continue;
    const ray = rayOf(slot / samples);
    const t = depthAt(slot);
    const o = originOf(ray);
    const d = directionOf(ray);
    const to = mapSums + <usize>face * 48;
    for (let axis: usize = 0; axis < 3; axis++) {
      const g = load<f32>(moved + (axis << 4) + lane);
      for (let k: usize = 0; k < 12; k += 4) {
        const entry = to + axis * 12 + k;
        store<f32>(entry, load<f32>(entry) + g * (load<f32>(o + k) + load<f32>(d + k) * t));
      }
      const shift = to + 36 + (axis << 2);
      store<f32>(shift, load<f32>(shift) + g);
    }
  }
}

/** Sums the jobs' areas; a pointer may be 0. Threads take rows of texels, then the decoder, then motions of faces. */
export function sumRenderGradients(
  areas: usize, planes: usize, w0: usize, b0: usize, w1: usize, b1: usize, maps: usize, counter: usize,
  batch: i32, layers: i32, side: i32, gain0: f32, gain1: f32, biasGain: f32,
  slices: i32, areaBytes: usize, planeBytes: usize, mapBytes: usize,
): void {
  const lines = planes == 0 ? 0 : 3 * layers * side;
  const row = <usize>side << 2;
  const channel = row * <usize>(side * layers);
  const jobs = batch * lines + 1 + (maps == 0 ? 0 : batch);
  for (let job = atomic.add<i32>(counter, 1); job < jobs; job = atomic.add<i32>(counter, 1)) {
    if (job < batch * lines) {
      const area = areas + <usize>(job / lines * slices) * areaBytes;
      const line = <usize>(job % (layers * side));
      const plane = <usize>(job / (layers * side));
      sumRow(
        area + <usize>(job % lines) * (<usize>side << 7), slices, areaBytes,
        planes + plane * 32 * channel + line * row, channel, <usize>side,
      );
    } else if (job == batch * lines) {
      finishDecoder(areas + planeBytes, batch * slices, areaBytes, w0, b0, w1, b1, gain0, gain1, biasGain);
    } else {
      const entry = <usize>(job - batch * lines - 1);
      const area = areas + entry * <usize>slices * areaBytes;
      finishPart(area + planeBytes + SUM_BYTES, slices, areaBytes, maps + entry * mapBytes, mapBytes >> 2, 1);
    }
  }
}
