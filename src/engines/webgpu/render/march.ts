/**
 * What happens along rays: the importance pass's depths, and marching (`src/portrait/samples.ts` and `marcher.ts` are
 * the definitions).
 *
 * A workgroup has a few rays. What needs one sample or two is done by a thread a sample; sums along the ray by a thread
 * a ray, in workgroup memory. Samples are sorted by counting, for each, those before it.
 */

import type { Bound, Dispatch, Operand, Planning } from '../kernel.ts';
import { entry, floats, groupsFor, INFINITY, MARCHING, stored } from './shader.ts';
import { type RayCall, rayAt, type Tiles, turnOf } from './tiles.ts';

/** Threads of a workgroup of rays: as many as any device has, but few where each is a turn of a loop. */
export const marchThreads = ({ abilities }: Planning): number => (abilities.software ? 64 : 256);
/** Lines of workgroup memory that a ray has, of one number a sample each: for marching, and for the way back. */
export const LINES = 5;
export const BACK_LINES = 7;
const LINE_BYTES = 24 * 1024;

/** Rays of a workgroup, or 0 where not even one fits. */
export function raysTogether({ abilities }: Planning, samples: number, lines: number): number {
  const most = Math.min(LINE_BYTES, abilities.limits.maxComputeWorkgroupStorageSize);
  return [8, 4, 2, 1].find((rays) => rays * samples * lines * 4 <= most) ?? 0;
}

/** WGSL: rays of a workgroup, and the light that an interval keeps back. */
const together = (count: number): string => /* wgsl */ `
${MARCHING}
const TOGETHER = ${count}u;
fn opacityBetween(sigma0: f32, sigma1: f32, step: f32) -> f32 {
  return opacityOf(softplusExact((sigma0 + sigma1) * 0.5 - 1.0) * step);
}`;

/** Scratch buffers of a tile. */
export interface TileBuffers {
  readonly tile: Operand;
  readonly fineDepths: Operand;
  /** [sample, ray] */
  readonly sigma: Operand;
}

