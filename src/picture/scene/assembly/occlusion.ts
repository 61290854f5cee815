/**
 * Ambient occlusion of vertices, from depth maps of the whole scene seen from many directions.
 *
 * Triangles are about as small as texels here, so a map is not rasterised: points are spread over the triangles once,
 * closer than texels, and each direction only drops them into its map. What lets light through keeps a map of its own,
 * of depth and density.
 */

import {
  LANES_BYTES, LOOK_BIAS, LOOK_DIRECTION, LOOK_DOWN, LOOK_OFFSET, LOOK_RIGHT, LOOK_WEIGHT, OCCLUDER_BYTES,
  OCCLUDER_DENSITY, OCCLUDER_INDICES, OCCLUDER_LANES, OCCLUDER_NORMALS, OCCLUDER_OUT, OCCLUDER_POINTS,
  OCCLUDER_POINT_COUNT, OCCLUDER_POSITIONS, OCCLUDER_TRIANGLE_COUNT, OCCLUDER_VERTEX_COUNT,
} from '../layout';
import { dot } from './lanes';

const NOWHERE: f32 = -1e30;
/** Steps of depth in the map of what lets light through; its density takes the other 8 bits. */
const STEPS: f32 = 16777215;
/** A side is cut into no more pieces than this. */
const MOST_PIECES: f32 = 1024;

/** Points that cover a mesh's triangles, no further apart than `spacing`; without room (0) they are only counted. */
export function spreadPoints(mesh: usize, spacing: f32, room: usize): i32 {
  const positions = <usize>load<u32>(mesh, OCCLUDER_POSITIONS);
  let index = <usize>load<u32>(mesh, OCCLUDER_INDICES);
  const end = index + 12 * <usize>load<i32>(mesh, OCCLUDER_TRIANGLE_COUNT);
  let count = 0;
  for (; index < end; index += 12) {
    const a = positions + <usize>load<u32>(index) * 12;
    const b = positions + <usize>load<u32>(index, 4) * 12;
    const c = positions + <usize>load<u32>(index, 8) * 12;
    const ax = load<f32>(a);
    const ay = load<f32>(a, 4);
    const az = load<f32>(a, 8);
    const ux = load<f32>(b) - ax;
    const uy = load<f32>(b, 4) - ay;
    const uz = load<f32>(b, 8) - az;
    const vx = load<f32>(c) - ax;
    const vy = load<f32>(c, 4) - ay;
    const vz = load<f32>(c, 8) - az;
    const wx = vx - ux;
    const wy = vy - uy;
    const wz = vz - uz;
    const longest = sqrt<f32>(
      max<f32>(ux * ux + uy * uy + uz * uz, max<f32>(vx * vx + vy * vy + vz * vz, wx * wx + wy * wy + wz * wz)),
    );
    const pieces = <i32>min<f32>(MOST_PIECES, max<f32>(1, ceil<f32>(longest / spacing)));
    if (!room) {
      count += pieces * pieces;
      continue;
    }
    // Middles of the pieces: of those that stand as the triangle does, and of those upside down.
    const share: f32 = 1 / <f32>pieces;
    for (let i = 0; i < pieces; i++) {
      for (let j = 0; i + j < pieces; j++) {
        for (let turned = 0; turned < 2 && i + j + turned < pieces; turned++) {
          const third: f32 = turned ? <f32>(2.0 / 3.0) : <f32>(1.0 / 3.0);
          const s = (<f32>i + third) * share;
          const t = (<f32>j + third) * share;
          const to = room + <usize>(count >> 2) * 48 + (<usize>(count & 3) << 2);
          store<f32>(to, ax + s * ux + t * vx);
          store<f32>(to, ay + s * uy + t * vy, 16);
          store<f32>(to, az + s * uz + t * vz, 32);
          count++;
        }
      }
    }
  }
  // The last four are complete: more of the same point.
  for (let i = count; room && count > 0 && i & 3; i++) {
    const from = room + <usize>((count - 1) >> 2) * 48 + (<usize>((count - 1) & 3) << 2);
    const to = room + <usize>(i >> 2) * 48 + (<usize>(i & 3) << 2);
    store<f32>(to, load<f32>(from));
    store<f32>(to, load<f32>(from, 16), 16);
    store<f32>(to, load<f32>(from, 32), 32);
  }
  return count;
}

