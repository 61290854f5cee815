/**
 * A tile of 4 x 4 rays: its samples with their densities and hidden values, and what weight each sample has.
 *
 * Everything of a tile lies in one thread's scratch memory. For a gradient (`keepRows`) more of it stays: where
 * each row's sample lies and what was looked up there, and the sorted lines of each ray.
 */

import { BLOCK, decoderFeatures, hiddenBlock } from './render-decoder';
import { forgetHints, MOVE_BYTES, movePoints } from './render-move';
import { importanceDepths, increases, marchWeights, mergePasses } from './render-rays';

export const TILE: i32 = 4;
export const TILE_RAYS: i32 = 16;
export const HIDDEN_BYTES: usize = 256;
export const CROPPED: f32 = -1000;
/** Depth steps of the coarse pass between two looks at what light is left. */
const CHUNK: i32 = 16;
/** A ray is left when less light than this passes its coarse samples so far; what lies behind counts as empty. */
const DARK: f32 = 1e-8;
/** Then at most this may pass in the end, or the tile is done again without leaving anything out. So opacities are
 * right to 1e-6, depths to 1e-6 of the range, features to 1e-6 of the largest colour. */
const LEAK: f32 = 1e-6;

// The call.
let origins: usize = 0;
let directions: usize = 0;
let coarse: usize = 0;
let quantiles: usize = 0;
let quantileStep: i32 = 0;
let coarseNoise: usize = 0;
let fineNoise: usize = 0;
let coarseFaces: usize = 0; // [ray, sample] i32: faces to follow instead of the nearest, 0 without
let fineFaces: usize = 0;
export let coarseCount: i32 = 0;
export let fineCount: i32 = 0;
let cropLimit: f32 = 0;
let keepRows: bool = false;

// The batch entry.
export let texels: usize = 0;
let mesh: usize = 0; // block of the posed body, 0 without one
let maps: usize = 0; // motions of its faces, 0 for those of the block
let faceCount: i32 = 0;

// The tile.
let evaluateAll: bool = false;
let lists: usize = 0; // where xs, ys, zs, slots, faces start; each `listBytes` long
let listBytes: usize = 0;
export let xs: usize = 0;
export let ys: usize = 0;
export let zs: usize = 0;
export let slots: usize = 0; // [rows] i32: ray of the tile * samples + sample; -1 where a block is padded
export let faces: usize = 0; // [rows] i32: the face that moved it, or -1; kept with rows
export let sigma: usize = 0; // [rays, coarse + fine]: coarse samples, then the fine ones in drawn order
export let rows: usize = 0; // [rays, coarse + fine] i32: row of hidden values, -1 for samples left out
let fineDepths: usize = 0; // [rays, fine]
export let shares: usize = 0; // [rays, coarse + fine] weight of each sample
export let hidden: usize = 0; // [rows, 64]
export let looked: usize = 0; // [rows, 32] sums over the planes; kept with rows
let lineBytes: usize = 0; // from one ray's lines to the next; 0 unless they are kept
let keys: usize = 0;
let labels: usize = 0;
let depthLines: usize = 0; // [rays, coarse + fine] in the order of depth, as all lines
let orderLines: usize = 0;
let sortedLines: usize = 0;
let weightLines: usize = 0;
let moveScratch: usize = 0;
let stops: usize = 0; // [rays] i32: coarse samples looked at
let limits: usize = 0; // [rays]: depth of the first that is not
let light: usize = 0; // [rays]: what passes the coarse samples so far
let rayAt: usize = 0; // [rays] i32: index of the tile's rays in the call
let found: usize = 0; // [rays, 4]: opacity, mean depth or NaN, nearest and farthest sample

let next: usize = 0;
let limit: usize = 0;
/** Takes bytes of the thread's scratch memory. */
export function take(bytes: usize): usize {
  const at = next;
  next = (next + bytes + 63) & ~(<usize>63);
  if (next > limit) unreachable();
  return at;
}

/** Sets the call, and lays out the tile. Must agree with `scratchBytesOf` in `render.ts` of the folder above. */
export function describeRays(
  rayOrigins: usize, rayDirections: usize, coarseDepths: usize, fineQuantiles: usize, step: i32,
  noise: usize, noiseOfFine: usize, facesOfCoarse: usize, facesOfFine: usize, facesOfBody: i32,
  coarseSamples: i32, fineSamples: i32, crop: f32, keep: bool, scratch: usize, scratchBytes: usize,
): void {
  origins = rayOrigins;
  directions = rayDirections;
  coarse = coarseDepths;
  quantiles = fineQuantiles;
  quantileStep = step;
  coarseNoise = noise;
  fineNoise = noiseOfFine;
  coarseFaces = facesOfCoarse;
  fineFaces = facesOfFine;
  faceCount = facesOfBody;
  coarseCount = coarseSamples;
  fineCount = fineSamples;
  cropLimit = crop;
  keepRows = keep;
  next = scratch;
  limit = scratch + scratchBytes;
  const samples = <usize>(coarseCount + fineCount);
  const line = (samples + 8) << 2;
  lineBytes = keep ? line : 0;
  const lines = keep ? line * <usize>TILE_RAYS : line;
  const pass = (<usize>(TILE_RAYS * max(coarseCount, fineCount)) + 16) << 2;
  // Every chunk is padded to a whole block.
  const most = samples * 16 + (<usize>(coarseCount / CHUNK) + 3) * BLOCK;
  listBytes = keep ? pass + (most << 2) : pass;
  lists = take(listBytes * 5);
  sigma = take(samples * 64);
  rows = take(samples * 64);
  shares = take(samples * 64);
  fineDepths = take(<usize>fineCount * 64);
  keys = take(line);
  labels = take(line);
  depthLines = take(lines);
  orderLines = take(lines);
  sortedLines = take(lines);
  weightLines = take(lines);
  rayAt = take(64);
  moveScratch = take(MOVE_BYTES);
  stops = take(64);
  limits = take(64);
  light = take(64);
  found = take(256);
  hidden = take(most * HIDDEN_BYTES);
  looked = keep ? take(most * 128) : 0;
}

