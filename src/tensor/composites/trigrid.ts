/** Tri-grid look-up: three planes with a few layers of depth each, sampled trilinearly (spec page 2.8). */

import { ShapeError } from '../../errors.ts';
import type { Tensor } from '../graph.ts';
import { add } from '../primitives/add.ts';
import { and } from '../primitives/and.ts';
import { cast } from '../primitives/cast.ts';
import { concat } from '../primitives/concat.ts';
import { floor } from '../primitives/floor.ts';
import { gather } from '../primitives/gather.ts';
import { iota } from '../primitives/iota.ts';
import { lessEqual } from '../primitives/less-equal.ts';
import { maximum } from '../primitives/maximum.ts';
import { minimum } from '../primitives/minimum.ts';
import { mul } from '../primitives/mul.ts';
import { reshape } from '../primitives/reshape.ts';
import { sliceAxis } from '../primitives/slice.ts';
import { sub } from '../primitives/sub.ts';
import { transpose } from '../primitives/transpose.ts';
import { where } from '../primitives/where.ts';
import { showAval } from '../types.ts';

/** Which coordinate runs along columns, rows and depth of each plane. */
export const PLANE_AXES: readonly (readonly [number, number, number])[] = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 2, 0],
];

/** Samples the three planes at points; zeros outside, half-pixel centres, in depth as well.
 *
 * @param planes  [N, 3 * channels * depth, H, W] in the backbone's order: plane, feature, depth (fastest).
 * @param points  [N, P, 3] in world units.
 * @param depth   layers of each plane.
 * @param boxWarp side of the cube that the planes cover.
 * @returns       [N, 3, P, channels]
 */
export function sampleTrigrid(planes: Tensor, points: Tensor, depth: number, boxWarp: number): Tensor {
  const [batch, total, height, width] = planes.shape;
  const channels = total / (3 * depth);
  if (!Number.isInteger(channels)) {
    throw new ShapeError(
      `sampleTrigrid: ${showAval(planes)} cannot be divided into 3 planes of depth ${depth}`,
    );
  }
  const count = points.shape[1];
  // Rows of `channels` numbers, one a texel: [N, plane, depth, H, W, channel].
  const split = transpose(reshape(planes, [batch, 3, channels, depth, height, width]), [0, 1, 3, 4, 5, 2]);
  const texels = reshape(split, [batch * 3 * depth * height * width, channels]);
  const scaled = mul(points, 2 / boxWarp);
  const sampled = PLANE_AXES.map(([column, row, layer], plane) => {
    const axis = (index: number, size: number): AxisTaps =>
      axisTaps(reshape(sliceAxis(scaled, 2, index, index + 1), [batch, count]), size);
    const [u, v, d] = [axis(column, width), axis(row, height), axis(layer, depth)];
    const base = add(mul(iota([batch, count], 0), 3), plane);
    return samplePlane(texels, base, u, v, d, [depth, height, width]);
  });
  return concat(
    sampled.map((value) => reshape(value, [batch, 1, count, channels])),
    1,
  );
}

interface AxisTaps {
  readonly index: readonly [Tensor, Tensor];
  readonly weight: readonly [Tensor, Tensor];
}

/** The two neighbours of each coordinate and their weights; a neighbour outside weighs nothing. */
function axisTaps(coordinate: Tensor, size: number): AxisTaps {
  const position = mul(sub(mul(add(coordinate, 1), size), 1), 0.5);
  const low = floor(position);
  const fraction = sub(position, low);
  const tap = (neighbour: Tensor, weight: Tensor): [Tensor, Tensor] => {
    const inside = and(lessEqual(0, neighbour), lessEqual(neighbour, size - 1));
    return [cast(minimum(maximum(neighbour, 0), size - 1), 'int32'), where(inside, weight, 0)];
  };
  const [i0, w0] = tap(low, sub(1, fraction));
  const [i1, w1] = tap(add(low, 1), fraction);
  return { index: [i0, i1], weight: [w0, w1] };
}

function samplePlane(
  texels: Tensor,
  base: Tensor,
  u: AxisTaps,
  v: AxisTaps,
  d: AxisTaps,
  [depth, height, width]: readonly [number, number, number],
): Tensor {
  const count = base.shape[0] * base.shape[1];
  let total: Tensor | undefined;
  for (const a of [0, 1] as const) {
    const layer = add(mul(base, depth), d.index[a]);
    for (const b of [0, 1] as const) {
      const row = add(mul(layer, height), v.index[b]);
      const weight = mul(d.weight[a], v.weight[b]);
      for (const c of [0, 1] as const) {
        const at = reshape(add(mul(row, width), u.index[c]), [count]);
        const value = mul(gather(texels, at), reshape(mul(weight, u.weight[c]), [count, 1]));
        total = total === undefined ? value : add(total, value);
      }
    }
  }
  return total!;
}
