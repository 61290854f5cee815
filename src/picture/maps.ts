/**
 * Pictures of what is not colour: opacity, depth and surface normals.
 *
 * Normals come from the depth map, not from the density's gradient: each pixel's point is its ray at its
 * depth, and the normal is the cross product of the differences to the neighbours.
 */

import { ShapeError } from '../errors.ts';
import type { NdArray } from '../tensor/types.ts';
import { rasterOf, unitToByte } from './quantise.ts';
import type { Raster } from './raster.ts';

/** Below this opacity a pixel has no surface, and its normal is drawn grey. */
const SURFACE_OPACITY = 0.5;

/** The part of a camera that its own frame needs; lengths in units of the picture's side. */
export interface PinholeIntrinsics {
  readonly fx: number;
  readonly fy: number;
  readonly skew: number;
  readonly cx: number;
  readonly cy: number;
}

/** Opacity [N, 1, H, W] as grey: 1 is white. */
export function maskRaster(mask: NdArray, index = 0): Raster {
  return rasterOf(mask, index, unitToByte);
}

/** What distances are stretched between. */
export interface DepthSpan {
  readonly near: number;
  readonly far: number;
}

/** The smallest and the largest distance of several maps. */
export function depthSpan(depths: readonly NdArray['data'][]): DepthSpan {
  let [near, far] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const depth of depths) {
    for (const d of depth) {
      near = Math.min(near, d);
      far = Math.max(far, d);
    }
  }
  return { near, far };
}

/** Distances [N, 1, H, W] as grey: negated, then stretched, so that near is bright. A flat picture is mid-grey.
 *
 * @param span left out: the picture's own
 */
export function depthRaster(depth: NdArray, index = 0, span?: DepthSpan): Raster {
  const size = depth.shape[2] * depth.shape[3];
  const { near, far } = span ?? depthSpan([depth.data.subarray(index * size, (index + 1) * size)]);
  const brightness = (d: number): number => (far > near ? (far - d) / (far - near) : 0.5);
  return rasterOf(depth, index, (d) => unitToByte(brightness(d)));
}

/** Unit normals [1, 3, H, W] in the camera's frame: x right, y up, z towards the viewer. Zero where there is
 * no surface.
 *
 * @param depth distances along the rays [N, 1, H, W], metres.
 * @param mask  opacity [N, 1, H, W].
 */
export function normalsOfDepth(
  depth: NdArray,
  mask: NdArray,
  intrinsics: PinholeIntrinsics,
  index = 0,
): NdArray {
  const [, channels, height, width] = depth.shape;
  if (channels !== 1 || mask.shape.join() !== depth.shape.join()) {
    throw new ShapeError(`normals: depth is [${depth.shape.join(', ')}], mask [${mask.shape.join(', ')}]`);
  }
  const plane = height * width;
  const points = pointsOfDepth(depth.data.subarray(index * plane, (index + 1) * plane), width, intrinsics);
  const data = new Float32Array(3 * plane);
  const difference = (i: number, j: number, axis: number): number =>
    points[j * 3 + axis] - points[i * 3 + axis];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (!(mask.data[index * plane + i] >= SURFACE_OPACITY)) continue;
      const [left, right] = [i - (x > 0 ? 1 : 0), i + (x < width - 1 ? 1 : 0)];
      const [above, below] = [i - (y > 0 ? width : 0), i + (y < height - 1 ? width : 0)];
      const [ax, ay, az] = [0, 1, 2].map((axis) => difference(left, right, axis));
      const [bx, by, bz] = [0, 1, 2].map((axis) => difference(above, below, axis));
      // down x right points at the viewer in a frame of x right, y down, z forward.
      const [nx, ny, nz] = [by * az - bz * ay, bz * ax - bx * az, bx * ay - by * ax];
      const length = Math.hypot(nx, ny, nz) || 1;
      data[i] = nx / length;
      data[plane + i] = -ny / length;
      data[2 * plane + i] = -nz / length;
    }
  }
  return { dtype: 'float32', shape: [1, 3, height, width], data };
}

/** Normals as colours: (n + 1) / 2, so that a surface facing the viewer is light blue and none is grey. */
export function normalsRaster(
  depth: NdArray,
  mask: NdArray,
  intrinsics: PinholeIntrinsics,
  index = 0,
): Raster {
  return rasterOf(normalsOfDepth(depth, mask, intrinsics, index), 0, (n) => unitToByte((n + 1) / 2));
}

/** Points [H * W, 3] at distances along the rays through pixel centres: x right, y down, z forward. */
function pointsOfDepth(depth: NdArray['data'], width: number, k: PinholeIntrinsics): Float64Array {
  const height = depth.length / width;
  const points = new Float64Array(depth.length * 3);
  for (let i = 0; i < depth.length; i++) {
    const y = ((Math.floor(i / width) + 0.5) / height - k.cy) / k.fy;
    const x = (((i % width) + 0.5) / width - k.cx - k.skew * y) / k.fx;
    const scale = depth[i] / Math.hypot(x, y, 1);
    points[i * 3] = x * scale;
    points[i * 3 + 1] = y * scale;
    points[i * 3 + 2] = scale;
  }
  return points;
}
