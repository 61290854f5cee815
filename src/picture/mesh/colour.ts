/**
 * Colours of vertices from pictures of what the mesh was made of.
 *
 * A vertex takes the mean of the pictures that see it, those most that look at it straight on. Pixels beside an
 * outline count little: there a picture mixes what is in front with what is behind. Vertices that no picture
 * sees take the colours that spread to them along the surface.
 */

import type { NdArray } from '../../tensor/types.ts';
import { pinholeOf } from '../pinhole.ts';
import { toByte } from '../quantise.ts';
import { rasterise } from '../rasterise.ts';
import type { Mesh } from './mesh.ts';

/** A picture [1, 3, H, W] in [-1, 1] and the camera label it was made under. */
export interface ColourView {
  readonly label: ArrayLike<number>;
  readonly picture: NdArray;
}

/** Facing less than this, a surface is not read from a picture. */
const SMALLEST_FACING = 0.15;
/** Weight of pixels beside an outline. */
const BESIDE_OUTLINE = 0.02;
/** Pictures count less towards their border, over this share of their side: no seams. */
const FADE = 0.08;
/** Visibility is decided on a raster of at least this side. */
const SMALLEST_RASTER = 384;

/** Collects colours view by view.
 *
 * @param normals   [V, 3]
 * @param tolerance how far behind the visible surface a vertex may lie, in units of the mesh.
 */
export function colourCollector(mesh: Mesh, normals: Float32Array, tolerance: number) {
  const { positions } = mesh;
  const sums = new Float32Array(positions.length);
  const weights = new Float32Array(positions.length / 3);
  return {
    add({ label, picture }: ColourView): void {
      const camera = pinholeOf(label);
      const { matrix: m, centre } = camera;
      const side = Math.max(SMALLEST_RASTER, picture.shape[3]);
      const { depth } = rasterise(mesh, camera, { width: side, height: side });
      const trust = outlineTrust(depth, side, 8 * tolerance);
      for (let v = 0; v < weights.length; v++) {
        const [x, y, z] = [positions[v * 3], positions[v * 3 + 1], positions[v * 3 + 2]];
        const at = m[8] * x + m[9] * y + m[10] * z + m[11];
        if (at <= 0) continue;
        const px = (m[0] * x + m[1] * y + m[2] * z + m[3]) / at;
        const py = (m[4] * x + m[5] * y + m[6] * z + m[7]) / at;
        if (!(px > 0 && px < 1 && py > 0 && py < 1)) continue;
        const pixel = Math.floor(py * side) * side + Math.floor(px * side);
        if (at > depth[pixel] + tolerance) continue;
        const [dx, dy, dz] = [centre[0] - x, centre[1] - y, centre[2] - z];
        const along = normals[v * 3] * dx + normals[v * 3 + 1] * dy + normals[v * 3 + 2] * dz;
        const facing = along / Math.hypot(dx, dy, dz);
        if (facing < SMALLEST_FACING) continue;
        const border = Math.min(px, 1 - px, py, 1 - py);
        const weight = facing ** 4 * trust[pixel] * Math.min(1, border / FADE);
        addPixel(sums, v * 3, picture, px, py, weight);
        weights[v] += weight;
      }
    },
    /** Colours as sRGB bytes, and the share of vertices that some picture saw. */
    finish(): { colours: Uint8Array; seen: number } {
      let seen = 0;
      for (let v = 0; v < weights.length; v++) {
        if (weights[v] === 0) continue;
        seen++;
        for (let k = 0; k < 3; k++) sums[v * 3 + k] /= weights[v];
      }
      spread(mesh, sums, weights);
      return { colours: Uint8Array.from(sums, toByte), seen: seen / Math.max(1, weights.length) };
    },
  };
}

