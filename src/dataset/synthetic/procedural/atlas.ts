/** Which place of the neutral each texel of the skin's atlas shows. */

import type { Neutral } from './neutral.ts';

/** A window of the atlas, in its own coordinates from 0 to 1. */
export interface Window {
  readonly u: number;
  readonly v: number;
  readonly width: number;
  readonly height: number;
}

/** Places at the centres of the texels of a window; what no kept quad covers takes the place of a neighbour.
 *
 * @returns [height, width, 3] metres; `NaN` far from all of them
 */
export function atlasPlaces(
  { assets: { base }, positions }: Neutral,
  keep: (quad: number) => boolean,
  window: Window,
  width: number,
  height: number,
): Float32Array {
  const places = new Float32Array(3 * width * height).fill(Number.NaN);
  const [sx, sy] = [width / window.width, height / window.height];
  for (let q = 0; q < base.quadGroup.length; q++) {
    if (!keep(q)) continue;
    for (const [i, j, k] of [
      [0, 1, 2],
      [0, 2, 3],
    ]) {
      const corner = (n: number): [number, number, number] => {
        const uv = 2 * base.quadUvs[4 * q + n];
        return [
          (base.uvs[uv] - window.u) * sx - 0.5,
          (base.uvs[uv + 1] - window.v) * sy - 0.5,
          3 * base.quads[4 * q + n],
        ];
      };
      fillTriangle(places, width, height, positions, corner(i), corner(j), corner(k));
    }
  }
  for (let ring = 0; ring < RINGS; ring++) grow(places, width, height);
  return places;
}

/** Texels beyond the seams that take a place too. */
const RINGS = 4;

function fillTriangle(
  places: Float32Array,
  width: number,
  height: number,
  positions: Float32Array,
  [ax, ay, a]: readonly [number, number, number],
  [bx, by, b]: readonly [number, number, number],
  [cx, cy, c]: readonly [number, number, number],
): void {
  const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
  if (area === 0) return;
  const last = {
    x: Math.min(width - 1, Math.floor(Math.max(ax, bx, cx))),
    y: Math.min(height - 1, Math.floor(Math.max(ay, by, cy))),
  }; // prettier-ignore
  for (let y = Math.max(0, Math.ceil(Math.min(ay, by, cy))); y <= last.y; y++) {
    for (let x = Math.max(0, Math.ceil(Math.min(ax, bx, cx))); x <= last.x; x++) {
      const v = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area;
      const w = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area;
      if (v < -1e-6 || w < -1e-6 || v + w > 1 + 1e-6) continue;
      const at = 3 * (y * width + x);
      for (let k = 0; k < 3; k++)
        places[at + k] = (1 - v - w) * positions[a + k] + v * positions[b + k] + w * positions[c + k];
    }
  }
}

/** Gives texels next to known ones their place. */
function grow(places: Float32Array, width: number, height: number): void {
  const before = places.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 3 * (y * width + x);
      if (!Number.isNaN(before[at])) continue;
      for (const [dx, dy] of [
        [-1, 0],
        [1, 0],
        [0, -1],
        [0, 1],
      ]) {
        if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
        const from = at + 3 * (dy * width + dx);
        if (Number.isNaN(before[from])) continue;
        places.set(before.subarray(from, from + 3), at);
        break;
      }
    }
  }
}
