/**
 * The body model: a rest mesh whose vertices follow joints, of which only neck and head ever turn here.
 *
 * Spec page 3.1 and 3.2. Every way to get a model (SMPL files, our compact file, a checkpoint's buffers) ends
 * in {@link makeBody}, which checks everything that later code relies on.
 */

import { FormatError, NameError, ShapeError } from '../errors.ts';
import { align, skinBody } from './skinning.ts';

/** Numbers of the SMPL joints that matter to us. */
export const SMPL_NECK = 12;
export const SMPL_HEAD = 15;

/** Parents of the 24 SMPL joints. */
export const SMPL_PARENTS: readonly number[] = [
  -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21,
];

/** What a model is made of; all float arrays are row-major float32. */
export interface BodyParts {
  /** [V, 3] rest vertices, metres, y up, facing +z. */
  readonly template: Float32Array;
  /** [F, 3] counter-clockwise from outside. */
  readonly faces: Int32Array;
  /** [J, 3] rest positions of the joints. */
  readonly joints: Float32Array;
  /** [J] parents come before children; the root's is -1. */
  readonly parents: Int32Array;
  /** [V, J] how much each vertex follows each joint; rows sum to 1. */
  readonly weights: Float32Array;
  /** [9 (J - 1), 3 V] offsets for each entry of (rotation - identity) of joints 1..J-1; absent: none. */
  readonly posedirs?: Float32Array | undefined;
  /** [V, 3, S] offsets of the shape coefficients, which are zero outside of tests. */
  readonly shapedirs?: Float32Array | undefined;
  /** [J, V] joints as combinations of vertices. */
  readonly jointRegressor?: Float32Array | undefined;
  /** [V] the alignment point as a combination of rest vertices. */
  readonly alignRow?: Float32Array | undefined;
  /** [3] the point of the rest mesh that becomes the origin. */
  readonly alignPoint: Float32Array;
  readonly neck: number;
  readonly head: number;
}

export interface BodyModel extends BodyParts {
  readonly vertexCount: number;
  readonly faceCount: number;
  readonly jointCount: number;
  /** [V, 3] the rest mesh with the alignment point at the origin. */
  readonly canonical: Float32Array;
}

/** More than this is not a body. */
const MAX_VERTICES = 1_000_000;
const MAX_JOINTS = 1024;
/** Published single-precision weights add up to 1 within 1e-6. */
const WEIGHT_TOLERANCE = 1e-4;
/** A triangle is flat when twice its area is below this times its longest side squared. */
const FLAT = 1e-7;

/** Checks the parts and adds what follows from them.
 *
 * @throws ShapeError when arrays disagree, NameError when neck or head is not there or turns other joints
 *   with it, FormatError for values that no body has.
 */
export function makeBody(parts: BodyParts): BodyModel {
  const { template, faces, joints, parents, weights, alignPoint } = parts;
  const vertexCount = countOf(template, 3, 'vertices');
  const faceCount = countOf(faces, 3, 'faces');
  const jointCount = countOf(joints, 3, 'joints');
  if (vertexCount > MAX_VERTICES || jointCount > MAX_JOINTS) {
    throw new ShapeError(`body: ${vertexCount} vertices and ${jointCount} joints are more than a body has`);
  }
  requireLength(parents, jointCount, 'parents', `one for each of ${jointCount} joints`);
  requireLength(weights, vertexCount * jointCount, 'weights', `[${vertexCount}, ${jointCount}]`);
  requireLength(alignPoint, 3, 'the alignment point', '[3]');
  const wide = 3 * vertexCount;
  const rows = 9 * (jointCount - 1);
  optionalLength(parts.posedirs, rows * wide, 'posedirs', `[${rows}, ${wide}]`);
  optionalLength(parts.jointRegressor, jointCount * vertexCount, 'joint regressor', `[J, V]`);
  optionalLength(parts.alignRow, vertexCount, 'alignment regressor', `[${vertexCount}]`);
  if (parts.shapedirs && (parts.shapedirs.length === 0 || parts.shapedirs.length % wide !== 0)) {
    throw new ShapeError(`body: shapedirs has ${parts.shapedirs.length} values, expected [V, 3, S]`);
  }
  for (const name of ['template', 'joints', 'posedirs', 'shapedirs', 'alignPoint'] as const) {
    requireFinite(parts[name], name);
  }
  checkJoints(parts, jointCount);
  checkFaces(template, faces, vertexCount);
  checkWeights(weights, vertexCount, jointCount);
  // Skinned at rest rather than copied: single precision leaves 1e-8 between the two, as in the original.
  const rest = skinBody(parts, { rotations: new Float32Array(3 * jointCount) }).vertices;
  const canonical = align(rest, alignPoint);
  return { ...parts, vertexCount, faceCount, jointCount, canonical };
}

