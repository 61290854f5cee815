/** What the tests of the scene renderer share. */

import type { Lighting, SceneMaterial, ScenePart, SceneView, Vector3 } from '../src/picture/scene/types.ts';

/** White, Lambert, opaque, seen from both sides. */
export const MATTE: SceneMaterial = {
  colour: [1, 1, 1],
  mode: 'opaque',
  doubleSided: true,
  wrap: [0, 0, 0],
  specular: 0,
  gloss: 10,
  fresnel: 0,
  anisotropic: false,
};

/** Light from all round so that a white matte surface sends 1. */
export const WHITE: Lighting = {
  environment: harmonics((i) => (i === 0 ? 1 / 0.2820947918 : 0)),
  lights: [],
};
export const DARK = new Float32Array(27);

/** [9, 3] equal in all channels. */
export function harmonics(of: (i: number) => number): Float32Array {
  return Float32Array.from({ length: 27 }, (_, i) => of(Math.floor(i / 3)));
}

/** A camera at (0, 0, distance) that looks along -z, y up in the picture. */
export function frontView(side: number, supersampling = 1, distance = 2, focal = 2): SceneView {
  const label = [
    1,
    0,
    0,
    0,
    0,
    -1,
    0,
    0,
    0,
    0,
    -1,
    distance,
    0,
    0,
    0,
    1,
    focal,
    0,
    0.5,
    0,
    focal,
    0.5,
    0,
    0,
    1,
  ];
  return { label, width: side, height: side, supersampling };
}

/** A square across z, facing +z; u to the right, v down. It fills the front view at z = 0 with half = .5. */
export function square(half: number, z: number, material: SceneMaterial): ScenePart {
  return {
    positions: Float32Array.of(-half, half, z, half, half, z, half, -half, z, -half, -half, z),
    normals: Float32Array.of(0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1),
    uvs: Float32Array.of(0, 0, 1, 0, 1, 1, 0, 1),
    indices: Uint32Array.of(0, 2, 1, 0, 3, 2),
    material,
  };
}

export function unitVector(x: number, y: number, z: number): Vector3 {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}

/** Numbers from 0 to 1 that repeat themselves from run to run. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
