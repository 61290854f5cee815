/**
 * Which triangle each sample sees.
 *
 * Opaque and cut-out triangles go into the depth buffer at once; blended ones are kept until they can be sorted.
 * What a sample looks like is decided later (`queue.ts`, `shade.ts`), and only once for each that is seen.
 */

import {
  FLAG_BLEND, FLAG_COLOURS, FLAG_CUTOUT, FLAG_DOUBLE_SIDED, FLAG_TEXTURE, FRAME_DEPTH, FRAME_HEIGHT, FRAME_IDS,
  FRAME_NEXT_VERTEX, FRAME_SORT, FRAME_SORT_COUNT, FRAME_STRIDE, FRAME_TRIANGLES, FRAME_TRIANGLE_COUNT,
  FRAME_WIDTH, NEAR, PART_FLAGS, PART_INDEX, PART_INDICES, PART_OPACITY, PART_TEXTURE, PART_TRIANGLE_COUNT,
  PART_VERTICES, TEXTURE_FIRST_LEVEL, TEXTURE_LEVELS, TRIANGLE_BYTES, VERTEX_BYTES,
} from '../layout';
import { BOX, EDGES, placeBox, placeEdges } from './edges';
import { alphaAt } from './texture';

/** Draws a part whose vertices are placed. */
export function drawPart(frame: usize, part: usize): void {
  const vertices = <usize>load<u32>(part, PART_VERTICES);
  let index = <usize>load<u32>(part, PART_INDICES);
  const end = index + 12 * <usize>load<i32>(part, PART_TRIANGLE_COUNT);
  for (; index < end; index += 12) {
    const a = vertices + <usize>load<u32>(index) * VERTEX_BYTES;
    const b = vertices + <usize>load<u32>(index, 4) * VERTEX_BYTES;
    const c = vertices + <usize>load<u32>(index, 8) * VERTEX_BYTES;
    const inFront =
      i32(load<f32>(a, 12) >= <f32>NEAR) + i32(load<f32>(b, 12) >= <f32>NEAR) + i32(load<f32>(c, 12) >= <f32>NEAR);
    if (inFront == 3) drawTriangle(frame, part, a, b, c);
    else if (inFront > 0) drawClipped(frame, part, a, b, c, inFront);
  }
}

/** Turns the corners until the odd one out comes first, cuts its two edges, draws what is in front. */
function drawClipped(frame: usize, part: usize, a: usize, b: usize, c: usize, inFront: i32): void {
  const alone = inFront == 1;
  for (let turn = 0; turn < 2 && load<f32>(a, 12) >= <f32>NEAR != alone; turn++) {
    const first = a;
    a = b;
    b = c;
    c = first;
  }
  const ab = cut(frame, a, b);
  const ac = cut(frame, a, c);
  if (alone) {
    drawTriangle(frame, part, a, ab, ac);
  } else {
    // The first corner is what everything is measured from: one that is not far outside the picture.
    drawTriangle(frame, part, b, c, ab);
    drawTriangle(frame, part, c, ac, ab);
  }
}

/** A new vertex where an edge meets the near plane; everything on it is linear in space. */
function cut(frame: usize, from: usize, to: usize): usize {
  const made = <usize>load<u32>(frame, FRAME_NEXT_VERTEX);
  store<u32>(frame, <u32>(made + VERTEX_BYTES), FRAME_NEXT_VERTEX);
  const start = load<f32>(from, 12);
  const t = f32x4.splat((<f32>NEAR - start) / (load<f32>(to, 12) - start));
  for (let at: usize = 16; at < <usize>VERTEX_BYTES; at += 16) {
    const first = v128.load(from + at);
    v128.store(made + at, f32x4.add(first, f32x4.mul(t, f32x4.sub(v128.load(to + at), first))));
  }
  const inverse: f32 = <f32>(1 / NEAR);
  store<f32>(made, load<f32>(made, 40) * inverse);
  store<f32>(made, load<f32>(made, 44) * inverse, 4);
  store<f32>(made, inverse, 8);
  store<f32>(made, <f32>NEAR, 12);
  return made;
}

