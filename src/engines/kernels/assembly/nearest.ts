/**
 * Nearest faces and deformation of points, in SIMD over a mesh block.
 *
 * The definitions, and the table of the block's layout, are in `src/body/search.ts` and
 * `src/body/mesh-block.ts`. Nothing here is static: the block is read only, what is written lies in `scratch`
 * (SCRATCH bytes, a multiple of 16, one for each thread), so instances may share a memory or have their own.
 *
 * Coherence: `hint` is the leaf that answered a neighbouring point, or -1. It bounds the search from the start.
 */

/** Bytes of scratch memory: 64 pending nodes, 24 leaves, 32 candidates of 8 bytes, four lanes, state. */
export const SCRATCH: usize = 704;
/** Where an answer lies in the scratch memory: face number (i32) and squared distance (f32). */
export const FACE: usize = 688;
export const BEST: usize = 692;
const LEAVES: usize = 256;
const CANDIDATES: usize = 352;
const LANES: usize = 608;
const WINNER: usize = 696;
const COUNT: usize = 700;
const MOST_CANDIDATES: i32 = 32;
/** Leaves are looked at once this many are pending. */
const FLUSH: usize = 16;

/** Squared distances within this factor count as equal; below ZERO they are zero. */
const TIE: f32 = 1.000001;
const ZERO: f32 = 1e-16;

const NODE_BYTES: usize = 112;
const LEAF_BYTES: usize = 352;
const LEAF_FACES: usize = 336;
const MAP_BYTES: usize = 48;
const NO_CHILD: i32 = 0x7fffffff;

/** x . y of 3-vectors of lanes. */
// @ts-ignore: decorator
@inline
function dot(ax: v128, ay: v128, az: v128, bx: v128, by: v128, bz: v128): v128 {
  return f32x4.add(f32x4.add(f32x4.mul(ax, bx), f32x4.mul(ay, by)), f32x4.mul(az, bz));
}

/**
 * Squared distance to the line of edge e from a corner (a: point - corner) where the foot is between the ends,
 * else NaN: corners are measured on their own, so that faces round a corner get bit-equal values.
 */
// @ts-ignore: decorator
@inline
function toEdge(ax: v128, ay: v128, az: v128, ex: v128, ey: v128, ez: v128, inverse: v128): v128 {
  const u = f32x4.mul(dot(ax, ay, az, ex, ey, ez), inverse);
  const dx = f32x4.sub(ax, f32x4.mul(u, ex));
  const dy = f32x4.sub(ay, f32x4.mul(u, ey));
  const dz = f32x4.sub(az, f32x4.mul(u, ez));
  const beyond = v128.or(f32x4.le(u, f32x4.splat(0)), f32x4.ge(u, f32x4.splat(1)));
  return v128.or(dot(dx, dy, dz, dx, dy, dz), beyond);
}

/** Squared distances of a point to the four triangles of a leaf. */
// @ts-ignore: decorator
@inline
function leafDistances(leaf: usize, x: v128, y: v128, z: v128): v128 {
  const ax0 = v128.load(leaf);
  const ay0 = v128.load(leaf, 16);
  const az0 = v128.load(leaf, 32);
  const bx0 = v128.load(leaf, 48);
  const by0 = v128.load(leaf, 64);
  const bz0 = v128.load(leaf, 80);
  const cx0 = v128.load(leaf, 96);
  const cy0 = v128.load(leaf, 112);
  const cz0 = v128.load(leaf, 128);
  const ax = f32x4.sub(x, ax0);
  const ay = f32x4.sub(y, ay0);
  const az = f32x4.sub(z, az0);
  const bx = f32x4.sub(x, bx0);
  const by = f32x4.sub(y, by0);
  const bz = f32x4.sub(z, bz0);
  const cx = f32x4.sub(x, cx0);
  const cy = f32x4.sub(y, cy0);
  const cz = f32x4.sub(z, cz0);
  const toA = dot(ax, ay, az, ax, ay, az);
  const toB = dot(bx, by, bz, bx, by, bz);
  const toC = dot(cx, cy, cz, cx, cy, cz);
  const ab = toEdge(
    ax, ay, az, f32x4.sub(bx0, ax0), f32x4.sub(by0, ay0), f32x4.sub(bz0, az0), v128.load(leaf, 144),
  );
  const bc = toEdge(
    bx, by, bz, f32x4.sub(cx0, bx0), f32x4.sub(cy0, by0), f32x4.sub(cz0, bz0), v128.load(leaf, 160),
  );
  const ac = toEdge(
    ax, ay, az, f32x4.sub(cx0, ax0), f32x4.sub(cy0, ay0), f32x4.sub(cz0, az0), v128.load(leaf, 176),
  );
  // pmin(a, b) keeps a where b is NaN.
  const corner = f32x4.pmin(f32x4.pmin(toA, toB), toC);
  const edges = f32x4.pmin(f32x4.pmin(f32x4.pmin(corner, ab), bc), ac);
  const h = dot(ax, ay, az, v128.load(leaf, 192), v128.load(leaf, 208), v128.load(leaf, 224));
  const s = dot(ax, ay, az, v128.load(leaf, 240), v128.load(leaf, 256), v128.load(leaf, 272));
  const t = dot(ax, ay, az, v128.load(leaf, 288), v128.load(leaf, 304), v128.load(leaf, 320));
  const zero = f32x4.splat(0);
  const inside = v128.and(
    v128.and(f32x4.ge(s, zero), f32x4.ge(t, zero)), f32x4.le(f32x4.add(s, t), f32x4.splat(1)),
  );
  return v128.bitselect(f32x4.mul(h, h), edges, inside);
}