/** Vertices of a mesh, four at a time. */
export function gatherVertices(mesh: usize): void {
  const count = load<i32>(mesh, OCCLUDER_VERTEX_COUNT);
  const positions = <usize>load<u32>(mesh, OCCLUDER_POSITIONS);
  const normals = <usize>load<u32>(mesh, OCCLUDER_NORMALS);
  const lanes = <usize>load<u32>(mesh, OCCLUDER_LANES);
  for (let i = 0; i < ((count + 3) & ~3); i++) {
    const vertex = <usize>min(i, count - 1) * 12;
    const to = lanes + <usize>(i >> 2) * LANES_BYTES + (<usize>(i & 3) << 2);
    for (let k: usize = 0; k < 3; k++) {
      store<f32>(to + (k << 4), load<f32>(positions + vertex + (k << 2)));
      store<f32>(to + (k << 4), load<f32>(normals + vertex + (k << 2)), 48);
    }
    store<f32>(to, 0, 96);
    store<f32>(to, 0, 112);
  }
}

/**
 * Looks from one direction: draws both maps and adds to what each vertex has seen.
 *
 * @param solid  [side, side] f32
 * @param porous [side, side] u32: depth in STEPS from `nearest` on, over 8 bits of density; 0: not used
 */
export function look(
  meshes: usize, count: i32, direction: usize, solid: usize, porous: usize, side: i32, nearest: f32, range: f32,
): void {
  const texels = <usize>(side * side) << 2;
  const empty = f32x4.splat(NOWHERE);
  for (let at: usize = 0; at < texels; at += 16) v128.store(solid + at, empty);
  if (porous) memory.fill(porous, 0, texels);
  const scale = STEPS / range;
  const end = meshes + <usize>count * OCCLUDER_BYTES;
  for (let mesh = meshes; mesh < end; mesh += OCCLUDER_BYTES) {
    const density = load<i32>(mesh, OCCLUDER_DENSITY);
    if (density == 255) drop(mesh, direction, solid, side);
    else if (density > 0) dropPorous(mesh, direction, porous, side, density, nearest, scale);
  }
  for (let mesh = meshes; mesh < end; mesh += OCCLUDER_BYTES)
    test(mesh, direction, solid, porous, side, nearest, scale);
}

// @ts-ignore: decorator
@inline
function along(row: usize, x: v128, y: v128, z: v128): v128 {
  return dot(x, y, z, v128.load32_splat(row), v128.load32_splat(row, 4), v128.load32_splat(row, 8));
}

// @ts-ignore: decorator
@inline
function column(row: usize, x: v128, y: v128, z: v128): v128 {
  return f32x4.add(along(row, x, y, z), v128.load32_splat(row, 12));
}

/** Whole part of numbers from 0 on: adding 2^23 - 1/2 rounds them into the low bits. Whatever they are, at most `last`. */
// @ts-ignore: decorator
@inline
function whole(x: v128, last: v128): v128 {
  return i32x4.min_u(v128.and(f32x4.add(x, f32x4.splat(8388607.5)), i32x4.splat(0x3fffff)), last);
}

// @ts-ignore: decorator
@inline
function raise(at: usize, value: f32): void {
  const before = load<f32>(at);
  store<f32>(at, select<f32>(value, before, value > before));
}

// @ts-ignore: decorator
@inline
function raiseWhole(at: usize, value: u32): void {
  const before = load<u32>(at);
  store<u32>(at, select<u32>(value, before, value > before));
}