/** Adds a picture's value between its four nearest pixels. */
function addPixel(
  sums: Float32Array,
  to: number,
  { data, shape }: NdArray,
  px: number,
  py: number,
  weight: number,
): void {
  const [height, width] = [shape[2], shape[3]];
  const x = Math.min(width - 1, Math.max(0, px * width - 0.5));
  const y = Math.min(height - 1, Math.max(0, py * height - 0.5));
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [x1, y1] = [Math.min(width - 1, x0 + 1), Math.min(height - 1, y0 + 1)];
  const [tx, ty] = [x - x0, y - y0];
  for (let k = 0; k < 3; k++) {
    const row0 = (k * height + y0) * width;
    const row1 = (k * height + y1) * width;
    const above = data[row0 + x0] * (1 - tx) + data[row0 + x1] * tx;
    const below = data[row1 + x0] * (1 - tx) + data[row1 + x1] * tx;
    sums[to + k] += weight * (above * (1 - ty) + below * ty);
  }
}

/** Little where the depth jumps by more than `jump` within two pixels of the 384-pixel raster, else 1. */
function outlineTrust(depth: Float32Array, side: number, jump: number): Float32Array {
  const reach = Math.max(2, Math.round((2 * side) / SMALLEST_RASTER));
  const farthest = slidingMax(slidingMax(depth, side, 1, reach), side, side, reach);
  return farthest.map((far, i) => (far > depth[i] + jump ? BESIDE_OUTLINE : 1));
}

/** Largest of the values up to `reach` steps to both sides, along rows (step 1) or columns (step side). */
function slidingMax(values: Float32Array, side: number, step: number, reach: number): Float32Array {
  const across = step === 1 ? side : 1;
  const out = new Float32Array(values.length);
  for (let line = 0; line < side; line++) {
    for (let i = 0; i < side; i++) {
      let largest = -Infinity;
      for (let j = Math.max(0, i - reach); j <= Math.min(side - 1, i + reach); j++)
        largest = Math.max(largest, values[line * across + j * step]);
      out[line * across + i * step] = largest;
    }
  }
  return out;
}

/** Spreads colours along edges to vertices without any, ring by ring; parts without any colour take the mean. */
function spread({ indices }: Mesh, colours: Float32Array, weights: Float32Array): void {
  const neighbours = neighboursOf(indices, weights.length);
  let ring: number[] = [];
  for (let v = 0; v < weights.length; v++) if (weights[v] > 0) ring.push(v);
  const mean = [0, 0, 0];
  for (const v of ring) for (let k = 0; k < 3; k++) mean[k] += colours[v * 3 + k] / ring.length;
  while (ring.length > 0) {
    const next = new Set<number>();
    for (const v of ring) for (const to of neighbours(v)) if (weights[to] === 0) next.add(to);
    for (const v of next) {
      const known = [...neighbours(v)].filter((from) => weights[from] > 0);
      for (let k = 0; k < 3; k++)
        colours[v * 3 + k] = known.reduce((sum, from) => sum + colours[from * 3 + k], 0) / known.length;
    }
    ring = [...next];
    // Only now: a ring takes its colours from the rings before it.
    for (const v of ring) weights[v] = 1;
  }
  for (let v = 0; v < weights.length; v++) if (weights[v] === 0) colours.set(mean, v * 3);
}

/** Vertices that share a triangle with a vertex, by vertex; some come twice. */
function neighboursOf(indices: Uint32Array, count: number): (v: number) => Uint32Array {
  const starts = new Uint32Array(count + 1);
  for (const v of indices) starts[v + 1] += 2;
  for (let v = 0; v < count; v++) starts[v + 1] += starts[v];
  const at = starts.slice();
  const list = new Uint32Array(indices.length * 2);
  for (let f = 0; f < indices.length; f += 3) {
    for (let k = 0; k < 3; k++) {
      const v = indices[f + k];
      list[at[v]++] = indices[f + ((k + 1) % 3)];
      list[at[v]++] = indices[f + ((k + 2) % 3)];
    }
  }
  return (v) => list.subarray(starts[v], starts[v + 1]);
}
