/** Refuses scenes that the WebAssembly module could not draw: it trusts every index and size it is given. */

import { ShapeError, UsageError } from '../../errors.ts';
import { MOST_PARTS, MOST_TRIANGLES } from './layout.ts';
import type { DirectionalLight, Lighting, ScenePart, SceneView } from './types.ts';

const MOST_LIGHTS = 4;
const MOST_SHADOWS = 2;
const MOST_SUPERSAMPLING = 4;
/** A sample's place is kept in 16 bits a side. */
const MOST_SAMPLES = 16384;

export function checkPart(part: ScenePart, name: string): void {
  const { positions, indices, material } = part;
  const vertices = checkMesh(positions, indices, name);
  const sizes = { normals: 3, uvs: 2, occlusion: 1, colours: 4 } as const;
  for (const [key, size] of Object.entries(sizes)) {
    const array = part[key as keyof typeof sizes];
    if (array !== undefined && array.length !== vertices * size)
      throw new ShapeError(
        `${name}: ${key} has ${array.length} numbers but ${vertices} vertices need ${vertices * size}`,
      );
  }
  const numbers = [material.opacity ?? 1, material.specular, material.gloss, material.fresnel];
  if (![...numbers, ...material.colour, ...material.wrap].every((value) => value >= 0 && value < Infinity))
    throw new UsageError(`${name}: every number of a material is finite and 0 or more`);
}

/** The number of vertices of a mesh whose indices all point to one. */
export function checkMesh(positions: Float32Array, indices: Uint32Array, name: string): number {
  if (positions.length % 3 !== 0)
    throw new ShapeError(`${name}: positions has ${positions.length} numbers, not three a vertex`);
  if (indices.length % 3 !== 0)
    throw new ShapeError(`${name}: indices has ${indices.length} numbers, not three a triangle`);
  const vertices = positions.length / 3;
  let largest = -1;
  for (let i = 0; i < indices.length; i++) if (indices[i] > largest) largest = indices[i];
  if (largest >= vertices)
    throw new ShapeError(`${name}: indices points to vertex ${largest} but there are ${vertices}`);
  return vertices;
}

export function checkParts(parts: readonly ScenePart[]): void {
  if (parts.length > MOST_PARTS)
    throw new UsageError(`a scene has at most ${MOST_PARTS} parts, not ${parts.length}`);
  for (const [i, part] of parts.entries()) checkPart(part, `part ${i}`);
  const triangles = parts.reduce((sum, { indices }) => sum + indices.length / 3, 0);
  if (triangles > MOST_TRIANGLES)
    throw new UsageError(`a scene has at most ${MOST_TRIANGLES} triangles, not ${triangles}`);
}

export function checkView({ width, height, supersampling }: SceneView): void {
  if (!Number.isInteger(supersampling) || supersampling < 1 || supersampling > MOST_SUPERSAMPLING)
    throw new UsageError(
      `supersampling is a whole number from 1 to ${MOST_SUPERSAMPLING}, not ${supersampling}`,
    );
  for (const side of [width, height])
    if (!Number.isInteger(side) || side < 1 || side * supersampling > MOST_SAMPLES)
      throw new UsageError(
        `a picture of ${width} x ${height} with ${supersampling} samples a side: sides are whole numbers of at most ${MOST_SAMPLES} samples`,
      );
}

export function checkLighting({ environment, lights }: Lighting): void {
  if (environment.length !== 27)
    throw new ShapeError(`environment has ${environment.length} numbers, not 9 x 3`);
  if (!environment.every(Number.isFinite))
    throw new UsageError('environment has numbers that are not finite');
  if (lights.length > MOST_LIGHTS)
    throw new UsageError(`a scene has at most ${MOST_LIGHTS} lights, not ${lights.length}`);
  if (lights.filter(({ shadow }) => shadow).length > MOST_SHADOWS)
    throw new UsageError(`at most ${MOST_SHADOWS} lights cast shadows`);
  lights.forEach(checkLight);
}

function checkLight({ direction, colour, softness = 0 }: DirectionalLight, i: number): void {
  if (!(Math.abs(Math.hypot(...direction) - 1) < 1e-3))
    throw new UsageError(`light ${i}: direction has length ${Math.hypot(...direction)}, not 1`);
  if (![...colour, softness].every(Number.isFinite) || softness < 0)
    throw new UsageError(`light ${i}: colour and softness are finite, softness 0 or more`);
}