function drop(mesh: usize, direction: usize, map: usize, side: i32): void {
  let at = <usize>load<u32>(mesh, OCCLUDER_POINTS);
  const end = at + <usize>((load<i32>(mesh, OCCLUDER_POINT_COUNT) + 3) >> 2) * 48;
  const sides = i32x4.splat(side);
  const last = i32x4.splat(side - 1);
  const base = i32x4.splat(<i32>map);
  for (; at < end; at += 48) {
    const x = v128.load(at);
    const y = v128.load(at, 16);
    const z = v128.load(at, 32);
    const mx = whole(column(direction + LOOK_RIGHT, x, y, z), last);
    const my = whole(column(direction + LOOK_DOWN, x, y, z), last);
    const depth = along(direction + LOOK_DIRECTION, x, y, z);
    const to = i32x4.add(base, i32x4.shl(i32x4.add(i32x4.mul(my, sides), mx), 2));
    raise(<usize>i32x4.extract_lane(to, 0), f32x4.extract_lane(depth, 0));
    raise(<usize>i32x4.extract_lane(to, 1), f32x4.extract_lane(depth, 1));
    raise(<usize>i32x4.extract_lane(to, 2), f32x4.extract_lane(depth, 2));
    raise(<usize>i32x4.extract_lane(to, 3), f32x4.extract_lane(depth, 3));
  }
}

/** Depth in steps, in the upper 24 bits. */
// @ts-ignore: decorator
@inline
function steps(depth: v128, nearest: f32, scale: f32): v128 {
  const t = f32x4.mul(f32x4.sub(depth, f32x4.splat(nearest)), f32x4.splat(scale));
  return i32x4.shl(i32x4.trunc_sat_f32x4_u(f32x4.pmin(t, f32x4.splat(STEPS - 1))), 8);
}

function dropPorous(
  mesh: usize, direction: usize, map: usize, side: i32, density: i32, nearest: f32, scale: f32,
): void {
  let at = <usize>load<u32>(mesh, OCCLUDER_POINTS);
  const end = at + <usize>((load<i32>(mesh, OCCLUDER_POINT_COUNT) + 3) >> 2) * 48;
  const sides = i32x4.splat(side);
  const last = i32x4.splat(side - 1);
  const base = i32x4.splat(<i32>map);
  const dense = i32x4.splat(density);
  for (; at < end; at += 48) {
    const x = v128.load(at);
    const y = v128.load(at, 16);
    const z = v128.load(at, 32);
    const mx = whole(column(direction + LOOK_RIGHT, x, y, z), last);
    const my = whole(column(direction + LOOK_DOWN, x, y, z), last);
    const key = v128.or(steps(along(direction + LOOK_DIRECTION, x, y, z), nearest, scale), dense);
    const to = i32x4.add(base, i32x4.shl(i32x4.add(i32x4.mul(my, sides), mx), 2));
    raiseWhole(<usize>i32x4.extract_lane(to, 0), i32x4.extract_lane(key, 0));
    raiseWhole(<usize>i32x4.extract_lane(to, 1), i32x4.extract_lane(key, 1));
    raiseWhole(<usize>i32x4.extract_lane(to, 2), i32x4.extract_lane(key, 2));
    raiseWhole(<usize>i32x4.extract_lane(to, 3), i32x4.extract_lane(key, 3));
  }
}

/** Two texels of a row and the two below. */
// @ts-ignore: decorator
@inline
function square(at: usize, stride: usize): v128 {
  return v128.load64_lane(at + stride, v128.load64_zero(at), 1);
}

/** What of the light comes past the solid and the porous surfaces in front of a vertex. */
// @ts-ignore: decorator
@inline
function opening(solid: usize, porous: usize, stride: usize, depth: f32, key: i32): f32 {
  const above = f32x4.gt(square(solid, stride), f32x4.splat(depth));
  const closed = popcnt<i32>(i32x4.bitmask(above));
  const open: f32 = 1 - <f32>closed * 0.25;
  if (!porous || open == 0) return open;
  const texels = square(porous, stride);
  const dense = v128.and(v128.and(texels, i32x4.splat(255)), i32x4.gt_u(texels, i32x4.splat(key)));
  const sum =
    i32x4.extract_lane(dense, 0) + i32x4.extract_lane(dense, 1) + i32x4.extract_lane(dense, 2) +
    i32x4.extract_lane(dense, 3);
  return open * (1 - <f32>sum * <f32>(1.0 / 1020.0));
}

