/**
 * Linear blend skinning with pose blend shapes, in plain code (spec page 3.1). `posed.ts` says the same of neck
 * and head as a tensor program.
 *
 * Every step is rounded to single precision in the order of the original, because recorded distances of
 * points near the surface depend on it: with double arithmetic .4 % of the recorded points miss
 * 1e-6 relative + 1e-9 (worst 2.8 times the bound), so rounded .06 % (1.6 times).
 */

import { ShapeError, UsageError } from '../errors.ts';
import { blockOf, combine } from './combine.ts';
import type { BodyModel, BodyParts } from './model.ts';
import { cosine, sine } from './sine.ts';

/** The published offset that keeps the angle of the zero vector from being zero. */
export const ANGLE_OFFSET = 1e-8;

const { fround } = Math;

/** Sum of products in single precision, in order. */
function dot3(ax: number, ay: number, az: number, bx: number, by: number, bz: number): number {
  return fround(fround(fround(ax * bx) + fround(ay * by)) + fround(az * bz));
}

/** The rotation whose axis is the vector and whose angle is its length (radians), row-major, single precision. */
export function rodrigues(x: number, y: number, z: number): Float32Array {
  const shifted = Float32Array.of(x, y, z).map((value) => value + fround(ANGLE_OFFSET));
  const [sx, sy, sz] = shifted;
  // Fused multiply-adds: the product is exact in double.
  const angle = fround(Math.sqrt(fround(sz * sz + fround(sy * sy + fround(sx * sx)))));
  const [ux, uy, uz] = Float32Array.of(x, y, z).map((value) => value / angle);
  const s = sine(angle);
  const versine = fround(1 - cosine(angle));
  const k = [0, -uz, uy, uz, 0, -ux, -uy, ux, 0];
  return Float32Array.from(k, (entry, at) => {
    const [row, column] = [3 * Math.floor(at / 3), at % 3];
    const square = dot3(k[row], k[row + 1], k[row + 2], k[column], k[column + 3], k[column + 6]);
    return fround((row === 3 * column ? 1 : 0) + fround(s * entry)) + fround(versine * square);
  });
}

export interface FullPose {
  /** [3 J] rotation vectors, root first, radians. */
  readonly rotations: ArrayLike<number>;
  /** Coefficients of `shapedirs`; zeros when left out. */
  readonly betas?: ArrayLike<number>;
  readonly translation?: readonly [number, number, number];
}

export interface SkinnedBody {
  /** [V, 3] not aligned. */
  readonly vertices: Float32Array;
  /** [J, 3] */
  readonly joints: Float32Array;
}

/** Skins the whole body: every joint turns, shape and translation included. Not aligned to the neck. */
export function skinBody(model: BodyParts, pose: FullPose): SkinnedBody {
  const { parents, weights } = model;
  const jointCount = parents.length;
  requireFinite(pose.rotations, 3 * jointCount, 'rotations');
  const { vertices: rest, joints } = shaped(model, pose.betas);
  const rotations = Array.from({ length: jointCount }, (_, j) =>
    rodrigues(pose.rotations[3 * j], pose.rotations[3 * j + 1], pose.rotations[3 * j + 2]),
  );
  addBlendShapes(rest, model, rotations);
  const { maps, places } = chain(joints, parents, rotations);
  const shift = pose.translation ?? [0, 0, 0];
  const blended = new Float32Array(12);
  for (let v = 0; v < rest.length; v += 3) {
    blended.fill(0);
    for (let j = 0; j < jointCount; j++) {
      const weight = weights[(v / 3) * jointCount + j];
      if (weight === 0) continue;
      for (let e = 0; e < 12; e++) blended[e] += fround(weight * maps[12 * j + e]);
    }
    const [x, y, z] = [rest[v], rest[v + 1], rest[v + 2]];
    for (let k = 0; k < 3; k++) {
      const [a, b, c, d] = blended.subarray(4 * k, 4 * k + 4);
      rest[v + k] = fround(dot3(a, b, c, x, y, z) + d) + shift[k];
    }
  }
  return { vertices: rest, joints: places.map((value, i) => value + shift[i % 3]) };
}

/** Skins neck and head only, aligned to the neck point of the rest body.
 *
 * @param pose six numbers: rotation vectors of neck and head, radians.
 * @returns [V, 3]
 * @throws UsageError when a number is not finite.
 */
export function poseBody(model: BodyModel, pose: ArrayLike<number>): Float32Array {
  requireFinite(pose, 6, 'pose');
  const rotations = new Float32Array(3 * model.jointCount);
  for (let k = 0; k < 3; k++) {
    rotations[3 * model.neck + k] = pose[k];
    rotations[3 * model.head + k] = pose[3 + k];
  }
  return align(skinBody(model, { rotations }).vertices, model.alignPoint);
}

