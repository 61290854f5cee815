/**
 * Fragments wait here until there are enough of them; then each part's are shaded together, four at a time, and put
 * together in the order they came: front to back.
 *
 * A sample keeps the light collected so far and the share that still comes through from behind. So what lies behind
 * enough hair is never shaded.
 */

import {
  FLAG_BLEND, FRAME_DEPTH, FRAME_FRONT, FRAME_HEIGHT, FRAME_IDS, FRAME_LIGHT, FRAME_PARTS, FRAME_QUEUE,
  FRAME_SORT, FRAME_SORT_COUNT, FRAME_SORT_ROOM, FRAME_STRIDE, FRAME_TRIANGLES, FRAME_WIDTH, PART_BYTES, PART_FLAGS,
  QUEUE, TRIANGLE_BYTES,
} from '../layout';
import { BOX, EDGES, placeBox, placeEdges } from './edges';
import { resolveRows } from './resolve';
import { shadeRun } from './shade';
import { sortByDepth } from './sort';

const COUNTS: usize = memory.data(1024, 16);
/** Below this share nothing behind is worth shading. */
const CLOSED: f32 = 1 / 512.0;
const LIST: usize = 8 * QUEUE;
const PLACES: usize = LIST + 8 * (QUEUE + 1024);
const SHADED: usize = PLACES + 4 * QUEUE;
const DEPTHS: usize = SHADED + 16 * (QUEUE + 1024);

/** Shades what waits. */
function flush(frame: usize, count: i32): void {
  const queue = <usize>load<u32>(frame, FRAME_QUEUE);
  const parts = <usize>load<u32>(frame, FRAME_PARTS);
  const list = queue + LIST;
  const places = queue + PLACES;
  const shaded = queue + SHADED;
  memory.fill(COUNTS, 0, 1024);
  for (let i = 0; i < count; i++) {
    const slot = COUNTS + ((<usize>load<u32>(queue + (<usize>i << 3), 4) >> 24) << 2);
    store<i32>(slot, load<i32>(slot) + 1);
  }
  let start = 0;
  for (let p: usize = 0; p < 256; p++) {
    const slot = COUNTS + (p << 2);
    const size = load<i32>(slot);
    store<i32>(slot, start);
    start += (size + 3) & ~3;
  }
  for (let i = 0; i < count; i++) {
    const entry = load<u64>(queue + (<usize>i << 3));
    const slot = COUNTS + (<usize>(entry >> 56) << 2);
    const place = load<i32>(slot);
    store<i32>(slot, place + 1);
    store<i32>(places + (<usize>i << 2), place);
    store<u64>(list + (<usize>place << 3), entry & 0x00ffffffffffffff);
  }
  start = 0;
  for (let p: usize = 0; p < 256; p++) {
    let end = load<i32>(COUNTS + (p << 2));
    if (end == start) continue;
    for (const last = load<u64>(list + (<usize>(end - 1) << 3)); end & 3; end++)
      store<u64>(list + (<usize>end << 3), last);
    shadeRun(
      frame, parts + p * PART_BYTES, list + (<usize>start << 3), end - start, shaded + (<usize>start << 4),
      queue + DEPTHS + (<usize>start << 2),
    );
    start = end;
  }

  const light = <usize>load<u32>(frame, FRAME_LIGHT);
  const front = <usize>load<u32>(frame, FRAME_FRONT);
  const stride = <usize>load<i32>(frame, FRAME_STRIDE);
  for (let i = 0; i < count; i++) {
    const place = <usize>load<i32>(places + (<usize>i << 2));
    const xy = load<u32>(queue + (<usize>i << 3));
    const index = <usize>(xy >> 16) * stride + <usize>(xy & 0xffff);
    const at = light + (index << 4);
    const before = v128.load(at);
    const fragment = v128.load(shaded + (place << 4));
    v128.store(at, f32x4.add(before, f32x4.mul(v128.shuffle<f32>(before, before, 3, 3, 3, 3), fragment)));
    if (f32x4.extract_lane(fragment, 3) >= -0.5) continue;
    const part = load<u32>(queue + (<usize>i << 3), 4) >> 24;
    if (!(load<i32>(parts + <usize>part * PART_BYTES, PART_FLAGS) & FLAG_BLEND)) continue;
    const nearest = front + (index << 3);
    const inverse = load<f32>(queue + DEPTHS + (place << 2));
    if (inverse > load<f32>(nearest)) {
      store<f32>(nearest, inverse);
      store<u32>(nearest, part, 4);
    }
  }
}

/** Blended triangles, nearest first. */
export function shadeBlended(frame: usize): void {
  const sorted = sortByDepth(
    <usize>load<u32>(frame, FRAME_SORT), <usize>load<u32>(frame, FRAME_SORT_ROOM), load<i32>(frame, FRAME_SORT_COUNT),
  );
  const end = sorted + (<usize>load<i32>(frame, FRAME_SORT_COUNT) << 3);
  let waiting = 0;
  for (let at = sorted; at < end; at += 8) waiting = enqueue(frame, load<u32>(at, 4), waiting);
  if (waiting) flush(frame, waiting);
}