/** Sets the batch entry; motions of faces are 48 bytes each. */
export function describeEntry(entry: i32, planes: usize, entryBytes: usize, meshes: usize, words: i32, motions: usize): void {
  texels = planes + <usize>entry * entryBytes;
  mesh = meshes == 0 ? 0 : meshes + (<usize>(entry * words) << 2);
  maps = motions == 0 ? 0 : motions + <usize>(entry * faceCount) * 48;
}

// @ts-ignore: decorator
@inline
export function opacityOf(r: i32): f32 {
  return load<f32>(found + (<usize>r << 4));
}

/** NaN where nothing was hit. */
// @ts-ignore: decorator
@inline
export function meanDepthOf(r: i32): f32 {
  return load<f32>(found + (<usize>r << 4), 4);
}

// @ts-ignore: decorator
@inline
export function nearestOf(r: i32): f32 {
  return load<f32>(found + (<usize>r << 4), 8);
}

// @ts-ignore: decorator
@inline
export function farthestOf(r: i32): f32 {
  return load<f32>(found + (<usize>r << 4), 12);
}

// @ts-ignore: decorator
@inline
export function depthsOf(r: i32): usize {
  return depthLines + <usize>r * lineBytes;
}

/** Samples of a ray in the order of depth, i32. */
// @ts-ignore: decorator
@inline
export function orderOf(r: i32): usize {
  return orderLines + <usize>r * lineBytes;
}

/** Densities of a ray in the order of depth. */
// @ts-ignore: decorator
@inline
export function sortedOf(r: i32): usize {
  return sortedLines + <usize>r * lineBytes;
}

// @ts-ignore: decorator
@inline
export function weightsOf(r: i32): usize {
  return weightLines + <usize>r * lineBytes;
}

/** Evaluates and weighs all that counts along the rays of the tile; returns the rows of hidden values. */
export function traceTile(count: i32): i32 {
  evaluateAll = false;
  let used = 0;
  for (;;) {
    openRays(count);
    used = evaluate(count, coarse, coarseNoise, true, 0);
    if (fineCount > 0) {
      drawFine(count);
      used = evaluate(count, fineDepths, fineNoise, false, used);
    }
    let complete = true;
    for (let r = 0; r < count; r++) complete = march(r) && complete;
    // Incomplete: a cropped sample beside a density above 897 weighs something, so its colour is needed; or light
    // that the coarse samples stopped passes the fine ones, as at a thin shell.
    if (complete || evaluateAll) break;
    evaluateAll = true;
  }
  return used;
}