function drawTriangle(frame: usize, part: usize, a: usize, b: usize, c: usize): void {
  const ax = load<f32>(a);
  const ay = load<f32>(a, 4);
  const bx = load<f32>(b);
  const by = load<f32>(b, 4);
  const cx = load<f32>(c);
  const cy = load<f32>(c, 4);
  const abx = bx - ax;
  const aby = by - ay;
  const acx = cx - ax;
  const acy = cy - ay;
  const area = abx * acy - aby * acx;
  const flags = load<i32>(part, PART_FLAGS);
  // y runs downwards: counter-clockwise in the world is clockwise here.
  if (!(area < 0 || (flags & FLAG_DOUBLE_SIDED && area > 0))) return;
  if (!placeBox(ax, ay, bx, by, cx, cy, <f32>load<i32>(frame, FRAME_WIDTH), <f32>load<i32>(frame, FRAME_HEIGHT)))
    return;

  const count = load<i32>(frame, FRAME_TRIANGLE_COUNT);
  const record = <usize>load<u32>(frame, FRAME_TRIANGLES) + <usize>count * TRIANGLE_BYTES;
  const scale: f32 = 1 / area;
  const a1 = acy * scale;
  const b1 = -acx * scale;
  const a2 = -aby * scale;
  const b2 = abx * scale;
  const ia = load<f32>(a, 8);
  const ib = load<f32>(b, 8);
  const ic = load<f32>(c, 8);
  store<f32>(record, ax);
  store<f32>(record, ay, 4);
  store<f32>(record, a1, 8);
  store<f32>(record, b1, 12);
  store<f32>(record, a2, 16);
  store<f32>(record, b2, 20);
  store<f32>(record, ia, 24);
  store<f32>(record, ib, 28);
  store<f32>(record, ic, 32);
  store<u32>(record, <u32>a, 48);
  store<u32>(record, <u32>b, 52);
  store<u32>(record, <u32>c, 56);
  const index = load<i32>(part, PART_INDEX);
  store<i32>(record, index, 40);
  if (flags & FLAG_BLEND) {
    store<i32>(record, levelOf(part, a, b, c, area), 36);
    const mean: f32 = (load<f32>(a, 12) + load<f32>(b, 12) + load<f32>(c, 12)) * <f32>(1.0 / 3.0);
    store<f32>(record, mean, 44);
    const waiting = load<i32>(frame, FRAME_SORT_COUNT);
    store<u32>(<usize>load<u32>(frame, FRAME_SORT) + (<usize>waiting << 3), <u32>count, 4);
    store<f32>(<usize>load<u32>(frame, FRAME_SORT) + (<usize>waiting << 3), mean);
    store<i32>(frame, waiting + 1, FRAME_SORT_COUNT);
    store<i32>(frame, count + 1, FRAME_TRIANGLE_COUNT);
    return;
  }
  const cutout = (flags & (FLAG_CUTOUT | FLAG_TEXTURE | FLAG_COLOURS)) > FLAG_CUTOUT;
  if (cutout) store<i32>(record, levelOf(part, a, b, c, area), 36);
  placeEdges(ax, ay, bx, by, cx, cy, area < 0 ? -1 : 1);
  const gx = a1 * (ib - ia) + a2 * (ic - ia);
  const gy = b1 * (ib - ia) + b2 * (ic - ia);
  const id = (index << 24) | (count + 1);
  if (!cover(frame, ax, ay, ia, gx, gy, id, cutout ? part : 0, record)) return;
  if (!cutout) store<i32>(record, levelOf(part, a, b, c, area), 36);
  store<i32>(frame, count + 1, FRAME_TRIANGLE_COUNT);
}

/** The mip level whose texels are about as large as samples, from the areas of the triangle on both. */
// @ts-ignore: decorator
@inline
function levelOf(part: usize, a: usize, b: usize, c: usize, area: f32): i32 {
  const texture = <usize>load<u32>(part, PART_TEXTURE);
  if (!texture) return 0;
  const u = load<f32>(a, 32);
  const v = load<f32>(a, 36);
  const onTexture =
    (load<f32>(b, 32) - u) * (load<f32>(c, 36) - v) - (load<f32>(c, 32) - u) * (load<f32>(b, 36) - v);
  const texels = onTexture * load<f32>(texture, TEXTURE_FIRST_LEVEL + 8) * load<f32>(texture, TEXTURE_FIRST_LEVEL + 12);
  const ratio = abs<f32>(texels / area);
  // Half the logarithm, rounded: (floor(log2) + 1) / 2, rounded down.
  const exponent = <i32>(reinterpret<u32>(ratio) >> 23) - 127;
  return max(0, min((exponent + 1) >> 1, load<i32>(texture, TEXTURE_LEVELS) - 1));
}

/** Writes a triangle to the samples where it is nearest; false when there are none. `part` is 0 for what has no
 * holes. */
