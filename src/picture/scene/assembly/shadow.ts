/**
 * Shadow maps of directional lights, and reading them softly.
 *
 * A map holds how far towards the light the nearest surface lies. A point reads 4 x 4 texels and weighs them as a box
 * of 3 x 3 that moves smoothly with it: how wide the edge of a shadow is follows from the size of the texels.
 */

import {
  FLAG_BLEND, FLAG_COLOURS, FLAG_CUTOUT, FLAG_DOUBLE_SIDED, FLAG_TEXTURE, LIGHT_BIAS, LIGHT_DIRECTION, LIGHT_MAP,
  LIGHT_NORMAL_OFFSET, LIGHT_ROW_DEPTH, LIGHT_ROW_X, LIGHT_ROW_Y, LIGHT_SIDE, PART_COLOURS, PART_FLAGS, PART_INDICES,
  PART_OPACITY, PART_POSITIONS, PART_TEXTURE, PART_TRIANGLE_COUNT, PART_UVS, PART_VERTEX_COUNT,
  TEXTURE_FIRST_LEVEL, TEXTURE_LEVELS,
} from '../layout';
import { BOX, EDGES, placeBox, placeEdges } from './edges';
import { dot, madd } from './lanes';
import { alphaAt } from './texture';

/** Far from any light. */
const NOWHERE: f32 = -1e30;

/** Empties a light's map. */
export function clearShadow(light: usize): void {
  const map = <usize>load<u32>(light, LIGHT_MAP);
  const side = <usize>load<i32>(light, LIGHT_SIDE);
  const empty = f32x4.splat(NOWHERE);
  const end = map + ((side * side + 4) << 2);
  for (let at = map; at < end; at += 16) v128.store(at, empty);
}

/** Draws a part into a light's map; `room` takes 16 bytes a vertex. */
export function castShadow(light: usize, part: usize, room: usize): void {
  const count = load<i32>(part, PART_VERTEX_COUNT);
  let position = <usize>load<u32>(part, PART_POSITIONS);
  const c0 = f32x4(
    load<f32>(light, LIGHT_ROW_X), load<f32>(light, LIGHT_ROW_Y), load<f32>(light, LIGHT_ROW_DEPTH), 0,
  );
  const c1 = f32x4(
    load<f32>(light, LIGHT_ROW_X + 4), load<f32>(light, LIGHT_ROW_Y + 4), load<f32>(light, LIGHT_ROW_DEPTH + 4), 0,
  );
  const c2 = f32x4(
    load<f32>(light, LIGHT_ROW_X + 8), load<f32>(light, LIGHT_ROW_Y + 8), load<f32>(light, LIGHT_ROW_DEPTH + 8), 0,
  );
  const c3 = f32x4(
    load<f32>(light, LIGHT_ROW_X + 12), load<f32>(light, LIGHT_ROW_Y + 12), load<f32>(light, LIGHT_ROW_DEPTH + 12), 0,
  );
  let to = room;
  for (let i = 0; i < count; i++) {
    const p = madd(c0, v128.load32_splat(position), madd(c1, v128.load32_splat(position, 4), c3));
    v128.store(to, madd(c2, v128.load32_splat(position, 8), p));
    position += 12;
    to += 16;
  }
  const flags = load<i32>(part, PART_FLAGS);
  const both = (flags & FLAG_DOUBLE_SIDED) != 0;
  const porous = (flags & (FLAG_BLEND | FLAG_CUTOUT)) != 0 && (flags & (FLAG_TEXTURE | FLAG_COLOURS)) != 0;
  if (flags & FLAG_BLEND && load<f32>(part, PART_OPACITY) < 0.5) return;
  const side = <f32>load<i32>(light, LIGHT_SIDE);
  let index = <usize>load<u32>(part, PART_INDICES);
  const end = index + 12 * <usize>load<i32>(part, PART_TRIANGLE_COUNT);
  for (; index < end; index += 12) {
    const a = room + (<usize>load<u32>(index) << 4);
    const b = room + (<usize>load<u32>(index, 4) << 4);
    const c = room + (<usize>load<u32>(index, 8) << 4);
    const ax = load<f32>(a);
    const ay = load<f32>(a, 4);
    const bx = load<f32>(b);
    const by = load<f32>(b, 4);
    const cx = load<f32>(c);
    const cy = load<f32>(c, 4);
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    // Seen from the light, which is on the viewer's side: x to the right, y down, as on a picture.
    if (!(area < 0 || (both && area > 0))) continue;
    if (!placeBox(ax, ay, bx, by, cx, cy, side, side)) continue;
    placeEdges(ax, ay, bx, by, cx, cy, area < 0 ? -1 : 1);
    cast(light, a, b, c, 1 / area, porous ? part : 0, index);
  }
}

