/**
 * Meshes carried from the canonical to the posed body.
 *
 * Rendering carries points the other way, so here the two bodies change places: each vertex moves rigidly with
 * its nearest face of the canonical body, and those at the network's thickness or farther stay. It is the
 * inverse of what rendering does only where the nearest face is the same from both sides.
 */

import { type BodyModel, carryPoints, facesInBox, meshBlock, poseBody } from '../body/index.ts';
import type { Mesh } from '../picture/mesh/mesh.ts';
import type { GeneratorConfig } from '../portrait/config.ts';
import { type Engine, f32, i32, type NdArray, ndarray, trace } from '../tensor/index.ts';

/** Carries a mesh in metres; triangles stay as they are. */
export type CarryMesh = (mesh: Mesh) => Promise<Mesh>;

/** Makes the way to a pose.
 *
 * @param pose [1, 6] radians: neck, then head, axis-angle
 */
export function carryToPose(
  engine: Engine,
  { rendering, thickness }: Pick<GeneratorConfig, 'rendering' | 'thickness'>,
  body: BodyModel,
  pose: NdArray,
): CarryMesh {
  const block = meshBlock({
    posed: body.canonical,
    canonical: poseBody(body, pose.data as Float32Array),
    faces: facesInBox(body, rendering.boxWarp),
    thickness,
  });
  const mesh: NdArray = { dtype: 'int32', shape: [1, block.length], data: block };
  return async ({ positions, indices }) => {
    const shape = [1, positions.length / 3, 3];
    const graph = trace('carry mesh', { mesh: i32(1, block.length), points: f32(...shape) }, (given) => ({
      moved: carryPoints(given.mesh, given.points),
    }));
    const program = await engine.compile(graph, { parameters: {} });
    try {
      const { moved } = await program.run({ mesh, points: ndarray(shape, positions) });
      return { positions: Float32Array.from(moved.data), indices };
    } finally {
      await program.dispose();
    }
  };
}
