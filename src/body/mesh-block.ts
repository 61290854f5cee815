/**
 * The mesh block: all that a search and a deformation need of one posed body, in one array of 32-bit words.
 *
 * Made once a pose and given to programs and WebAssembly kernels as it is (an int32 tensor whose words are
 * read as float32 where the table says so). Kernels know the same numbers:
 * `engines/kernels/assembly/nearest.ts`. Offsets are in words from the start of the block; every section
 * starts at a multiple of 4 words, so a block at a multiple of 16 bytes can be read in SIMD.
 *
 * | section | words | content |
 * |---|---|---|
 * | header | 16 | 0: `MESH_MAGIC`; 1: words in the block; 2: nodes; 3: leaves; 4: faces; 5, 6, 7: where nodes, leaves, maps start; 8: radius (f32, metres): faces at this distance or farther do not count |
 * | nodes | 28 each | boxes of 4 children as f32 lanes: lower x, y, z, upper x, y, z (4 words each); then 4 children: a node number, `~leaf`, or 0x7fffffff for none (its box is empty) |
 * | leaves | 88 each | 4 triangles as f32 lanes, corners sorted by vertex number: corner 0 x, y, z, corner 1, corner 2 (36); 1 / squared lengths of edges 01, 12, 02 (12); unit normal (12); barycentric duals S, T (24): the foot of p is inside where s = (p - corner 0) . S >= 0, t = (p - corner 0) . T >= 0, s + t <= 1; 4 face numbers (i32) |
 * | maps | 12 each | by face number: columns of R, then t (f32): a point q goes to R q + t. 4 words follow the last |
 */

import { ShapeError, UsageError } from '../errors.ts';
import { writeFaceMap } from './frame.ts';
import { sortedCorners } from './nearest.ts';
import { buildTree, type Tree } from './tree.ts';

/** The first word of a block: "mesh". */
export const MESH_MAGIC = 0x6873656d;
export const HEADER_WORDS = 16;
export const NODE_WORDS = 28;
export const LEAF_WORDS = 88;
export const MAP_WORDS = 12;
/** Where the face numbers of a leaf are. */
export const LEAF_FACES = 84;

export interface MeshOptions {
  /** [V, 3] vertices of the posed body, aligned. */
  readonly posed: Float32Array;
  /** [V, 3] vertices of the rest body, aligned. */
  readonly canonical: Float32Array;
  /** [K, 3] the faces that take part ({@link facesInBox}). */
  readonly faces: Int32Array;
  /** Faces at this distance or farther move nothing, metres; Infinity for a search without bound. */
  readonly thickness: number;
}

/** Builds the block of a posed body.
 *
 * @throws ShapeError when the arrays disagree, UsageError for vertices that are not finite.
 */
export function meshBlock({ posed, canonical, faces, thickness }: MeshOptions): Int32Array {
  const count = faces.length / 3;
  if (posed.length !== canonical.length || count === 0 || count % 1 !== 0) {
    throw new ShapeError(
      `mesh: ${posed.length} and ${canonical.length} coordinates, ${faces.length} corners; expected [V, 3] twice and [K, 3] with K > 0`,
    );
  }
  if (!(thickness > 0)) throw new UsageError(`mesh: the thickness is ${thickness}, expected more than 0`);
  const broken = posed.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) throw new UsageError(`mesh: coordinate ${broken} of the posed body is ${posed[broken]}`);
  const tree = buildTree(posed, faces);
  const nodes = tree.children.length / 4;
  const leaves = tree.leaves.length / 4;
  const leavesAt = HEADER_WORDS + nodes * NODE_WORDS;
  const mapsAt = leavesAt + leaves * LEAF_WORDS;
  const words = mapsAt + count * MAP_WORDS + 4;
  const ints = new Int32Array(words);
  const floats = new Float32Array(ints.buffer);
  ints.set([MESH_MAGIC, words, nodes, leaves, count, HEADER_WORDS, leavesAt, mapsAt]);
  floats[8] = thickness;
  writeNodes(tree, ints, floats);
  writeLeaves(tree, posed, faces, leavesAt, ints, floats);
  for (let f = 0; f < count; f++) writeFaceMap(posed, canonical, faces, f, floats, mapsAt + MAP_WORDS * f);
  return ints;
}