/** Moves the alignment point to the origin, in place. */
export function align(vertices: Float32Array, point: Float32Array): Float32Array {
  for (let i = 0; i < vertices.length; i++) vertices[i] -= point[i % 3];
  return vertices;
}

/** The weight of all joints that stay at rest when only neck and head turn. */
export function restWeight({ weights, jointCount, neck, head }: BodyModel, vertex: number): number {
  let sum = 0;
  for (let j = 0; j < jointCount; j++) {
    if (j !== neck && j !== head) sum += weights[vertex * jointCount + j];
  }
  return sum;
}

/** Maps from rest to posed space [J, 12] (rows of a 3x4 matrix), and where the joints are [3 J]. */
function chain(
  joints: Float32Array,
  parents: Int32Array,
  rotations: readonly Float32Array[],
): { maps: Float32Array; places: Float32Array } {
  const maps = new Float32Array(12 * parents.length);
  const places = new Float32Array(3 * parents.length);
  const world: Float32Array[] = [];
  parents.forEach((parent, j) => {
    const [x, y, z] = joints.subarray(3 * j, 3 * j + 3);
    const own = rotations[j];
    if (parent < 0) {
      world.push(own);
      places.set([x, y, z], 3 * j);
    } else {
      const g = world[parent];
      const [px, py, pz] = joints.subarray(3 * parent, 3 * parent + 3);
      const step = [fround(x - px), fround(y - py), fround(z - pz)] as const;
      const turned = new Float32Array(9);
      for (let row = 0; row < 3; row++) {
        const [a, b, c] = g.subarray(3 * row, 3 * row + 3);
        for (let k = 0; k < 3; k++) turned[3 * row + k] = dot3(a, b, c, own[k], own[3 + k], own[6 + k]);
        places[3 * j + row] = dot3(a, b, c, ...step) + places[3 * parent + row];
      }
      world.push(turned);
    }
    for (let row = 0; row < 3; row++) {
      const [a, b, c] = world[j].subarray(3 * row, 3 * row + 3);
      maps.set([a, b, c, places[3 * j + row] - dot3(a, b, c, x, y, z)], 12 * j + 4 * row);
    }
  });
  return { maps, places };
}

function shaped(
  { template, joints, shapedirs, jointRegressor }: BodyParts,
  betas: ArrayLike<number> = [],
): { vertices: Float32Array; joints: Float32Array } {
  const vertices = Float32Array.from(template);
  if (betas.length === 0) return { vertices, joints };
  const each = (shapedirs?.length ?? 0) / vertices.length;
  if (shapedirs === undefined || jointRegressor === undefined || betas.length > each) {
    throw new ShapeError(`body: ${betas.length} shape coefficients given, the model has ${each}`);
  }
  requireFinite(betas, betas.length, 'betas');
  for (let i = 0; i < vertices.length; i++) {
    let offset = 0;
    for (let s = 0; s < betas.length; s++) offset += shapedirs[i * each + s] * betas[s];
    vertices[i] += offset;
  }
  return { vertices, joints: combine(jointRegressor, vertices) };
}

function addBlendShapes(
  rest: Float32Array,
  { posedirs }: BodyParts,
  rotations: readonly Float32Array[],
): void {
  if (posedirs === undefined) return;
  const offsets = new Float32Array(rest.length);
  const sum = new Float32Array(rest.length);
  const total = 9 * (rotations.length - 1);
  for (let from = 0, to = 0; from < total; from = to) {
    to = from + blockOf(total - from);
    sum.fill(0);
    for (let row = from; row < to; row++) {
      const entry = row % 9;
      const feature = fround(rotations[1 + Math.floor(row / 9)][entry] - (entry % 4 === 0 ? 1 : 0));
      if (feature === 0) continue;
      const at = row * rest.length;
      for (let i = 0; i < rest.length; i++) sum[i] += fround(feature * posedirs[at + i]);
    }
    for (let i = 0; i < rest.length; i++) offsets[i] += sum[i];
  }
  for (let i = 0; i < rest.length; i++) rest[i] += offsets[i];
}

function requireFinite(values: ArrayLike<number>, count: number, what: string): void {
  if (values.length !== count) {
    throw new ShapeError(`body: ${what} hold ${values.length} numbers, expected ${count}`);
  }
  for (let i = 0; i < count; i++) {
    if (!Number.isFinite(values[i])) throw new UsageError(`body: ${what} number ${i} is ${values[i]}`);
  }
}