function cast(light: usize, a: usize, b: usize, c: usize, scale: f32, part: usize, index: usize): void {
  const left = load<i32>(BOX);
  const right = load<i32>(BOX, 4);
  const bottom = load<i32>(BOX, 12);
  const stride = <usize>load<i32>(light, LIGHT_SIDE);
  const x0 = load<f32>(a);
  const y0 = load<f32>(a, 4);
  const da = load<f32>(a, 8);
  const b1 = (load<f32>(c, 4) - y0) * scale;
  const b2 = (y0 - load<f32>(b, 4)) * scale;
  const c1 = (x0 - load<f32>(c)) * scale;
  const c2 = (load<f32>(b) - x0) * scale;
  const db = load<f32>(b, 8) - da;
  const dc = load<f32>(c, 8) - da;
  const gx = b1 * db + b2 * dc;
  const gy = c1 * db + c2 * dc;
  const e0 = v128.load32_splat(EDGES);
  const e1 = v128.load32_splat(EDGES, 16);
  const e2 = v128.load32_splat(EDGES, 32);
  const least0 = v128.load32_splat(EDGES, 12);
  const least1 = v128.load32_splat(EDGES, 28);
  const least2 = v128.load32_splat(EDGES, 44);
  const first = f32x4.add(f32x4.splat(<f32>left), f32x4(0.5, 1.5, 2.5, 3.5));
  const slope = f32x4.splat(gx);
  const map = <usize>load<u32>(light, LIGHT_MAP);
  for (let y = load<i32>(BOX, 8); y <= bottom; y++) {
    const py = <f32>y + 0.5;
    const r0 = f32x4.splat(load<f32>(EDGES, 4) * py + load<f32>(EDGES, 8));
    const r1 = f32x4.splat(load<f32>(EDGES, 20) * py + load<f32>(EDGES, 24));
    const r2 = f32x4.splat(load<f32>(EDGES, 36) * py + load<f32>(EDGES, 40));
    const start = f32x4.splat(da + gy * (py - y0));
    let px = first;
    let at = map + ((<usize>y * stride + <usize>left) << 2);
    for (let x = left; x <= right; x += 4) {
      const inside = v128.and(
        v128.and(f32x4.ge(f32x4.add(f32x4.mul(e0, px), r0), least0), f32x4.ge(f32x4.add(f32x4.mul(e1, px), r1), least1)),
        f32x4.ge(f32x4.add(f32x4.mul(e2, px), r2), least2),
      );
      if (v128.any_true(inside)) {
        const depth = f32x4.add(start, f32x4.mul(slope, f32x4.sub(px, f32x4.splat(x0))));
        const before = v128.load(at);
        const nearer = v128.and(inside, f32x4.gt(depth, before));
        if (
          v128.any_true(nearer) &&
          (!part || castsAt(part, index, x0, y0, b1, c1, b2, c2, f32x4.extract_lane(px, 0), py))
        )
          v128.store(at, v128.bitselect(depth, before, nearer));
      }
      px = f32x4.add(px, f32x4.splat(4));
      at += 16;
    }
  }
}