/** Adds the samples of a blended triangle that may be seen; returns how many wait now. */
function enqueue(frame: usize, triangle: u32, waiting: i32): i32 {
  const record = <usize>load<u32>(frame, FRAME_TRIANGLES) + <usize>triangle * TRIANGLE_BYTES;
  const a = <usize>load<u32>(record, 48);
  const b = <usize>load<u32>(record, 52);
  const c = <usize>load<u32>(record, 56);
  const ax = load<f32>(a);
  const ay = load<f32>(a, 4);
  const bx = load<f32>(b);
  const by = load<f32>(b, 4);
  const cx = load<f32>(c);
  const cy = load<f32>(c, 4);
  placeBox(ax, ay, bx, by, cx, cy, <f32>load<i32>(frame, FRAME_WIDTH), <f32>load<i32>(frame, FRAME_HEIGHT));
  placeEdges(ax, ay, bx, by, cx, cy, (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) < 0 ? -1 : 1);
  const ia = load<f32>(record, 24);
  const ib = load<f32>(record, 28) - ia;
  const ic = load<f32>(record, 32) - ia;
  const gx = load<f32>(record, 8) * ib + load<f32>(record, 16) * ic;
  const gy = load<f32>(record, 12) * ib + load<f32>(record, 20) * ic;
  const left = load<i32>(BOX);
  const right = load<i32>(BOX, 4);
  const bottom = load<i32>(BOX, 12);
  const stride = <usize>load<i32>(frame, FRAME_STRIDE);
  const depths = <usize>load<u32>(frame, FRAME_DEPTH);
  const light = <usize>load<u32>(frame, FRAME_LIGHT);
  const queue = <usize>load<u32>(frame, FRAME_QUEUE);
  const entry = (<u64>((load<u32>(record, 40) << 24) | triangle)) << 32;
  const e0 = v128.load32_splat(EDGES);
  const e1 = v128.load32_splat(EDGES, 16);
  const e2 = v128.load32_splat(EDGES, 32);
  const least0 = v128.load32_splat(EDGES, 12);
  const least1 = v128.load32_splat(EDGES, 28);
  const least2 = v128.load32_splat(EDGES, 44);
  const b0 = load<f32>(EDGES, 4);
  const b1 = load<f32>(EDGES, 20);
  const b2 = load<f32>(EDGES, 36);
  const c0 = load<f32>(EDGES, 8);
  const c1 = load<f32>(EDGES, 24);
  const c2 = load<f32>(EDGES, 40);
  const first = f32x4.add(f32x4.splat(<f32>left), f32x4(0.5, 1.5, 2.5, 3.5));
  const last = f32x4.splat(<f32>right + 1);
  for (let y = load<i32>(BOX, 8); y <= bottom; y++) {
    const py = <f32>y + 0.5;
    const r0 = f32x4.splat(b0 * py + c0);
    const r1 = f32x4.splat(b1 * py + c1);
    const r2 = f32x4.splat(b2 * py + c2);
    const start = f32x4.splat(ia + gy * (py - ay));
    const row = <usize>y * stride;
    let px = first;
    for (let x = left; x <= right; x += 4, px = f32x4.add(px, f32x4.splat(4))) {
      const inside = v128.and(
        v128.and(f32x4.ge(f32x4.add(f32x4.mul(e0, px), r0), least0), f32x4.ge(f32x4.add(f32x4.mul(e1, px), r1), least1)),
        v128.and(f32x4.ge(f32x4.add(f32x4.mul(e2, px), r2), least2), f32x4.lt(px, last)),
      );
      if (!v128.any_true(inside)) continue;
      const depth = f32x4.add(start, f32x4.mul(f32x4.splat(gx), f32x4.sub(px, f32x4.splat(ax))));
      const at = row + <usize>x;
      let seen = i32x4.bitmask(v128.and(inside, f32x4.gt(depth, v128.load(depths + (at << 2)))));
      while (seen) {
        const lane = ctz(seen);
        seen &= seen - 1;
        if (load<f32>(light + ((at + <usize>lane) << 4), 12) < CLOSED) continue;
        if (waiting == QUEUE) {
          flush(frame, waiting);
          waiting = 0;
        }
        store<u64>(queue + (<usize>waiting << 3), entry | <u64>(<u32>(x + lane) | (<u32>y << 16)));
        waiting++;
      }
    }
  }
  return waiting;
}

/** Opaque surfaces behind, and the picture itself, some rows at a time so that both stay near the processor. */
export function shadeOpaque(frame: usize, rowsAtOnce: i32): void {
  const width = <usize>load<i32>(frame, FRAME_WIDTH);
  const height = load<i32>(frame, FRAME_HEIGHT);
  const stride = <usize>load<i32>(frame, FRAME_STRIDE);
  const ids = <usize>load<u32>(frame, FRAME_IDS);
  const light = <usize>load<u32>(frame, FRAME_LIGHT);
  const queue = <usize>load<u32>(frame, FRAME_QUEUE);
  let waiting = 0;
  let resolved = 0;
  for (let y = 0; y < height; y++) {
    const row = <usize>y * stride;
    for (let x: usize = 0; x < width; x++) {
      const id = load<u32>(ids + ((row + x) << 2));
      if (id == 0 || load<f32>(light + ((row + x) << 4), 12) < CLOSED) continue;
      if (waiting == QUEUE) {
        flush(frame, waiting);
        waiting = 0;
      }
      store<u64>(queue + (<usize>waiting << 3), (<u64>(id - 1) << 32) | <u64>(<u32>x | (<u32>y << 16)));
      waiting++;
    }
    if (y + 1 - resolved >= rowsAtOnce || y + 1 == height) {
      if (waiting) flush(frame, waiting);
      waiting = 0;
      resolveRows(frame, resolved, y + 1);
      resolved = y + 1;
    }
  }
}
