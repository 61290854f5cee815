/**
 * Turning joints: arms once for an identity, neck and head for each picture.
 *
 * Neck and head turn as joints 12 and 15 of the body model do (spec page 3.1): N about the neck joint, then N H about
 * the head joint; a vertex moves by the mean of what its groups do, weighted by how much it follows each.
 */

import { rodrigues } from '../../body/index.ts';
import { GROUPS, HEAD, type MeshTemplate, NECK } from './mesh-template.ts';

type Vec3 = readonly [number, number, number];

/** x -> R x + t; R row-major. */
export interface Motion {
  readonly rotation: Float64Array;
  readonly shift: Vec3;
}

/** Turning about a point, after another motion. */
export function turnAbout(rotation: ArrayLike<number>, point: Vec3, before?: Motion): Motion {
  const about = apply(rotation, point);
  const shift: Vec3 = [point[0] - about[0], point[1] - about[1], point[2] - about[2]];
  if (before === undefined) return { rotation: Float64Array.from(rotation), shift };
  const moved = apply(before.rotation, shift);
  return {
    rotation: product(before.rotation, rotation),
    shift: [moved[0] + before.shift[0], moved[1] + before.shift[1], moved[2] + before.shift[2]],
  };
}

/** The motions of neck and head for six pose numbers (radians). */
export function poseMotions(
  pose: ArrayLike<number>,
  neck: Vec3,
  head: Vec3,
): readonly [neck: Motion, head: Motion] {
  const numbers = Array.from(pose);
  const turned = turnAbout(rodrigues(numbers[0], numbers[1], numbers[2]), neck);
  return [turned, turnAbout(rodrigues(numbers[3], numbers[4], numbers[5]), head, turned)];
}

/** A point under a motion. */
export function moved({ rotation, shift }: Motion, point: ArrayLike<number>): [number, number, number] {
  const [x, y, z] = apply(rotation, point);
  return [x + shift[0], y + shift[1], z + shift[2]];
}

/** Share of the arm's turn in collar bone, shoulder and upper arm. */
const ARM_SHARES = [0.06, 0.19, 0.75];

export interface ArmJoints {
  readonly left: readonly Vec3[];
  readonly right: readonly Vec3[];
}

/** How each of the six arm groups moves when the arms sink and the shoulders rise.
 *
 * @param lowered radians by which each arm sinks in all
 * @param lifted  radians by which the collar bones rise; the arms hang on as before
 */
export function armMotions(joints: ArmJoints, lowered: number, lifted: number): Motion[] {
  const chain = (points: readonly Vec3[], side: number): Motion[] => {
    const motions: Motion[] = [];
    points.forEach((point, i) => {
      const lift = i === 0 ? lifted : i === 2 ? -lifted : 0;
      const angle = side * (-lowered * ARM_SHARES[i] + lift);
      motions.push(turnAbout(rodrigues(0, 0, angle), point, motions[i - 1]));
    });
    return motions;
  };
  return [...chain(joints.left, 1), ...chain(joints.right, -1)];
}

/** Moves the vertices that follow the arms, in place. */
export function moveArms(
  positions: Float32Array,
  { follow, vertexCount }: MeshTemplate,
  motions: readonly Motion[],
): void {
  for (let v = 0; v < vertexCount; v++) {
    const at = 3 * v;
    const [x, y, z] = [positions[at], positions[at + 1], positions[at + 2]];
    for (let g = 0; g < motions.length; g++) {
      const weight = follow[GROUPS * v + g];
      if (weight === 0) continue;
      const { rotation: r, shift: t } = motions[g];
      positions[at] += weight * (r[0] * x + r[1] * y + r[2] * z + t[0] - x);
      positions[at + 1] += weight * (r[3] * x + r[4] * y + r[5] * z + t[1] - y);
      positions[at + 2] += weight * (r[6] * x + r[7] * y + r[8] * z + t[2] - z);
    }
  }
}

