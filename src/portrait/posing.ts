/** Posed bodies for the renderer: which way sample points go back to the canonical body (spec page 3.4). */

import {
  type BodyModel,
  carryByMaps,
  carryPoints,
  deform,
  faceMaps,
  facesInBox,
  findFaces,
  meshBlock,
  meshBlockWords,
  poseBody,
} from '../body/index.ts';
import { ShapeError, UsageError } from '../errors.ts';
import {
  type Aval,
  constant,
  f32,
  type Graph,
  i32,
  less,
  type NdArray,
  ndarray,
  type Tensor,
  trace,
} from '../tensor/index.ts';
import type { ByMesh, Deformation } from './renderer.ts';

/** A body and the shell of points that follow it. */
export interface Posing {
  readonly body: BodyModel;
  /** [K, 3] faces inside of the box. */
  readonly faces: Int32Array;
  /** Points at this distance or farther stay where they are, metres. */
  readonly thickness: number;
}

export function posingOf(body: BodyModel, boxWarp: number, thickness: number): Posing {
  return { body, faces: facesInBox(body, boxWarp), thickness };
}

export interface PosedBodies {
  /** [N, words] int32: a mesh block for each pose. */
  readonly mesh: NdArray;
  /** [N, V, 3] */
  readonly vertices: NdArray;
}

/** Poses the body.
 *
 * @param poses   [N, 6] radians: neck, then head, axis-angle
 * @param radius  how far faces are searched; the shell's thickness when left out
 * @throws UsageError for a pose that is not finite
 */
export function poseBodies(
  { body, faces, thickness }: Posing,
  poses: NdArray,
  radius = thickness,
): PosedBodies {
  const [count, width] = poses.shape;
  if (width !== 6) throw new ShapeError(`poses are [${poses.shape.join(', ')}]; [N, 6] is expected`);
  const words = meshBlockWords(faces.length / 3);
  const vertexCount = body.canonical.length / 3;
  const mesh = new Int32Array(count * words);
  const vertices = new Float32Array(count * vertexCount * 3);
  for (let n = 0; n < count; n++) {
    const posed = poseBody(body, poses.data.subarray(n * 6, n * 6 + 6) as Float32Array);
    vertices.set(posed, n * posed.length);
    mesh.set(meshBlock({ posed, canonical: body.canonical, faces, thickness: radius }), n * words);
  }
  return {
    mesh: { dtype: 'int32', shape: [count, words], data: mesh },
    vertices: ndarray([count, vertexCount, 3], vertices),
  };
}

/** Faces that carry the samples, instead of the nearest by our own search. */
export interface GivenFaces {
  /** [N, rays * samples] int32, ray-major */
  readonly coarse: NdArray;
  /** [N, rays * importance samples] int32, in drawn order */
  readonly fine: NdArray;
}

/** Refuses face numbers that the body does not have. @throws UsageError */
export function checkFaces({ faces }: Posing, given: GivenFaces): void {
  const count = faces.length / 3;
  for (const [pass, { data }] of Object.entries(given) as [string, NdArray][]) {
    const wrong = data.findIndex((face) => face < 0 || face >= count);
    if (wrong >= 0) {
      throw new UsageError(
        `face ${data[wrong]} of the ${pass} samples (number ${wrong}) does not exist: the body has ${count} faces in the box`,
      );
    }
  }
}

/** Inputs that a posed program declares. */
export function posedInputs(
  { body, faces }: Posing,
  batch: number,
  given?: GivenFaces,
): Record<string, Aval> {
  const mesh = i32(batch, meshBlockWords(faces.length / 3));
  if (given === undefined) return { mesh };
  const { coarse, fine } = given;
  return {
    mesh,
    vertices: f32(batch, body.canonical.length / 3, 3),
    coarseFaces: i32(...coarse.shape),
    fineFaces: i32(...fine.shape),
  };
}

/** The deformation of a posed program, over the inputs of `posedInputs`.
 *
 * Given `vertices` that depend on a pose, gradients reach it. With face numbers beside them the samples are carried
 * with the original's own rounding, for checking; without, by the nearest faces, in one kernel with the rendering.
 */
export function deformationOf(
  posing: Posing,
  inputs: Readonly<Record<string, Tensor | undefined>>,
): Deformation {
  const { mesh, vertices, coarseFaces, fineFaces } = inputs;
  if (mesh === undefined) throw new Error('internal: no mesh block to search');
  if (vertices === undefined) return { mesh, carry: carryPoints };
  if (coarseFaces === undefined || fineFaces === undefined)
    return followingDeformation(posing, mesh, vertices);
  const canonical = canonicalOf(posing);
  const { faces, thickness } = posing;
  return (points, pass) => {
    const { sqdist } = findFaces(mesh, points);
    const index = pass === 'coarse' ? coarseFaces : fineFaces;
    const mask = less(sqdist, thickness * thickness);
    return deform({ posed: vertices, canonical, faces, points, index, mask });
  };
}

/** [V, 3] */
function canonicalOf({ body }: Posing): Tensor {
  return constant(ndarray([body.canonical.length / 3, 3], body.canonical));
}

/** The deformation by bodies that are computed in the program, so that gradients reach their poses.
 *
 * @param mesh     [N, words] blocks of the same bodies: what is near to what is decided beforehand
 * @param vertices [N, V, 3], such as `posedVertices` makes
 * @param given    faces [N, rays * samples] of the samples, instead of the nearest
 */
export function followingDeformation(
  posing: Posing,
  mesh: Tensor,
  vertices: Tensor,
  given?: { readonly coarse: Tensor; readonly fine: Tensor },
): Deformation {
  const maps = faceMaps(vertices, canonicalOf(posing), posing.faces);
  const carry: ByMesh['carry'] = (block, points, motions, face) => carryByMaps(block, points, motions!, face);
  return given === undefined ? { mesh, maps, carry } : { mesh, maps, faces: given, carry };
}

/** For checking: points [N, P, 3] to where they go, squared distances and faces of an unbounded search. */
export function deformationGraph(posing: Posing, batch: number, count: number): Graph {
  const words = i32(batch, meshBlockWords(posing.faces.length / 3));
  const inputs = { mesh: words, far: words, points: f32(batch, count, 3) };
  return trace('deformation', inputs, ({ mesh, far, points }) => {
    const { sqdist, face } = findFaces(far, points);
    return { moved: carryPoints(mesh, points), sqdist, face };
  });
}