/** Rays of a tile; returns how many. */
export function listRays(first: i32, tileX: i32, tileY: i32, width: i32, height: i32): i32 {
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
export function rayOf(r: i32): usize {
  return <usize>load<i32>(rayAt + (<usize>r << 2));
}

// @ts-ignore: decorator
@inline
export function originOf(ray: usize): usize {
  return origins + ray * 12;
}

// @ts-ignore: decorator
@inline
export function directionOf(ray: usize): usize {
  return directions + ray * 12;
}

/** How far along its ray a slot's sample lies. */
// @ts-ignore: decorator
@inline
export function depthAt(slot: i32): f32 {
  const r = slot / (coarseCount + fineCount);
  const s = slot % (coarseCount + fineCount);
  if (s >= coarseCount) return load<f32>(fineDepths + (<usize>(r * fineCount + s - coarseCount) << 2));
  return load<f32>(coarse + ((rayOf(r) * <usize>coarseCount + <usize>s) << 2));
}

/** The lists from row `base` on: one after the other if rows are kept. */
function openLists(base: i32): void {
  xs = lists + (keepRows ? <usize>base << 2 : 0);
  ys = xs + listBytes;
  zs = ys + listBytes;
  slots = zs + listBytes;
  faces = slots + listBytes;
}

/** Densities of one pass of the tile, and its hidden values from row `base` on; returns the rows used so far. */
function evaluate(count: i32, at: usize, noise: usize, isCoarse: bool, base: i32): i32 {
  const samples = isCoarse ? coarseCount : fineCount;
  const chunk = isCoarse && !evaluateAll ? CHUNK : samples;
  const given = isCoarse ? coarseFaces : fineFaces;
  if (mesh != 0) forgetHints(moveScratch);
  for (let from = 0; from < samples; from += chunk) {
    const to = min(from + chunk, samples);
    openLists(base);
    const listed = listPoints(count, at, isCoarse, from, to);
    if (mesh != 0) {
      if (given != 0) listFaces(given, samples, isCoarse ? 0 : coarseCount, listed);
      movePoints(mesh, maps, faceCount, given != 0, moveScratch, xs, ys, zs, slots, faces, coarseCount + fineCount, listed);
    }
    const kept = keepInside(listed, base);
    evaluateList(kept, base);
    base += ((kept + BLOCK - 1) / BLOCK) * BLOCK;
    if (noise != 0) addNoise(count, noise, isCoarse, from, to);
    if (to < samples) closeRays(count, from, to);
  }
  openLists(0);
  return base;
}

/** The given faces of the listed points: [ray, sample]. */
function listFaces(given: usize, samples: i32, shift: i32, listed: i32): void {
  const stride = coarseCount + fineCount;
  for (let point: usize = 0; point < <usize>listed << 2; point += 4) {
    const slot = load<i32>(slots + point);
    const at = rayOf(slot / stride) * <usize>samples + <usize>((slot % stride) - shift);
    store<i32>(faces + point, load<i32>(given + (at << 2)));
  }
}

/** Points of the depth steps [from, to), one step after the other, so that neighbours in the list are neighbours in
 * space; without those of rays that are closed. Returns how many. */
function listPoints(count: i32, at: usize, isCoarse: bool, from: i32, to: i32): i32 {
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
      store<i32>(faces + to, load<i32>(faces + point));
      store<i32>(rows + (<usize>slot << 2), base + kept);
      kept++;
    }
  }
  const end = <usize>kept << 2;
  memory.fill(xs + end, 0, 48);
  memory.fill(ys + end, 0, 48);
  memory.fill(zs + end, 0, 48);
  memory.fill(slots + end, 0xff, 48); // -1
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
function openRays(count: i32): void {
  for (let r = 0; r < count; r++) {
    const at = <usize>r << 2;
    const ordered = increases(coarse + ((rayOf(r) * <usize>coarseCount) << 2), coarseCount);
    store<i32>(stops + at, coarseCount);
    store<f32>(limits + at, Infinity);
    store<f32>(light + at, ordered ? 1 : Infinity);
  }
}

/** Takes the coarse samples [from, to) off the light of each ray, and closes rays that are dark. */
function closeRays(count: i32, from: i32, to: i32): void {
  const first = max(from - 1, 0);
  for (let r = 0; r < count; r++) {
    const at = <usize>r << 2;
    if (load<i32>(stops + at) < coarseCount) continue;
    const t = coarse + ((rayOf(r) * <usize>coarseCount) << 2);
    const values = sigma + (<usize>(r * (coarseCount + fineCount) + first) << 2);
    const left = load<f32>(light + at) * marchWeights(t + (<usize>first << 2), values, to - first, weightLines);
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
    const row = <usize>(base + b);
    const features = keepRows ? looked + row * 128 : decoderFeatures;
    const densities = hiddenBlock(texels, xs + at, ys + at, zs + at, features, hidden + row * HIDDEN_BYTES);
    const filled = min(BLOCK, count - b);
    for (let i: usize = 0; i < <usize>filled; i++) {
      const slot = sigma + (<usize>load<i32>(slots + at + (i << 2)) << 2);
      if (load<f32>(slot) != CROPPED) store<f32>(slot, load<f32>(densities + (i << 2)));
    }
  }
}

function drawFine(count: i32): void {
  const stride = coarseCount + fineCount;
  for (let r = 0; r < count; r++) {
    const ray = rayOf(r);
    const t = coarse + ((ray * <usize>coarseCount) << 2);
    marchWeights(t, sigma + (<usize>(r * stride) << 2), coarseCount, weightLines);
    const u = quantiles + ((ray * <usize>quantileStep) << 2);
    importanceDepths(t, weightLines, coarseCount, u, fineCount, keys, fineDepths + (<usize>(r * fineCount) << 2));
  }
}

/** Shares of the samples of one ray; false if a sample without hidden values has one. */
function march(r: i32): bool {
  const samples = coarseCount + fineCount;
  const ray = rayOf(r);
  const t = coarse + ((ray * <usize>coarseCount) << 2);
  const first = <usize>(r * samples) << 2;
  const end = <usize>samples << 2;
  const depths = depthsOf(r);
  const order = orderOf(r);
  const sorted = sortedOf(r);
  const weights = weightsOf(r);
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
  const summary = found + (<usize>r << 4);
  store<f32>(summary, total);
  store<f32>(summary, along / total, 4);
  store<f32>(summary, near, 8);
  store<f32>(summary, far, 12);
  return complete;
}