/** Posed corners of a mesh at rest.
 *
 * @param rest    [V, 3] geometric vertices
 * @param normals [V, 3] unit
 * @returns positions and normals [S, 3] of the corners
 */
export function poseCorners(
  { follow, cornerVertex }: MeshTemplate,
  rest: Float32Array,
  normals: Float32Array,
  [neck, head]: readonly [Motion, Motion],
): { positions: Float32Array; normals: Float32Array } {
  const out = {
    positions: new Float32Array(cornerVertex.length * 3),
    normals: new Float32Array(cornerVertex.length * 3),
  };
  const [rn, tn, rh, th] = [neck.rotation, neck.shift, head.rotation, head.shift];
  const m = new Float64Array(12);
  for (let s = 0; s < cornerVertex.length; s++) {
    const [v, at, to] = [GROUPS * cornerVertex[s], 3 * cornerVertex[s], 3 * s];
    const [wn, wh] = [follow[v + NECK], follow[v + HEAD]];
    const [x, y, z] = [rest[at], rest[at + 1], rest[at + 2]];
    const [nx, ny, nz] = [normals[at], normals[at + 1], normals[at + 2]];
    if (wn === 0 && wh === 0) {
      out.positions[to] = x;
      out.positions[to + 1] = y;
      out.positions[to + 2] = z;
      out.normals[to] = nx;
      out.normals[to + 1] = ny;
      out.normals[to + 2] = nz;
      continue;
    }
    const still = 1 - wn - wh;
    for (let k = 0; k < 9; k++) m[k] = wn * rn[k] + wh * rh[k];
    m[0] += still;
    m[4] += still;
    m[8] += still;
    for (let k = 0; k < 3; k++) {
      const row = 3 * k;
      out.positions[to + k] = m[row] * x + m[row + 1] * y + m[row + 2] * z + wn * tn[k] + wh * th[k];
      out.normals[to + k] = m[row] * nx + m[row + 1] * ny + m[row + 2] * nz;
    }
    const [a, b, c] = [out.normals[to], out.normals[to + 1], out.normals[to + 2]];
    const length = Math.sqrt(a * a + b * b + c * c) || 1;
    out.normals[to] = a / length;
    out.normals[to + 1] = b / length;
    out.normals[to + 2] = c / length;
  }
  return out;
}

/** [V, 3] unit normals of geometric vertices, weighted by area. */
export function restNormals(positions: Float32Array, triangles: Uint32Array): Float32Array {
  const out = new Float32Array(positions.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [3 * triangles[t], 3 * triangles[t + 1], 3 * triangles[t + 2]];
    const [ux, uy, uz] = [
      positions[b] - positions[a],
      positions[b + 1] - positions[a + 1],
      positions[b + 2] - positions[a + 2],
    ];
    const [vx, vy, vz] = [
      positions[c] - positions[a],
      positions[c + 1] - positions[a + 1],
      positions[c + 2] - positions[a + 2],
    ];
    const [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (const at of [a, b, c]) {
      out[at] += nx;
      out[at + 1] += ny;
      out[at + 2] += nz;
    }
  }
  for (let i = 0; i < out.length; i += 3) {
    const length = Math.sqrt(out[i] * out[i] + out[i + 1] * out[i + 1] + out[i + 2] * out[i + 2]) || 1;
    for (let k = 0; k < 3; k++) out[i + k] /= length;
  }
  return out;
}

function apply(r: ArrayLike<number>, p: ArrayLike<number>): [number, number, number] {
  return [
    r[0] * p[0] + r[1] * p[1] + r[2] * p[2],
    r[3] * p[0] + r[4] * p[1] + r[5] * p[2],
    r[6] * p[0] + r[7] * p[1] + r[8] * p[2],
  ];
}

function product(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const out = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) out[3 * i + j] += a[3 * i + k] * b[3 * k + j];
  return out;
}