/** Whether a porous triangle is more solid than not round a place; asked once for four texels. */
function castsAt(
  part: usize, index: usize, x0: f32, y0: f32, b1: f32, c1: f32, b2: f32, c2: f32, x: f32, y: f32,
): bool {
  const l1 = min<f32>(1, max<f32>(0, b1 * (x - x0) + c1 * (y - y0)));
  const l2 = min<f32>(1 - l1, max<f32>(0, b2 * (x - x0) + c2 * (y - y0)));
  const l0: f32 = <f32>1 - l1 - l2;
  const a = <usize>load<u32>(index);
  const b = <usize>load<u32>(index, 4);
  const c = <usize>load<u32>(index, 8);
  let alpha = load<f32>(part, PART_OPACITY);
  const colours = <usize>load<u32>(part, PART_COLOURS);
  if (colours)
    alpha *=
      l0 * load<f32>(colours + (a << 4), 12) + l1 * load<f32>(colours + (b << 4), 12) +
      l2 * load<f32>(colours + (c << 4), 12);
  const texture = <usize>load<u32>(part, PART_TEXTURE);
  if (texture) {
    const uvs = <usize>load<u32>(part, PART_UVS);
    const ua = load<f32>(uvs + (a << 3));
    const va = load<f32>(uvs + (a << 3), 4);
    const ub = load<f32>(uvs + (b << 3));
    const vb = load<f32>(uvs + (b << 3), 4);
    const uc = load<f32>(uvs + (c << 3));
    const vc = load<f32>(uvs + (c << 3), 4);
    const turned = (ub - ua) * (vc - va) - (uc - ua) * (vb - va);
    const texels =
      turned * load<f32>(texture, TEXTURE_FIRST_LEVEL + 8) * load<f32>(texture, TEXTURE_FIRST_LEVEL + 12) *
      (b1 * c2 - b2 * c1);
    const exponent = <i32>(reinterpret<u32>(abs<f32>(texels)) >> 23) - 127;
    const level = max(0, min((exponent + 1) >> 1, load<i32>(texture, TEXTURE_LEVELS) - 1));
    alpha *=
      alphaAt(texture, l0 * ua + l1 * ub + l2 * uc, l0 * va + l1 * vb + l2 * vc, level) * <f32>(1.0 / 255.0);
  }
  return alpha >= 0.5;
}

/** Four weighted counts of lit texels of one point, to be added up. */
// @ts-ignore: decorator
@inline
function lit(at: usize, stride: usize, depth: v128, fx: v128, fy: v128): v128 {
  // Columns weigh 1 - fx, 1, 1, fx.
  const one = f32x4.splat(1);
  const columns = v128.shuffle<f32>(v128.shuffle<f32>(f32x4.sub(one, fx), one, 0, 4, 0, 4), fx, 0, 1, 1, 4);
  let sum = f32x4.mul(v128.and(f32x4.le(v128.load(at), depth), columns), f32x4.sub(one, fy));
  at += stride;
  sum = f32x4.add(sum, v128.and(f32x4.le(v128.load(at), depth), columns));
  at += stride;
  sum = f32x4.add(sum, v128.and(f32x4.le(v128.load(at), depth), columns));
  at += stride;
  return f32x4.add(sum, f32x4.mul(v128.and(f32x4.le(v128.load(at), depth), columns), fy));
}