/** How many words {@link meshBlock} makes for this many faces. */
export function meshBlockWords(faceCount: number): number {
  const known = wordsOf.get(faceCount);
  if (known !== undefined) return known;
  const { children, leaves } = buildTree(new Float32Array(3), new Int32Array(3 * faceCount));
  const tree = (children.length / 4) * NODE_WORDS + (leaves.length / 4) * LEAF_WORDS;
  const words = HEADER_WORDS + tree + faceCount * MAP_WORDS + 4;
  wordsOf.set(faceCount, words);
  return words;
}

/** Words by the number of faces: counting them takes as long as building a tree. */
const wordsOf = new Map<number, number>();

function writeNodes({ children, boxes }: Tree, ints: Int32Array, floats: Float32Array): void {
  for (let node = 0; node < children.length / 4; node++) {
    const at = HEADER_WORDS + NODE_WORDS * node;
    for (let lane = 0; lane < 4; lane++) {
      for (let k = 0; k < 6; k++) floats[at + 4 * k + lane] = boxes[24 * node + 6 * lane + k];
      ints[at + 24 + lane] = children[4 * node + lane];
    }
  }
}

function writeLeaves(
  { leaves }: Tree,
  posed: Float32Array,
  faces: Int32Array,
  leavesAt: number,
  ints: Int32Array,
  floats: Float32Array,
): void {
  const sorted = sortedCorners(faces);
  leaves.forEach((face, slot) => {
    const at = leavesAt + LEAF_WORDS * (slot >> 2) + (slot & 3);
    writeTriangle(
      posed,
      3 * sorted[3 * face],
      3 * sorted[3 * face + 1],
      3 * sorted[3 * face + 2],
      floats,
      at,
    );
    ints[at + LEAF_FACES] = face;
  });
}

/** Writes the 21 numbers of the triangle with corners at a, b, c, four words apart. */
function writeTriangle(
  v: Float32Array,
  a: number,
  b: number,
  c: number,
  out: Float32Array,
  at: number,
): void {
  const [ux, uy, uz] = [v[b] - v[a], v[b + 1] - v[a + 1], v[b + 2] - v[a + 2]];
  const [wx, wy, wz] = [v[c] - v[a], v[c + 1] - v[a + 1], v[c + 2] - v[a + 2]];
  const [ex, ey, ez] = [v[c] - v[b], v[c + 1] - v[b + 1], v[c + 2] - v[b + 2]];
  const [nx, ny, nz] = [uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx];
  const nn = nx * nx + ny * ny + nz * nz;
  const length = nn > 0 ? Math.sqrt(nn) : 1;
  for (let k = 0; k < 3; k++) {
    out[at + 4 * k] = v[a + k];
    out[at + 12 + 4 * k] = v[b + k];
    out[at + 24 + 4 * k] = v[c + k];
  }
  out[at + 36] = inverse(ux * ux + uy * uy + uz * uz);
  out[at + 40] = inverse(ex * ex + ey * ey + ez * ez);
  out[at + 44] = inverse(wx * wx + wy * wy + wz * wz);
  out[at + 48] = nx / length;
  out[at + 52] = ny / length;
  out[at + 56] = nz / length;
  // Flat triangles divide by zero: their duals are NaN, so no foot is inside and their edges answer.
  out[at + 60] = (wy * nz - wz * ny) / nn;
  out[at + 64] = (wz * nx - wx * nz) / nn;
  out[at + 68] = (wx * ny - wy * nx) / nn;
  out[at + 72] = (ny * uz - nz * uy) / nn;
  out[at + 76] = (nz * ux - nx * uz) / nn;
  out[at + 80] = (nx * uy - ny * ux) / nn;
}

function inverse(squared: number): number {
  return squared > 0 ? 1 / squared : 0;
}