function cover(
  frame: usize, x0: f32, y0: f32, inverse: f32, gx: f32, gy: f32, id: i32, part: usize, record: usize,
): bool {
  const left = load<i32>(BOX);
  const right = load<i32>(BOX, 4);
  const bottom = load<i32>(BOX, 12);
  const stride = <usize>load<i32>(frame, FRAME_STRIDE);
  const a0 = v128.load32_splat(EDGES);
  const a1 = v128.load32_splat(EDGES, 16);
  const a2 = v128.load32_splat(EDGES, 32);
  const least0 = v128.load32_splat(EDGES, 12);
  const least1 = v128.load32_splat(EDGES, 28);
  const least2 = v128.load32_splat(EDGES, 44);
  const steps = f32x4(0.5, 1.5, 2.5, 3.5);
  const first = f32x4.add(f32x4.splat(<f32>left), steps);
  const slope = f32x4.splat(gx);
  const ids = i32x4.splat(id);
  const depths = <usize>load<u32>(frame, FRAME_DEPTH);
  const numbers = <usize>load<u32>(frame, FRAME_IDS) - depths;
  let touched = false;
  for (let y = load<i32>(BOX, 8); y <= bottom; y++) {
    const py = <f32>y + 0.5;
    const r0 = f32x4.splat(load<f32>(EDGES, 4) * py + load<f32>(EDGES, 8));
    const r1 = f32x4.splat(load<f32>(EDGES, 20) * py + load<f32>(EDGES, 24));
    const r2 = f32x4.splat(load<f32>(EDGES, 36) * py + load<f32>(EDGES, 40));
    const start = f32x4.splat(inverse + gy * (py - y0));
    let px = first;
    let at = depths + ((<usize>y * stride + <usize>left) << 2);
    let met = false;
    for (let x = left; x <= right; x += 4) {
      let inside = v128.and(
        v128.and(f32x4.ge(f32x4.add(f32x4.mul(a0, px), r0), least0), f32x4.ge(f32x4.add(f32x4.mul(a1, px), r1), least1)),
        f32x4.ge(f32x4.add(f32x4.mul(a2, px), r2), least2),
      );
      if (v128.any_true(inside)) {
        met = true;
        const depth = f32x4.add(start, f32x4.mul(slope, f32x4.sub(px, f32x4.splat(x0))));
        const before = v128.load(at);
        inside = v128.and(inside, f32x4.gt(depth, before));
        if (part) inside = v128.and(inside, solid(inside, part, record, px, py));
        if (v128.any_true(inside)) {
          touched = true;
          v128.store(at, v128.bitselect(depth, before, inside));
          v128.store(at + numbers, v128.bitselect(ids, v128.load(at + numbers), inside));
        }
      } else if (met) break;
      px = f32x4.add(px, f32x4.splat(4));
      at += 16;
    }
  }
  return touched;
}

/** Which of four samples a cut-out triangle has alpha of a half or more at. */
function solid(asked: v128, part: usize, record: usize, px: v128, py: f32): v128 {
  let out = i32x4.splat(0);
  const mask = i32x4.bitmask(asked);
  if (mask & 1) out = i32x4.replace_lane(out, 0, solidAt(part, record, f32x4.extract_lane(px, 0), py));
  if (mask & 2) out = i32x4.replace_lane(out, 1, solidAt(part, record, f32x4.extract_lane(px, 1), py));
  if (mask & 4) out = i32x4.replace_lane(out, 2, solidAt(part, record, f32x4.extract_lane(px, 2), py));
  if (mask & 8) out = i32x4.replace_lane(out, 3, solidAt(part, record, f32x4.extract_lane(px, 3), py));
  return out;
}

function solidAt(part: usize, record: usize, x: f32, y: f32): i32 {
  const dx = x - load<f32>(record);
  const dy = y - load<f32>(record, 4);
  const l1 = load<f32>(record, 8) * dx + load<f32>(record, 12) * dy;
  const l2 = load<f32>(record, 16) * dx + load<f32>(record, 20) * dy;
  const p: f32 = (<f32>1 - l1 - l2) * load<f32>(record, 24);
  const q: f32 = l1 * load<f32>(record, 28);
  const r: f32 = l2 * load<f32>(record, 32);
  const scale: f32 = 1 / (p + q + r);
  const a = <usize>load<u32>(record, 48);
  const b = <usize>load<u32>(record, 52);
  const c = <usize>load<u32>(record, 56);
  const texture = <usize>load<u32>(part, PART_TEXTURE);
  let alpha = load<f32>(part, PART_OPACITY);
  if (load<i32>(part, PART_FLAGS) & FLAG_COLOURS)
    alpha *= (p * load<f32>(a, 60) + q * load<f32>(b, 60) + r * load<f32>(c, 60)) * scale;
  if (texture) {
    const u = (p * load<f32>(a, 32) + q * load<f32>(b, 32) + r * load<f32>(c, 32)) * scale;
    const v = (p * load<f32>(a, 36) + q * load<f32>(b, 36) + r * load<f32>(c, 36)) * scale;
    alpha *= alphaAt(texture, u, v, load<i32>(record, 36)) * <f32>(1.0 / 255.0);
  }
  return alpha >= 0.5 ? -1 : 0;
}