/** Depths of the importance pass: [sample, ray] in drawn order. */
export function drawDispatch(call: RayCall, tiles: Tiles, at: TileBuffers): Dispatch {
  const count = raysTogether(call.planning, call.coarse + call.fine, LINES);
  const turn = turnOf(tiles, 'middle', at.tile);
  const code = /* wgsl */ `
const COARSE = ${call.coarse}u;
const FINE = ${call.fine}u;
${turn.code}
${rayAt(call, tiles)}
${together(count)}
var<workgroup> depths: array<f32, ${call.coarse * count}>;
var<workgroup> weights: array<f32, ${call.coarse * count}>;
var<workgroup> cdf: array<f32, ${call.coarse * count}>;
fn middle(i: u32) -> f32 {
  return (depths[i + TOGETHER] + depths[i]) * 0.5;
}
// From opacities to weights of the intervals; returns by what they are divided.
fn weigh(r: u32) -> f32 {
  let first = depths[r];
  var passed = 1.0;
  if (depths[(COARSE - 1u) * TOGETHER + r] >= first) {
    for (var s = 0u; s < COARSE - 1u; s++) {
      let alpha = weights[s * TOGETHER + r];
      weights[s * TOGETHER + r] = alpha * passed;
      passed *= 1.0 - alpha + 1e-10;
    }
    return 1.0;
  }
  // Depths run backwards: light grows, beyond all numbers in an opaque body. So it ends with 1.
  var grown = 1.0;
  for (var s = COARSE - 1u; s > 0u; s--) {
    let alpha = weights[(s - 1u) * TOGETHER + r];
    let passes = 1.0 - alpha + 1e-10;
    grown = min(grown * passes, 1e30);
    passed /= passes;
    weights[(s - 1u) * TOGETHER + r] = alpha * passed;
  }
  return grown;
}
// Weights, then the cumulative sums of what they are smoothed to.
fn sumUp(r: u32) {
  let least = (0.01 + 1e-5) / weigh(r);
  var sum = 0.0;
  for (var s = 1u; s < COARSE - 2u; s++) {
    let before = weights[(s - 1u) * TOGETHER + r];
    let here = weights[s * TOGETHER + r];
    let after = weights[(s + 1u) * TOGETHER + r];
    let level = (max(here, after) + max(before, here)) * 0.5 + least;
    cdf[s * TOGETHER + r] = level;
    sum += level;
  }
  var total = 0.0;
  cdf[r] = 0.0;
  for (var s = 1u; s < COARSE - 2u; s++) {
    total += cdf[s * TOGETHER + r] / sum;
    cdf[s * TOGETHER + r] = total;
  }
}
${entry(
  marchThreads(call.planning),
  /* wgsl */ `
  let begin = (group.x + group.y * groups.x) * TOGETHER;
  for (var i = local; i < COARSE * TOGETHER; i += THREADS) {
    depths[i] = f32(coarse[rayAt(min(begin + i % TOGETHER, RAYS - 1u)).y * COARSE + i / TOGETHER]);
  }
  workgroupBarrier();
  for (var i = local; i < (COARSE - 1u) * TOGETHER; i += THREADS) {
    let at = (i / TOGETHER) * RAYS + min(begin + i % TOGETHER, RAYS - 1u);
    weights[i] = opacityBetween(sigma[at], sigma[at + RAYS], depths[i + TOGETHER] - depths[i]);
  }
  workgroupBarrier();
  if (local < TOGETHER) {
    sumUp(local);
  }
  workgroupBarrier();
  for (var i = local; i < FINE * TOGETHER; i += THREADS) {
    let r = i % TOGETHER;
    let j = i / TOGETHER;
    if (begin + r < RAYS) {
      let draw = f32(quantiles[rayAt(begin + r).y * ${call.quantileStep}u + j]);
      // How many of the sums are no more than the draw.
      var k = 0u;
      for (var at = r; at < (COARSE - 2u) * TOGETHER; at += TOGETHER) {
        k += u32(cdf[at] <= draw);
      }
      let before = max(k, 1u) - 1u;
      let after = min(k, COARSE - 3u);
      let cdfLow = cdf[before * TOGETHER + r];
      let width = cdf[after * TOGETHER + r] - cdfLow;
      let middleLow = middle(before * TOGETHER + r);
      let share = (draw - cdfLow) / select(width, 1.0, width < 1e-5);
      fineDepths[j * RAYS + begin + r] = middleLow + share * (middle(after * TOGETHER + r) - middleLow);
    }
  }`,
)}`;
  return {
    label: 'renderer: depths of the fine samples',
    code,
    bound: [
      call.input('coarse'),
      call.input('quantiles'),
      { name: 'sigma', at: at.sigma, type: 'f32' },
      ...turn.bound,
      { name: 'fineDepths', at: at.fineDepths, type: 'f32', write: true },
    ],
    groups: groupsFor(call.planning, tiles.rays, count),
  };
}

/** WGSL: samples of the workgroup's rays in the order of depth; needs `rayAt`. With `SORT`, samples of both passes go from `keys` and `values` to `depths`, `sorted` and `order`. */
export const sorting = (call: RayCall, count: number): string => {
  const samples = call.coarse + call.fine;
  return /* wgsl */ `
const COARSE = ${call.coarse}u;
const SAMPLES = ${samples}u;
${together(count)}
var<workgroup> keys: array<f32, ${samples * count}>;
var<workgroup> values: array<f32, ${samples * count}>;
var<workgroup> depths: array<f32, ${samples * count}>;
var<workgroup> sorted: array<f32, ${samples * count}>;
var<workgroup> order: array<u32, ${samples * count}>;
fn depthAt(i: u32, begin: u32) -> f32 {
  let s = i / TOGETHER;
  let r = min(begin + i % TOGETHER, RAYS - 1u);
  ${call.fine > 0 ? 'if (s >= COARSE) { return fineDepths[(s - COARSE) * RAYS + r]; }' : ''}
  return f32(coarse[rayAt(r).y * COARSE + s]);
}
// How many samples of the ray come before this one: those equally deep in the order of their numbers.
fn rankOf(i: u32) -> u32 {
${
  call.fine > 0
    ? /* wgsl */ `
  let key = keys[i];
  var rank = 0u;
  for (var j = i % TOGETHER; j < SAMPLES * TOGETHER; j += TOGETHER) {
    let other = keys[j];
    rank += u32(other < key || (other == key && j < i));
  }
  return rank;`
    : '  return i / TOGETHER;'
}
}`;
};