/** The share of a light that reaches four points. */
// @ts-ignore: decorator
@inline
export function shadowAt(light: usize, x: v128, y: v128, z: v128, nx: v128, ny: v128, nz: v128): v128 {
  const offset = v128.load32_splat(light, LIGHT_NORMAL_OFFSET);
  const px = madd(nx, offset, x);
  const py = madd(ny, offset, y);
  const pz = madd(nz, offset, z);
  const ox = v128.load32_splat(light, LIGHT_ROW_X + 12);
  const oy = v128.load32_splat(light, LIGHT_ROW_Y + 12);
  const mx = f32x4.add(
    dot(px, py, pz, v128.load32_splat(light, LIGHT_ROW_X), v128.load32_splat(light, LIGHT_ROW_X + 4),
      v128.load32_splat(light, LIGHT_ROW_X + 8)), ox,
  );
  const my = f32x4.add(
    dot(px, py, pz, v128.load32_splat(light, LIGHT_ROW_Y), v128.load32_splat(light, LIGHT_ROW_Y + 4),
      v128.load32_splat(light, LIGHT_ROW_Y + 8)), oy,
  );
  const depth = f32x4.add(
    dot(px, py, pz, v128.load32_splat(light, LIGHT_DIRECTION), v128.load32_splat(light, LIGHT_DIRECTION + 4),
      v128.load32_splat(light, LIGHT_DIRECTION + 8)), v128.load32_splat(light, LIGHT_BIAS),
  );
  const side = load<i32>(light, LIGHT_SIDE);
  const most = f32x4.splat(<f32>(side - 4));
  const zero = f32x4.splat(0);
  // The box of 3 x 3 round the point begins 1.5 texels before it.
  const bx = f32x4.pmin(f32x4.pmax(f32x4.sub(mx, f32x4.splat(2 - 0.5)), zero), most);
  const by = f32x4.pmin(f32x4.pmax(f32x4.sub(my, f32x4.splat(2 - 0.5)), zero), most);
  const ix = i32x4.trunc_sat_f32x4_s(bx);
  const iy = i32x4.trunc_sat_f32x4_s(by);
  const fx = f32x4.sub(bx, f32x4.convert_i32x4_s(ix));
  const fy = f32x4.sub(by, f32x4.convert_i32x4_s(iy));
  const at = i32x4.add(
    i32x4.splat(load<i32>(light, LIGHT_MAP)), i32x4.shl(i32x4.add(i32x4.mul(iy, i32x4.splat(side)), ix), 2),
  );
  const stride = <usize>side << 2;
  const s0 = lit(
    <usize>i32x4.extract_lane(at, 0), stride, v128.shuffle<f32>(depth, depth, 0, 0, 0, 0),
    v128.shuffle<f32>(fx, fx, 0, 0, 0, 0), v128.shuffle<f32>(fy, fy, 0, 0, 0, 0),
  );
  const s1 = lit(
    <usize>i32x4.extract_lane(at, 1), stride, v128.shuffle<f32>(depth, depth, 1, 1, 1, 1),
    v128.shuffle<f32>(fx, fx, 1, 1, 1, 1), v128.shuffle<f32>(fy, fy, 1, 1, 1, 1),
  );
  const s2 = lit(
    <usize>i32x4.extract_lane(at, 2), stride, v128.shuffle<f32>(depth, depth, 2, 2, 2, 2),
    v128.shuffle<f32>(fx, fx, 2, 2, 2, 2), v128.shuffle<f32>(fy, fy, 2, 2, 2, 2),
  );
  const s3 = lit(
    <usize>i32x4.extract_lane(at, 3), stride, v128.shuffle<f32>(depth, depth, 3, 3, 3, 3),
    v128.shuffle<f32>(fx, fx, 3, 3, 3, 3), v128.shuffle<f32>(fy, fy, 3, 3, 3, 3),
  );
  const s01 = f32x4.add(v128.shuffle<f32>(s0, s1, 0, 1, 4, 5), v128.shuffle<f32>(s0, s1, 2, 3, 6, 7));
  const s23 = f32x4.add(v128.shuffle<f32>(s2, s3, 0, 1, 4, 5), v128.shuffle<f32>(s2, s3, 2, 3, 6, 7));
  const sum = f32x4.add(v128.shuffle<f32>(s01, s23, 0, 2, 4, 6), v128.shuffle<f32>(s01, s23, 1, 3, 5, 7));
  return f32x4.mul(sum, f32x4.splat(<f32>(1.0 / 9.0)));
}
