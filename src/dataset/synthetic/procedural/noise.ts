/** Noise that repeats: a tile whose edges meet. */

/** A number in [0, 1) for three whole numbers. */
export function hash(x: number, y: number, seed: number): number {
  let h = Math.imul(x, 0x8da6b343) ^ Math.imul(y, 0xd8163841) ^ Math.imul(seed, 0xcb1ab31f);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 4294967296;
}

const mod = (a: number, n: number): number => ((a % n) + n) % n;

/** Smooth noise in [0, 1) on a lattice of `nx` by `ny` cells over the unit square, which repeats. */
export function valueNoise(u: number, v: number, nx: number, ny: number, seed: number): number {
  const [x, y] = [u * nx, v * ny];
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - x0, y - y0];
  const [sx, sy] = [fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)];
  const [xa, xb, ya, yb] = [mod(x0, nx), mod(x0 + 1, nx), mod(y0, ny), mod(y0 + 1, ny)];
  const top = hash(xa, ya, seed) * (1 - sx) + hash(xb, ya, seed) * sx;
  const bottom = hash(xa, yb, seed) * (1 - sx) + hash(xb, yb, seed) * sx;
  return top * (1 - sy) + bottom * sy;
}

/** The nearest of scattered points, one a lattice cell: how far it is, in cells, and a number of its own. */
export function nearestPoint(
  u: number,
  v: number,
  n: number,
  seed: number,
): { distance: number; dx: number; dy: number; own: number } {
  const [x, y] = [u * n, v * n];
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  let best = { distance: Infinity, dx: 0, dy: 0, own: 0 };
  for (let j = y0 - 1; j <= y0 + 1; j++) {
    for (let i = x0 - 1; i <= x0 + 1; i++) {
      const [a, b] = [mod(i, n), mod(j, n)];
      const [dx, dy] = [x - i - hash(a, b, seed), y - j - hash(a, b, seed + 1)];
      const distance = Math.sqrt(dx * dx + dy * dy);
      if (distance < best.distance) best = { distance, dx, dy, own: hash(a, b, seed + 2) };
    }
  }
  return best;
}

export function smoothstep(from: number, to: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}
