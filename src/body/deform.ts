/**
 * Carries points from the posed to the rest body with the frames of their nearest faces (spec page 3.4).
 *
 * The face numbers and the mask come from a search and have no gradient; gradient flows through the posed
 * vertices. One rigid motion a face: `moved = R q + t` with R = frame(canonical) frame(posed)^T.
 */

import { ShapeError } from '../errors.ts';
import {
  add,
  broadcastTo,
  concat,
  constant,
  div,
  gather,
  matmul,
  mul,
  type NdArray,
  reduceSum,
  reshape,
  showAval,
  sliceAxis,
  sqrt,
  sub,
  type Tensor,
  transpose,
  where,
} from '../tensor/index.ts';

export interface Deformed {
  /** [N, V, 3] vertices of the posed body. */
  readonly posed: Tensor;
  /** [V, 3] vertices of the rest body, aligned. */
  readonly canonical: Tensor;
  /** [K, 3] the faces that take part. */
  readonly faces: Int32Array;
  /** [N, P, 3] */
  readonly points: Tensor;
  /** [N, P] int32, numbers in `faces`; any valid number where the mask is 0. */
  readonly index: Tensor;
  /** [N, P] bool, whether the face is nearer than the thickness. */
  readonly mask: Tensor;
}

/** The points in the rest body's space [N, P, 3]. */
export function deform({ posed, canonical, faces, points, index, mask }: Deformed): Tensor {
  const [batch] = points.shape;
  if (posed.shape[0] !== batch) {
    throw new ShapeError(
      `deform: posed bodies ${showAval(posed)} and points ${showAval(points)} differ in batch`,
    );
  }
  return moveByMaps(faceMaps(posed, canonical, faces), points, index, mask);
}

/** Points [N, P, 3] moved by the motions [N, K, 12] of their faces [N, P], where the mask [N, P] is 1. */
export function moveByMaps(maps: Tensor, points: Tensor, index: Tensor, mask: Tensor): Tensor {
  const [batch, count] = points.shape;
  const faceCount = maps.shape[1];
  const first = Int32Array.from({ length: batch }, (_, n) => n * faceCount);
  const rows = add(index, constant(int32([batch, 1], first)));
  const chosen = gather(reshape(maps, [batch * faceCount, 12]), rows); // [N, P, 12]
  const rotation = reshape(sliceAxis(chosen, 2, 0, 9), [batch, count, 3, 3]);
  const turned = reduceSum(mul(rotation, reshape(points, [batch, count, 1, 3])), [3]);
  const moved = add(turned, sliceAxis(chosen, 2, 9, 12));
  return where(broadcastTo(reshape(mask, [batch, count, 1]), points.shape), moved, points);
}

/** The motion of each face from the posed [N, V, 3] to the rest body [V, 3]: row-major rotation, then translation,
 * [N, K, 12]. */
export function faceMaps(posed: Tensor, canonical: Tensor, faces: Int32Array): Tensor {
  const rest = broadcastTo(reshape(canonical, [1, ...canonical.shape]), posed.shape);
  const from = frames(posed, faces);
  const to = frames(rest, faces);
  const rotation = matmul(transpose(to.axes, [0, 1, 3, 2]), from.axes); // [N, K, 3, 3]
  const [batch, count] = rotation.shape;
  const origin = reshape(from.origin, [batch, count, 1, 3]);
  const shift = sub(to.origin, reduceSum(mul(rotation, origin), [3]));
  return concat([reshape(rotation, [batch, count, 9]), shift], 2);
}

/** First corners [N, K, 3] and frames [N, K, 3, 3] of faces; the axes are rows: first edge, normal, their cross. */
function frames(vertices: Tensor, faces: Int32Array): { origin: Tensor; axes: Tensor } {
  const count = faces.length / 3;
  const corner = (k: number): Tensor => {
    const numbers = Int32Array.from({ length: count }, (_, f) => faces[3 * f + k]);
    return gather(vertices, constant(int32([count], numbers)), 1); // [N, K, 3]
  };
  const origin = corner(0);
  const edge = sub(corner(1), origin);
  const x = unit(edge);
  const y = unit(cross(edge, sub(corner(2), origin)));
  const z = cross(x, y);
  const row = (t: Tensor): Tensor => reshape(t, [t.shape[0], count, 1, 3]);
  return { origin, axes: concat([row(x), row(y), row(z)], 2) };
}

function unit(v: Tensor): Tensor {
  return div(v, sqrt(reduceSum(mul(v, v), [2], true)));
}

function cross(a: Tensor, b: Tensor): Tensor {
  const part = (t: Tensor, k: number): Tensor => sliceAxis(t, 2, k, k + 1);
  const entry = (i: number, j: number): Tensor =>
    sub(mul(part(a, i), part(b, j)), mul(part(a, j), part(b, i)));
  return concat([entry(1, 2), entry(2, 0), entry(0, 1)], 2);
}

function int32(shape: readonly number[], data: Int32Array): NdArray {
  return { dtype: 'int32', shape, data };
}
