/**
 * Nearest faces and deformation through a mesh block, in plain code: the definition of the kernels.
 *
 * The hierarchy says which triangles to look at; distances are those of `nearest.ts`, in double.
 */

import { FormatError } from '../errors.ts';
import { HEADER_WORDS, LEAF_FACES, LEAF_WORDS, MAP_WORDS, MESH_MAGIC, NODE_WORDS } from './mesh-block.ts';
import { type NearestFaces, squaredDistance, TIE, ZERO } from './nearest.ts';
import { NO_CHILD } from './tree.ts';

/** Nearest faces of points [P, 3] within the block's radius. */
export function nearestFaces(block: Int32Array, points: ArrayLike<number>): NearestFaces {
  const search = openBlock(block);
  const count = points.length / 3;
  const sqdist = new Float32Array(count).fill(Number.POSITIVE_INFINITY);
  const face = new Int32Array(count).fill(-1);
  for (let i = 0; i < count; i++) {
    const found = search(points[3 * i], points[3 * i + 1], points[3 * i + 2]);
    if (found === undefined) continue;
    face[i] = found.face;
    sqdist[i] = found.sqdist;
  }
  return { sqdist, face };
}

/** Points [P, 3] carried to the rest body; those with no face within the radius stay. */
export function deformPoints(block: Int32Array, points: ArrayLike<number>): Float32Array {
  const search = openBlock(block);
  const maps = new Float32Array(block.buffer, block.byteOffset + 4 * block[7], MAP_WORDS * block[4]);
  const moved = Float32Array.from(points);
  for (let i = 0; i < moved.length; i += 3) {
    const [x, y, z] = [points[i], points[i + 1], points[i + 2]];
    const found = search(x, y, z);
    if (found === undefined) continue;
    const m = maps.subarray(MAP_WORDS * found.face, MAP_WORDS * (found.face + 1));
    for (let k = 0; k < 3; k++) moved[i + k] = m[k] * x + m[3 + k] * y + m[6 + k] * z + m[9 + k];
  }
  return moved;
}

/** A function that finds the nearest face of a point, or undefined when none is within the radius.
 *
 * @throws FormatError when the array is no mesh block.
 */
function openBlock(
  block: Int32Array,
): (x: number, y: number, z: number) => { face: number; sqdist: number } | undefined {
  if (block[0] !== MESH_MAGIC || block[1] !== block.length) throw new FormatError('not a mesh block');
  const floats = new Float32Array(block.buffer, block.byteOffset, block.length);
  const leavesAt = block[6];
  const radius = floats[8];
  const stack: { child: number; squared: number }[] = [];
  const near: { face: number; squared: number }[] = [];
  return (x, y, z) => {
    let best = radius * radius;
    near.length = 0;
    stack.push({ child: 0, squared: 0 });
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next.squared > best * (1 + TIE) + ZERO) continue;
      if (next.child < 0) {
        const at = leavesAt + LEAF_WORDS * ~next.child;
        for (let lane = 0; lane < 4; lane++) {
          const squared = squaredDistanceInLeaf(floats, at + lane, x, y, z);
          if (squared < best) best = squared;
          if (squared <= best * (1 + TIE) + ZERO) near.push({ face: block[at + LEAF_FACES + lane], squared });
        }
        continue;
      }
      const at = HEADER_WORDS + NODE_WORDS * next.child;
      const children = [0, 1, 2, 3]
        .filter((lane) => block[at + 24 + lane] !== NO_CHILD)
        .map((lane) => ({ child: block[at + 24 + lane], squared: toBox(floats, at + lane, x, y, z) }));
      stack.push(...children.sort((a, b) => b.squared - a.squared));
    }
    if (near.length === 0 || !(Math.sqrt(best) < radius)) return undefined;
    let face = Number.POSITIVE_INFINITY;
    for (const candidate of near) {
      if (candidate.squared <= best * (1 + TIE) + ZERO) face = Math.min(face, candidate.face);
    }
    return { face, sqdist: best };
  };
}

const corners = new Float64Array(9);

function squaredDistanceInLeaf(floats: Float32Array, at: number, x: number, y: number, z: number): number {
  for (let k = 0; k < 9; k++) corners[k] = floats[at + 4 * k];
  return squaredDistance(x, y, z, corners, 0, 3, 6);
}

function toBox(floats: Float32Array, at: number, x: number, y: number, z: number): number {
  const dx = Math.max(floats[at] - x, x - floats[at + 12], 0);
  const dy = Math.max(floats[at + 4] - y, y - floats[at + 16], 0);
  const dz = Math.max(floats[at + 8] - z, z - floats[at + 20], 0);
  return dx * dx + dy * dy + dz * dz;
}
