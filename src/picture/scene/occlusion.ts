/** Ambient occlusion of the vertices of meshes that stand together: see `assembly/occlusion.ts`. */

import { ShapeError, UsageError } from '../../errors.ts';
import { boundsOf, vertexNormals } from '../mesh/mesh.ts';
import { withRoom } from './arena.ts';
import { checkMesh } from './check.ts';
import * as at from './layout.ts';
import type { SceneModule } from './module.ts';
import type { OcclusionMesh, OcclusionOptions } from './types.ts';

const DIRECTIONS = 24;
const SIDE = 128;
/** Texels that stay empty round a map. */
const MARGIN = 2;
/** No piece of a triangle that one point stands for is longer, in texels: two to a square texel leave few holes. */
const SPACING = 1.4;
/** A vertex is looked at from above its surface, and from nearer, by so many texels: or it would shade itself. */
const OFFSET = 1.5;
const BIAS = 0.5;

export function occlusion(
  module: SceneModule,
  meshes: readonly OcclusionMesh[],
  options: OcclusionOptions = {},
): Float32Array[] {
  const { directions = DIRECTIONS, side = SIDE, upward = 0 } = options;
  if (!Number.isInteger(directions) || directions < 1 || directions > 1024)
    throw new UsageError(`occlusion: directions is a whole number from 1 to 1024, not ${directions}`);
  if (!Number.isInteger(side / 4) || side < 16 || side > 1024)
    throw new UsageError(`occlusion: side is a multiple of 4 from 16 to 1024, not ${side}`);
  if (!(upward >= -1 && upward <= 1))
    throw new UsageError(`occlusion: upward is a number from -1 to 1, not ${upward}`);
  for (const [i, mesh] of meshes.entries()) checkOccluder(mesh, `mesh ${i}`);
  return withRoom(module.arena, (take) => lookAround(module, take, meshes, directions, side, upward));
}

function checkOccluder({ positions, normals, indices, density = 1 }: OcclusionMesh, name: string): void {
  checkMesh(positions, indices, name);
  if (normals !== undefined && normals.length !== positions.length)
    throw new ShapeError(
      `${name}: normals has ${normals.length} numbers but positions has ${positions.length}`,
    );
  if (!(density >= 0 && density <= 1))
    throw new UsageError(`${name}: density is a number from 0 to 1, not ${density}`);
  for (let i = 0; i < positions.length; i++)
    if (!Number.isFinite(positions[i])) throw new UsageError(`${name}: positions[${i}] is ${positions[i]}`);
}

function lookAround(
  { wasm, arena }: SceneModule,
  take: (bytes: number) => number,
  meshes: readonly OcclusionMesh[],
  directions: number,
  side: number,
  upward: number,
): Float32Array[] {
  const { centre, radius } = ballRound(meshes);
  const texel = (2 * radius) / (side - 2 * MARGIN);
  const records = take(at.OCCLUDER_BYTES * Math.max(1, meshes.length));
  const placed = meshes.map((mesh, i) => {
    const { positions, normals = vertexNormals(mesh), indices, density = 1 } = mesh;
    const [vertices, triangles] = [positions.length / 3, indices.length / 3];
    const record = records + i * at.OCCLUDER_BYTES;
    const places = [positions, normals, indices].map((array) => take(array.byteLength));
    const lanes = take(at.LANES_BYTES * Math.ceil(vertices / 4));
    const out = take(4 * vertices);
    const { i32, f32 } = arena;
    f32.set(positions, places[0] / 4);
    f32.set(normals, places[1] / 4);
    i32.set(indices, places[2] / 4);
    i32.set([...places, vertices, triangles, Math.round(density * 255), 0, 0, lanes, out], record / 4);
    if (density > 0) {
      const count = wasm.spreadPoints(record, SPACING * texel, 0);
      const points = take(48 * Math.ceil(count / 4));
      wasm.spreadPoints(record, SPACING * texel, points);
      arena.i32.set([points, count], (record + at.OCCLUDER_POINTS) / 4);
    }
    if (vertices > 0) wasm.gatherVertices(record);
    return { record, out, vertices };
  });
  const porous = meshes.some(({ density = 1 }) => density < 1) ? take(4 * side * side) : 0;
  const solid = take(4 * side * side);
  const looks = take(at.LOOK_BYTES);
  for (let i = 0; i < directions; i++) {
    const direction = fibonacci(i, directions);
    arena.f32.set(lookFrom(direction, centre, texel, side, 1 + upward * direction[1]), looks / 4);
    const middle = direction.reduce((sum, value, k) => sum + value * centre[k], 0);
    // A little more than the ball: vertices are looked up above the surface.
    const reach = radius + 4 * texel;
    wasm.look(records, meshes.length, looks, solid, porous, side, middle - reach, 2 * reach);
  }
  return placed.map(({ record, out, vertices }) => {
    wasm.finishOcclusion(record);
    return new Float32Array(arena.u8.buffer, out, vertices).slice();
  });
}

/** A ball that holds every vertex: round the middle of their box. */
function ballRound(meshes: readonly OcclusionMesh[]): { centre: number[]; radius: number } {
  const boxes = meshes
    .filter(({ positions }) => positions.length > 0)
    .map(({ positions }) => boundsOf(positions));
  if (boxes.length === 0) return { centre: [0, 0, 0], radius: 1 };
  const low = [0, 1, 2].map((k) => Math.min(...boxes.map(({ min }) => min[k])));
  const high = [0, 1, 2].map((k) => Math.max(...boxes.map(({ max }) => max[k])));
  const centre = low.map((value, k) => (value + high[k]) / 2);
  let furthest = 0;
  for (const { positions: p } of meshes) {
    for (let i = 0; i < p.length; i += 3) {
      const [x, y, z] = [p[i] - centre[0], p[i + 1] - centre[1], p[i + 2] - centre[2]];
      furthest = Math.max(furthest, x * x + y * y + z * z);
    }
  }
  const radius = Math.max(1e-6, Math.sqrt(furthest));
  if (radius === Infinity) throw new UsageError('occlusion: positions are too large');
  return { centre, radius };
}

/** Directions spread evenly over the sphere. */
function fibonacci(i: number, count: number): number[] {
  const y = 1 - (2 * i + 1) / count;
  const round = Math.PI * (1 + Math.sqrt(5)) * (i + 0.5);
  const flat = Math.sqrt(1 - y * y);
  return [flat * Math.cos(round), y, flat * Math.sin(round)];
}

/** A direction's record. */
function lookFrom(
  direction: readonly number[],
  centre: readonly number[],
  texel: number,
  side: number,
  weight: number,
): number[] {
  const [x, y, z] = direction;
  const across = Math.abs(y) < 0.9 ? [z, 0, -x] : [0, -z, y];
  const length = Math.hypot(...across);
  const right = across.map((v) => v / length);
  const down = [z * right[1] - y * right[2], x * right[2] - z * right[0], y * right[0] - x * right[1]];
  const rows = [right, down].map((axis) => {
    const middle = axis.reduce((sum, value, k) => sum + value * centre[k], 0);
    return [...axis.map((value) => value / texel), side / 2 - middle / texel];
  });
  return [...direction, weight, ...rows[0], ...rows[1], OFFSET * texel, BIAS * texel];
}