/** The smaller of the lanes, in all lanes. */
// @ts-ignore: decorator
@inline
function smallest(v: v128): f32 {
  const pairs = f32x4.pmin(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmin(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** The squared distance that still counts as equal to the best. */
// @ts-ignore: decorator
@inline
function limitOf(best: f32): f32 {
  return best * TIE + ZERO;
}

/** Squared distances of a point to the boxes of a node's children. */
// @ts-ignore: decorator
@inline
function boxDistances(node: usize, x: v128, y: v128, z: v128): v128 {
  const zero = f32x4.splat(0);
  const dx = f32x4.pmax(f32x4.pmax(f32x4.sub(v128.load(node), x), f32x4.sub(x, v128.load(node, 48))), zero);
  const dy = f32x4.pmax(f32x4.pmax(f32x4.sub(v128.load(node, 16), y), f32x4.sub(y, v128.load(node, 64))), zero);
  const dz = f32x4.pmax(f32x4.pmax(f32x4.sub(v128.load(node, 32), z), f32x4.sub(z, v128.load(node, 80))), zero);
  return dot(dx, dy, dz, dx, dy, dz);
}

/** Looks at a leaf; the best squared distance so far is at scratch + BEST, what is near goes to the candidates. */
// @ts-ignore: decorator
@inline
function visitLeaf(leaves: usize, index: i32, scratch: usize, x: v128, y: v128, z: v128): void {
  const leaf = leaves + <usize>index * LEAF_BYTES;
  const d = leafDistances(leaf, x, y, z);
  const best = load<f32>(scratch, BEST);
  if (v128.any_true(f32x4.le(d, f32x4.splat(limitOf(best))))) noteNear(leaf, index, scratch, d, best);
}

/** Adds what is near in a leaf to the candidates. */
function noteNear(leaf: usize, index: i32, scratch: usize, d: v128, before: f32): void {
  const least = smallest(d);
  if (least < before) {
    store<f32>(scratch, least, BEST);
    store<i32>(scratch, index, WINNER);
  }
  const limit = limitOf(min<f32>(least, before));
  const candidates = scratch + CANDIDATES;
  let count = load<i32>(scratch, COUNT);
  let mask = i32x4.bitmask(f32x4.le(d, f32x4.splat(limit)));
  v128.store(scratch, d, LANES);
  while (mask) {
    const lane = <usize>ctz(mask);
    mask &= mask - 1;
    if (count == MOST_CANDIDATES) count = keepNear(candidates, count, limit);
    const to = candidates + (<usize>count << 3);
    store<f32>(to, load<f32>(scratch + (lane << 2), LANES));
    store<i32>(to, load<i32>(leaf + (lane << 2), LEAF_FACES), 4);
    count++;
  }
  store<i32>(scratch, count, COUNT);
}

/** The leaf at the end of the nearest boxes, or -1 when the root's are all beyond the limit. Further down boxes
 * beyond it prove nothing: another branch may be nearer. */
function descend(nodes: usize, scratch: usize, x: v128, y: v128, z: v128, limit: f32): i32 {
  let child = 0;
  while (child >= 0) {
    const node = nodes + <usize>child * NODE_BYTES;
    const d = boxDistances(node, x, y, z);
    const least = smallest(d);
    if (child == 0 && !(least <= limit)) return -1;
    const lane = <usize>ctz(i32x4.bitmask(f32x4.eq(d, f32x4.splat(least))));
    child = load<i32>(node + (lane << 2), 96);
  }
  return ~child;
}

/**
 * The leaf of the face nearest to a point, or -1 when none is within the block's radius; writes the face number
 * and its squared distance to scratch + FACE and + BEST.
 *
 * The hint, or else the leaf that the nearest boxes lead to, gives a bound that is close to the answer; then
 * everything within the bound is looked at, without sorting and almost without branches.
 */
export function nearestLeaf(mesh: usize, scratch: usize, x: f32, y: f32, z: f32, hint: i32): i32 {
  const nodes = mesh + (<usize>load<i32>(mesh, 20) << 2);
  const leaves = mesh + (<usize>load<i32>(mesh, 24) << 2);
  const radius = load<f32>(mesh, 32);
  const px = f32x4.splat(x);
  const py = f32x4.splat(y);
  const pz = f32x4.splat(z);
  // Below infinity, so that the empty boxes of absent children are never near.
  store<f32>(scratch, min<f32>(radius * radius, 3e38), BEST);
  store<i32>(scratch, -1, WINNER);
  store<i32>(scratch, 0, COUNT);
  if (hint >= 0) visitLeaf(leaves, hint, scratch, px, py, pz);
  let seen = hint;
  if (load<i32>(scratch, WINNER) < 0) {
    const leaf = descend(nodes, scratch, px, py, pz, limitOf(load<f32>(scratch, BEST)));
    if (leaf < 0) return -1;
    if (leaf != hint) visitLeaf(leaves, leaf, scratch, px, py, pz);
    seen = leaf;
  }
  const skip = ~seen;
  const waiting = scratch + LEAVES;
  let top: usize = 1;
  let pending: usize = 0;
  store<i32>(scratch, 0);
  while (top > 0) {
    top--;
    const node = nodes + <usize>load<i32>(scratch + (top << 2)) * NODE_BYTES;
    const d = boxDistances(node, px, py, pz);
    const near = i32x4.bitmask(f32x4.le(d, f32x4.splat(limitOf(load<f32>(scratch, BEST)))));
    if (near == 0) continue;
    const children = v128.load(node, 96);
    const known = i32x4.bitmask(i32x4.eq(children, i32x4.splat(skip)));
    const ends = i32x4.bitmask(children);
    const toLeaves = near & ends & ~known;
    const toNodes = near & ~ends;
    const a = i32x4.extract_lane(children, 0);
    const b = i32x4.extract_lane(children, 1);
    const c = i32x4.extract_lane(children, 2);
    const e = i32x4.extract_lane(children, 3);
    store<i32>(scratch + (top << 2), a);
    top += <usize>(toNodes & 1);
    store<i32>(scratch + (top << 2), b);
    top += <usize>((toNodes >> 1) & 1);
    store<i32>(scratch + (top << 2), c);
    top += <usize>((toNodes >> 2) & 1);
    store<i32>(scratch + (top << 2), e);
    top += <usize>((toNodes >> 3) & 1);
    if (toLeaves == 0) continue;
    store<i32>(waiting + (pending << 2), a);
    pending += <usize>(toLeaves & 1);
    store<i32>(waiting + (pending << 2), b);
    pending += <usize>((toLeaves >> 1) & 1);
    store<i32>(waiting + (pending << 2), c);
    pending += <usize>((toLeaves >> 2) & 1);
    store<i32>(waiting + (pending << 2), e);
    pending += <usize>((toLeaves >> 3) & 1);
    if (pending < FLUSH) continue;
    for (let i: usize = 0; i < pending; i++) {
      visitLeaf(leaves, ~load<i32>(waiting + (i << 2)), scratch, px, py, pz);
    }
    pending = 0;
  }
  for (let i: usize = 0; i < pending; i++) {
    visitLeaf(leaves, ~load<i32>(waiting + (i << 2)), scratch, px, py, pz);
  }
  const best = load<f32>(scratch, BEST);
  const count = load<i32>(scratch, COUNT);
  if (count == 0 || !(sqrt<f32>(best) < radius)) return -1;
  const limit = limitOf(best);
  let face = NO_CHILD;
  for (let i = 0; i < count; i++) {
    const at = scratch + CANDIDATES + (<usize>i << 3);
    if (load<f32>(at) <= limit) face = min(face, load<i32>(at, 4));
  }
  store<i32>(scratch, face, FACE);
  return load<i32>(scratch, WINNER);
}

/** Drops candidates beyond the limit; if all are ties, keeps the lowest face number and forgets the rest. */
function keepNear(candidates: usize, count: i32, limit: f32): i32 {
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const at = candidates + (<usize>i << 3);
    if (load<f32>(at) <= limit) {
      store<u64>(candidates + (<usize>kept << 3), load<u64>(at));
      kept++;
    }
  }
  if (kept < count) return kept;
  for (let i = 1; i < count; i++) {
    const at = candidates + (<usize>i << 3);
    if (load<i32>(at, 4) < load<i32>(candidates, 4)) {
      store<u64>(candidates, load<u64>(at));
    }
  }
  return 1;
}

/**
 * Carries a point to the rest body: writes x, y, z to `out` (12 bytes) and returns the hint for the next point.
 * A point with no face within the radius stays where it is, and the hint stays.
 */
// @ts-ignore: decorator
@inline
export function deformPoint(mesh: usize, scratch: usize, x: f32, y: f32, z: f32, hint: i32, out: usize): i32 {
  const leaf = nearestLeaf(mesh, scratch, x, y, z, hint);
  if (leaf < 0) {
    store<f32>(out, x);
    store<f32>(out, y, 4);
    store<f32>(out, z, 8);
    return hint;
  }
  moveByBlock(mesh, load<i32>(scratch, FACE), x, y, z, out);
  return leaf;
}

/** A point moved with a face: 12 bytes at `out`. */
// @ts-ignore: decorator
@inline
export function moveByBlock(mesh: usize, face: i32, x: f32, y: f32, z: f32, out: usize): void {
  const map = mesh + (<usize>load<i32>(mesh, 28) << 2) + <usize>face * MAP_BYTES;
  const moved = f32x4.add(
    f32x4.add(f32x4.mul(f32x4.splat(x), v128.load(map)), f32x4.mul(f32x4.splat(y), v128.load(map, 12))),
    f32x4.add(f32x4.mul(f32x4.splat(z), v128.load(map, 24)), v128.load(map, 36)),
  );
  v128.store64_lane(out, moved, 0);
  v128.store32_lane(out, moved, 2, 8);
}

/** Points [n, count, 3] and a block for each n of `words` words to squared distances and faces [n, count]. */
export function nearestFaces(
  mesh: usize, points: usize, sqdist: usize, face: usize, scratch: usize, batch: i32, words: i32, count: i32,
): void {
  for (let n = 0; n < batch; n++) {
    let hint = -1;
    for (let i = 0; i < count; i++) {
      const leaf = nearestLeaf(
        mesh, scratch, load<f32>(points), load<f32>(points, 4), load<f32>(points, 8), hint,
      );
      store<i32>(face, leaf < 0 ? -1 : load<i32>(scratch, FACE));
      store<f32>(sqdist, leaf < 0 ? Infinity : load<f32>(scratch, BEST));
      if (leaf >= 0) hint = leaf;
      points += 12;
      face += 4;
      sqdist += 4;
    }
    mesh += <usize>words << 2;
  }
}

/** Points [n, count, 3] and a block for each n of `words` words to moved points of the same shape. */
export function deformPoints(
  mesh: usize, points: usize, moved: usize, scratch: usize, batch: i32, words: i32, count: i32,
): void {
  for (let n = 0; n < batch; n++) {
    let hint = -1;
    for (let i = 0; i < count; i++) {
      hint = deformPoint(
        mesh, scratch, load<f32>(points), load<f32>(points, 4), load<f32>(points, 8), hint, moved,
      );
      points += 12;
      moved += 12;
    }
    mesh += <usize>words << 2;
  }
}