/** The steps that go with `sorting`. */
export const SORT = /* wgsl */ `
  let begin = (group.x + group.y * groups.x) * TOGETHER;
  for (var i = local; i < SAMPLES * TOGETHER; i += THREADS) {
    keys[i] = depthAt(i, begin);
    values[i] = sigma[(i / TOGETHER) * RAYS + min(begin + i % TOGETHER, RAYS - 1u)];
  }
  workgroupBarrier();
  for (var i = local; i < SAMPLES * TOGETHER; i += THREADS) {
    let to = rankOf(i) * TOGETHER + i % TOGETHER;
    depths[to] = keys[i];
    sorted[to] = values[i];
    order[to] = i;
  }
  workgroupBarrier();`;

/** Marches rays and mixes their colours: the node's outputs. */
export function marchDispatch(call: RayCall, tiles: Tiles, at: TileBuffers & { colours: Bound }): Dispatch {
  const count = raysTogether(call.planning, call.coarse + call.fine, LINES);
  const turn = turnOf(tiles, 'last', at.tile);
  const [features, depth, opacity, range] = call.node.outputs.map((tensor, output) =>
    floats(
      call.planning,
      ['features', 'depth', 'opacity', 'range'][output],
      tensor,
      { output },
      {
        lanes: output === 0 ? 4 : 1,
        write: true,
      },
    ),
  );
  const words = depth.type === 'f32';
  const mean = words
    ? `select(bitcast<u32>(along / total), ${INFINITY}, total == 0.0)`
    : stored(depth.type, 'select(along / total, 65504.0, total == 0.0)');
  const code = /* wgsl */ `
${turn.code}
${rayAt(call, tiles)}
${sorting(call, count)}
var<workgroup> opacities: array<f32, ${count}>;
// From opacities to the share of each sample, in \`values\`; what is known of the ray is written.
fn weigh(r: u32, ray: vec3<u32>) {
  var passed = 1.0;
  var total = 0.0;
  var along = 0.0;
  var before = 0.0;
  var near = depths[r];
  var far = near;
  for (var i = r; i < SAMPLES * TOGETHER; i += TOGETHER) {
    let here = depths[i];
    near = min(near, here);
    far = max(far, here);
    var weight = 0.0;
    if (i + TOGETHER < SAMPLES * TOGETHER) {
      let alpha = keys[i];
      weight = alpha * passed;
      passed *= 1.0 - alpha + 1e-10;
      total += weight;
      along += weight * ((depths[i + TOGETHER] + here) * 0.5);
    }
    values[order[i]] = (before + weight) * 0.5;
    before = weight;
  }
  opacities[r] = total;
  if (ray.z == 1u) {
    depth[ray.y] = ${mean};
    opacity[ray.y] = ${stored(opacity.type, 'total')};
    range[2u * ray.y] = ${stored(range.type, 'near')};
    range[2u * ray.y + 1u] = ${stored(range.type, 'far')};
  }
}
${entry(
  marchThreads(call.planning),
  /* wgsl */ `${SORT}
  for (var i = local; i < (SAMPLES - 1u) * TOGETHER; i += THREADS) {
    let next = i + TOGETHER;
    keys[i] = opacityBetween(sorted[i], sorted[next], depths[next] - depths[i]);
  }
  workgroupBarrier();
  if (local < TOGETHER) {
    weigh(local, rayAt(min(begin + local, RAYS - 1u)));
  }
  workgroupBarrier();
  if (local < TOGETHER * 8u && begin + local / 8u < RAYS) {
    let r = local / 8u;
    let c = local % 8u;
    var sum = vec4<f32>(${call.whiteBack ? '1.0 - opacities[r]' : '0.0'});
    for (var s = 0u; s < SAMPLES; s++) {
      sum += values[s * TOGETHER + r] * vec4<f32>(rgbs[(s * RAYS + begin + r) * 8u + c]);
    }
    let ray = rayAt(begin + r);
    if (ray.z == 1u) {
      features[ray.y * 8u + c] = ${stored(features.type, 'sum')};
    }
  }
  ${turn.end}`,
)}`;
  return {
    label: 'renderer: what lies along the rays',
    code,
    bound: [
      call.input('coarse'),
      ...(call.fine > 0 ? [{ name: 'fineDepths', at: at.fineDepths, type: 'f32' }] : []),
      { name: 'sigma', at: at.sigma, type: 'f32' },
      at.colours,
      ...turn.bound,
      features,
      words ? { ...depth, type: 'u32' } : depth,
      ...[opacity, range],
    ],
    groups: groupsFor(call.planning, tiles.rays, count),
  };
}