function test(mesh: usize, direction: usize, solid: usize, porous: usize, side: i32, nearest: f32, scale: f32): void {
  let at = <usize>load<u32>(mesh, OCCLUDER_LANES);
  const end = at + <usize>((load<i32>(mesh, OCCLUDER_VERTEX_COUNT) + 3) >> 2) * LANES_BYTES;
  const zero = f32x4.splat(0);
  const offset = v128.load32_splat(direction, LOOK_OFFSET);
  const bias = v128.load32_splat(direction, LOOK_BIAS);
  const weight = v128.load32_splat(direction, LOOK_WEIGHT);
  const most = f32x4.splat(<f32>(side - 2));
  const half = f32x4.splat(0.5);
  const stride = <usize>side << 2;
  const byDensity = porous ? porous - solid : 0;
  for (; at < end; at += LANES_BYTES) {
    const nx = v128.load(at, 48);
    const ny = v128.load(at, 64);
    const nz = v128.load(at, 80);
    const cosine = f32x4.pmax(along(direction + LOOK_DIRECTION, nx, ny, nz), zero);
    if (!v128.any_true(f32x4.gt(cosine, zero))) continue;
    const x = f32x4.add(v128.load(at), f32x4.mul(nx, offset));
    const y = f32x4.add(v128.load(at, 16), f32x4.mul(ny, offset));
    const z = f32x4.add(v128.load(at, 32), f32x4.mul(nz, offset));
    const mx = f32x4.sub(column(direction + LOOK_RIGHT, x, y, z), half);
    const my = f32x4.sub(column(direction + LOOK_DOWN, x, y, z), half);
    const depth = f32x4.add(along(direction + LOOK_DIRECTION, x, y, z), bias);
    const key = porous ? v128.or(steps(depth, nearest, scale), i32x4.splat(255)) : zero;
    const ix = i32x4.trunc_sat_f32x4_s(f32x4.pmin(f32x4.pmax(mx, zero), most));
    const iy = i32x4.trunc_sat_f32x4_s(f32x4.pmin(f32x4.pmax(my, zero), most));
    const from = i32x4.add(i32x4.splat(<i32>solid), i32x4.shl(i32x4.add(i32x4.mul(iy, i32x4.splat(side)), ix), 2));
    const f0 = <usize>i32x4.extract_lane(from, 0);
    const f1 = <usize>i32x4.extract_lane(from, 1);
    const f2 = <usize>i32x4.extract_lane(from, 2);
    const f3 = <usize>i32x4.extract_lane(from, 3);
    const open = f32x4(
      opening(f0, porous ? f0 + byDensity : 0, stride, f32x4.extract_lane(depth, 0), i32x4.extract_lane(key, 0)),
      opening(f1, porous ? f1 + byDensity : 0, stride, f32x4.extract_lane(depth, 1), i32x4.extract_lane(key, 1)),
      opening(f2, porous ? f2 + byDensity : 0, stride, f32x4.extract_lane(depth, 2), i32x4.extract_lane(key, 2)),
      opening(f3, porous ? f3 + byDensity : 0, stride, f32x4.extract_lane(depth, 3), i32x4.extract_lane(key, 3)),
    );
    const counts = f32x4.mul(cosine, weight);
    v128.store(at, f32x4.add(v128.load(at, 96), f32x4.mul(counts, open)), 96);
    v128.store(at, f32x4.add(v128.load(at, 112), counts), 112);
  }
}

/** Writes a mesh's results: what was open of all there was; 1 where nothing was asked. */
export function finishOcclusion(mesh: usize): void {
  const count = load<i32>(mesh, OCCLUDER_VERTEX_COUNT);
  const lanes = <usize>load<u32>(mesh, OCCLUDER_LANES);
  const out = <usize>load<u32>(mesh, OCCLUDER_OUT);
  for (let i = 0; i < count; i++) {
    const at = lanes + <usize>(i >> 2) * LANES_BYTES + (<usize>(i & 3) << 2);
    const all = load<f32>(at, 112);
    store<f32>(out + (<usize>i << 2), all > 0 ? load<f32>(at, 96) / all : 1);
  }
}