function countOf(array: ArrayLike<number>, width: number, what: string): number {
  if (array.length === 0 || array.length % width !== 0) {
    throw new ShapeError(`body: ${what} hold ${array.length} numbers, expected [n, ${width}] with n > 0`);
  }
  return array.length / width;
}

function requireLength(array: ArrayLike<number>, length: number, what: string, shape: string): void {
  if (array.length !== length)
    throw new ShapeError(`body: ${what} hold ${array.length} values, expected ${shape}`);
}

function optionalLength(array: Float32Array | undefined, length: number, what: string, shape: string): void {
  if (array !== undefined) requireLength(array, length, what, shape);
}

function requireFinite(array: Float32Array | undefined, name: string): void {
  const at = array?.findIndex((value) => !Number.isFinite(value)) ?? -1;
  if (at >= 0) throw new FormatError(`body: ${name} holds ${array?.[at]} at position ${at}`);
}

function checkJoints({ parents, neck, head }: BodyParts, count: number): void {
  if (!(neck >= 0 && neck < count && head >= 0 && head < count)) {
    throw new NameError(
      `body: needs a neck (joint ${neck}) and a head (joint ${head}) but has ${count} joints`,
    );
  }
  parents.forEach((parent, joint) => {
    const fits = joint === 0 ? parent === -1 : parent >= 0 && parent < joint;
    if (!fits)
      throw new FormatError(`body: joint ${joint} has parent ${parent}; parents come first, the root has -1`);
    if ((parent === neck && joint !== head) || parent === head) {
      throw new NameError(`body: joint ${joint} hangs on neck or head; only the head may hang on the neck`);
    }
  });
  if (neck === 0 || parents[head] !== neck) {
    throw new NameError(
      `body: the head (joint ${head}) hangs on joint ${parents[head]}, not on the neck (${neck})`,
    );
  }
}

function checkFaces(template: Float32Array, faces: Int32Array, vertexCount: number): void {
  for (let f = 0; f < faces.length; f += 3) {
    const corners = [faces[f], faces[f + 1], faces[f + 2]];
    for (const v of corners) {
      if (v < 0 || v >= vertexCount) {
        throw new FormatError(`body: face ${f / 3} names vertex ${v}; there are ${vertexCount}`);
      }
    }
    const [a, b, c] = corners.map((v) => 3 * v);
    const side = (from: number, to: number) => [0, 1, 2].map((k) => template[to + k] - template[from + k]);
    const [u, w, z] = [side(a, b), side(a, c), side(b, c)];
    const area = Math.hypot(u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2], u[0] * w[1] - u[1] * w[0]);
    const longest = Math.max(Math.hypot(...u), Math.hypot(...w), Math.hypot(...z));
    if (!(area > FLAT * longest * longest)) {
      throw new FormatError(`body: face ${f / 3} (vertices ${corners.join(', ')}) is degenerate`);
    }
  }
}

function checkWeights(weights: Float32Array, vertexCount: number, jointCount: number): void {
  for (let v = 0; v < vertexCount; v++) {
    let sum = 0;
    for (let j = 0; j < jointCount; j++) sum += weights[v * jointCount + j];
    if (!(Math.abs(sum - 1) <= WEIGHT_TOLERANCE)) {
      throw new FormatError(`body: the weights of vertex ${v} sum to ${sum}, expected 1`);
    }
  }
}
