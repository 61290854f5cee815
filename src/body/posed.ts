/**
 * Posed vertices as a tensor program, so that gradients reach the pose: neck and head, aligned (spec page 3.1).
 */

import { ShapeError } from '../errors.ts';
import {
  add,
  broadcastTo,
  concat,
  constant,
  cos,
  div,
  matmul,
  mul,
  ndarray,
  reduceSum,
  reshape,
  showAval,
  sin,
  sliceAxis,
  sqrt,
  sub,
  type Tensor,
  transpose,
} from '../tensor/index.ts';
import type { BodyModel } from './model.ts';
import { ANGLE_OFFSET, restWeight } from './skinning.ts';

/** Rotation vectors [N, 3] to matrices [N, 3, 3]. */
export function rotationMatrices(r: Tensor): Tensor {
  const [batch] = r.shape;
  const shifted = add(r, ANGLE_OFFSET);
  const angle = sqrt(reduceSum(mul(shifted, shifted), [1], true)); // [N, 1]
  const axis = div(r, angle);
  const [x, y, z] = [0, 1, 2].map((k) => sliceAxis(axis, 1, k, k + 1));
  const zero = mul(x, 0);
  const cross = [zero, mul(z, -1), y, z, zero, mul(x, -1), mul(y, -1), x, zero];
  const k = reshape(concat(cross, 1), [batch, 3, 3]);
  const bySine = mul(reshape(sin(angle), [batch, 1, 1]), k);
  const byCosine = mul(reshape(sub(1, cos(angle)), [batch, 1, 1]), matmul(k, k));
  const identity = constant(ndarray([3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]));
  return add(identity, add(bySine, byCosine));
}

/** The aligned body at poses.
 *
 * @param p [N, 6] rotation vectors of neck and head, radians
 * @returns [N, V, 3]
 */
export function posedVertices(model: BodyModel, p: Tensor): Tensor {
  if (p.shape.length !== 2 || p.shape[1] !== 6) {
    throw new ShapeError(`posedVertices: the pose is ${showAval(p)}, expected [N, 6]`);
  }
  const [batch] = p.shape;
  const { vertexCount, jointCount, neck, head, joints, weights, alignPoint } = model;
  const neckTurn = rotationMatrices(sliceAxis(p, 1, 0, 3));
  const headTurn = rotationMatrices(sliceAxis(p, 1, 3, 6));
  const template = constant(ndarray([1, vertexCount, 3], model.template));
  const rest = add(template, blendShapes(model, neckTurn, headTurn)); // [N, V, 3]
  const point = (values: readonly number[]): Tensor => constant(ndarray([1, 1, 3], values));
  const at = (j: number): number[] => Array.from(joints.subarray(3 * j, 3 * j + 3));
  const neckAt = at(neck);
  const headAt = at(head);
  const step = headAt.map((value, k) => value - neckAt[k]);
  const turn = (points: Tensor, m: Tensor): Tensor => matmul(points, transpose(m, [0, 2, 1]));
  const byNeck = turn(sub(rest, point(neckAt)), neckTurn);
  const byHead = turn(add(turn(sub(rest, point(headAt)), headTurn), point(step)), neckTurn);
  const column = (weight: (v: number) => number): Tensor =>
    constant(
      ndarray(
        [1, vertexCount, 1],
        Float32Array.from({ length: vertexCount }, (_, v) => weight(v)),
      ),
    );
  const wn = column((v) => weights[v * jointCount + neck]);
  const wh = column((v) => weights[v * jointCount + head]);
  const still = column((v) => restWeight(model, v));
  const moved = add(mul(wn, add(byNeck, point(neckAt))), mul(wh, add(byHead, point(neckAt))));
  const posed = sub(add(mul(still, rest), moved), point(Array.from(alignPoint)));
  return broadcastTo(posed, [batch, vertexCount, 3]);
}

function blendShapes(model: BodyModel, neckTurn: Tensor, headTurn: Tensor): Tensor {
  const { posedirs, vertexCount, neck, head } = model;
  const [batch] = neckTurn.shape;
  const wide = 3 * vertexCount;
  if (posedirs === undefined) return broadcastTo(constant(0), [batch, vertexCount, 3]);
  const rows = new Float32Array(18 * wide);
  rows.set(posedirs.subarray(9 * (neck - 1) * wide, 9 * neck * wide), 0);
  rows.set(posedirs.subarray(9 * (head - 1) * wide, 9 * head * wide), 9 * wide);
  const identity = constant(ndarray([1, 9], [1, 0, 0, 0, 1, 0, 0, 0, 1]));
  const feature = (m: Tensor): Tensor => sub(reshape(m, [batch, 9]), identity);
  const features = concat([feature(neckTurn), feature(headTurn)], 1); // [N, 18]
  return reshape(matmul(features, constant(ndarray([18, wide], rows))), [batch, vertexCount, 3]);
}
