/**
 * A small software rasteriser: which triangle each pixel sees, and where on it.
 *
 * Homogeneous edge functions (Olano and Greer 1997): nothing is clipped, triangles may reach behind the camera,
 * and barycentric coordinates come out perspective-correct. What a pixel looks like is decided afterwards from
 * these coordinates (`shade.ts`), so that colours, normals, textures and opacity need no second rasteriser.
 */

import type { Mesh } from './mesh/mesh.ts';
import type { Pinhole } from './pinhole.ts';

/** What the pixels of a picture see; rows from the top. */
export interface Fragments {
  readonly width: number;
  readonly height: number;
  /** [H, W]: number of the nearest triangle, -1 where there is none. */
  readonly face: Int32Array;
  /** [H, W]: depth along the viewing direction; infinite where nothing is. */
  readonly depth: Float32Array;
  /** [H, W, 2]: weights of the second and third corner; the first has what remains to 1. */
  readonly weights: Float32Array;
}

export interface RasteriseOptions {
  readonly width: number;
  readonly height: number;
  /** Leaves out triangles seen from their inner side. */
  readonly cullInner?: boolean;
}

/** Nearer than this, in units of the mesh, nothing is drawn. */
const NEAR = 1e-3;

/** A pixel this far outside a triangle still counts: no cracks along shared edges. */
const SLACK = 1e-9;

/** Finds the nearest triangle of each pixel, at pixel centres. */
export function rasterise(
  { positions, indices }: Mesh,
  camera: Pinhole,
  options: RasteriseOptions,
): Fragments {
  const { width, height, cullInner = false } = options;
  const projected = project(positions, camera, width, height);
  const face = new Int32Array(width * height).fill(-1);
  const depth = new Float32Array(width * height).fill(Infinity);
  const weights = new Float32Array(width * height * 2);

  for (let f = 0; f < indices.length; f += 3) {
    const [a, b, c] = [indices[f] * 3, indices[f + 1] * 3, indices[f + 2] * 3];
    const [ax, ay, aw] = [projected[a], projected[a + 1], projected[a + 2]];
    const [bx, by, bw] = [projected[b], projected[b + 1], projected[b + 2]];
    const [cx, cy, cw] = [projected[c], projected[c + 1], projected[c + 2]];
    if (aw < NEAR && bw < NEAR && cw < NEAR) continue;

    let [left, right, top, bottom] = [0, width - 1, 0, height - 1];
    if (aw >= NEAR && bw >= NEAR && cw >= NEAR) {
      const [xa, xb, xc] = [ax / aw, bx / bw, cx / cw];
      const [ya, yb, yc] = [ay / aw, by / bw, cy / cw];
      left = Math.max(0, Math.ceil(Math.min(xa, xb, xc) - 0.5 - SLACK));
      right = Math.min(width - 1, Math.floor(Math.max(xa, xb, xc) - 0.5 + SLACK));
      top = Math.max(0, Math.ceil(Math.min(ya, yb, yc) - 0.5 - SLACK));
      bottom = Math.min(height - 1, Math.floor(Math.max(ya, yb, yc) - 0.5 + SLACK));
      if (left > right || top > bottom) continue;
    }

    // Rows of the inverse of [corner; corner; corner]: weight / depth of each corner as a function of the pixel.
    const [ux, uy, uw] = [by * cw - bw * cy, bw * cx - bx * cw, bx * cy - by * cx];
    const [vx, vy, vw] = [cy * aw - cw * ay, cw * ax - cx * aw, cx * ay - cy * ax];
    const [wx, wy, ww] = [ay * bw - aw * by, aw * bx - ax * bw, ax * by - ay * bx];
    const determinant = ax * ux + ay * uy + aw * uw;
    // y runs downwards: counter-clockwise in the world is clockwise here.
    if (determinant === 0 || (cullInner && determinant > 0)) continue;
    const scale = 1 / determinant;
    const slack = -SLACK / Math.max(Math.abs(aw), Math.abs(bw), Math.abs(cw));

    for (let y = top; y <= bottom; y++) {
      const py = y + 0.5;
      for (let x = left; x <= right; x++) {
        const px = x + 0.5;
        const u = (ux * px + uy * py + uw) * scale;
        const v = (vx * px + vy * py + vw) * scale;
        const w = (wx * px + wy * py + ww) * scale;
        if (u < slack || v < slack || w < slack) continue;
        const at = 1 / (u + v + w);
        const pixel = y * width + x;
        if (!(at >= NEAR && at < depth[pixel])) continue;
        depth[pixel] = at;
        face[pixel] = f / 3;
        weights[pixel * 2] = v * at;
        weights[pixel * 2 + 1] = w * at;
      }
    }
  }
  return { width, height, face, depth, weights };
}

/** Vertices as (x, y, 1) times depth, in pixels. */
function project(
  positions: Float32Array,
  { matrix: m }: Pinhole,
  width: number,
  height: number,
): Float64Array {
  const out = new Float64Array(positions.length);
  for (let i = 0; i < positions.length; i += 3) {
    const [x, y, z] = [positions[i], positions[i + 1], positions[i + 2]];
    out[i] = (m[0] * x + m[1] * y + m[2] * z + m[3]) * width;
    out[i + 1] = (m[4] * x + m[5] * y + m[6] * z + m[7]) * height;
    out[i + 2] = m[8] * x + m[9] * y + m[10] * z + m[11];
  }
  return out;
}

/** A value per vertex at each pixel, between the corners; `NaN` where nothing is.
 *
 * @param attribute [V, size]
 * @returns         [H, W, size]
 */
export function interpolate(
  { face, weights }: Fragments,
  { indices }: Mesh,
  attribute: ArrayLike<number>,
  size: number,
): Float32Array {
  const out = new Float32Array(face.length * size);
  for (let i = 0; i < face.length; i++) {
    const f = face[i] * 3;
    if (f < 0) {
      out.fill(Number.NaN, i * size, (i + 1) * size);
      continue;
    }
    const [v, w] = [weights[i * 2], weights[i * 2 + 1]];
    const u = 1 - v - w;
    const [a, b, c] = [indices[f] * size, indices[f + 1] * size, indices[f + 2] * size];
    for (let k = 0; k < size; k++)
      out[i * size + k] = u * attribute[a + k] + v * attribute[b + k] + w * attribute[c + k];
  }
  return out;
}
