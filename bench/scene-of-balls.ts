/** A stand-in for a portrait: a head and shoulders of balls, hair of blended shells, with textures made here. */

import type {
  Lighting,
  SceneMaterial,
  ScenePart,
  SceneRenderer,
  SceneView,
  TextureHandle,
} from '../src/picture/scene/types.ts';

const PLAIN: SceneMaterial = {
  colour: [1, 1, 1],
  mode: 'opaque',
  doubleSided: false,
  wrap: [0, 0, 0],
  specular: 0,
  gloss: 10,
  fresnel: 0,
  anisotropic: false,
};

interface Grid {
  readonly rows: number;
  readonly columns: number;
  readonly radii: readonly [number, number, number];
  readonly centre: readonly [number, number, number];
  /** From the north pole (0) to the south pole (1); how far down the grid reaches. */
  readonly reach?: number;
}

/** An ellipsoid as a grid of latitudes and longitudes; u round it, v down. */
export function ellipsoid({ rows, columns, radii, centre, reach = 1 }: Grid): Omit<ScenePart, 'material'> {
  const count = (rows + 1) * (columns + 1);
  const [positions, normals, uvs] = [
    new Float32Array(count * 3),
    new Float32Array(count * 3),
    new Float32Array(count * 2),
  ];
  for (let i = 0, at = 0; i <= rows; i++) {
    for (let j = 0; j <= columns; j++, at++) {
      const [v, u] = [(i / rows) * reach, j / columns];
      const [polar, round] = [v * Math.PI, u * 2 * Math.PI];
      const n = [Math.sin(polar) * Math.sin(round), Math.cos(polar), -Math.sin(polar) * Math.cos(round)];
      for (let k = 0; k < 3; k++) {
        positions[at * 3 + k] = centre[k] + radii[k] * n[k];
        normals[at * 3 + k] = n[k] / radii[k];
      }
      const length = Math.hypot(...normals.subarray(at * 3, at * 3 + 3));
      for (let k = 0; k < 3; k++) normals[at * 3 + k] /= length;
      uvs.set([u, v], at * 2);
    }
  }
  const indices: number[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const a = i * (columns + 1) + j;
      const [b, c, d] = [a + 1, a + columns + 1, a + columns + 2];
      if (i > 0) indices.push(a, b, c);
      if (reach < 1 || i < rows - 1) indices.push(b, d, c);
    }
  }
  return { positions, normals, uvs, indices: Uint32Array.from(indices) };
}

/** Numbers from 0 to 1 that repeat themselves from run to run. */
export function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function skinTexture(renderer: SceneRenderer, width: number, height: number): TextureHandle {
  const random = noise(1);
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const spot = random() * 18 - 9;
    data.set([214 + spot, 168 + spot, 142 + spot, 255], i * 4);
  }
  return renderer.upload({ width, height, data });
}

/** Strands that run down v, denser towards the middle. */
function hairTexture(renderer: SceneRenderer, side: number): TextureHandle {
  const random = noise(2);
  const strands = Array.from({ length: side }, () => [random(), 0.6 + 0.8 * random()]);
  const data = new Uint8Array(side * side * 4);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [strand, tone] = strands[x];
      const alpha = Math.min(1, Math.max(0, (strand - 0.15 - 0.5 * (y / side) ** 3) * 4));
      data.set([110 * tone, 78 * tone, 54 * tone, 255 * alpha], (y * side + x) * 4);
    }
  }
  return renderer.upload({ width: side, height: side, data });
}

/** About 25,000 triangles, of which 10,000 are hair in four shells. */
export function portraitOfBalls(renderer: SceneRenderer): ScenePart[] {
  const skin: SceneMaterial = {
    ...PLAIN,
    texture: skinTexture(renderer, 1136, 1416),
    wrap: [0.35, 0.18, 0.12],
    specular: 0.03,
    gloss: 24,
    fresnel: 0.3,
  };
  const hair: SceneMaterial = {
    ...PLAIN,
    texture: hairTexture(renderer, 512),
    mode: 'blend',
    doubleSided: true,
    wrap: [0.2, 0.2, 0.2],
    specular: 0.12,
    gloss: 60,
    anisotropic: true,
  };
  const cloth: SceneMaterial = { ...PLAIN, colour: [0.08, 0.12, 0.3], doubleSided: true };
  const shell = (k: number): ScenePart => ({
    ...ellipsoid({
      rows: 25,
      columns: 50,
      radii: [0.088 + 0.006 * k, 0.128 + 0.006 * k, 0.103 + 0.006 * k],
      centre: [0, 0.135 + 0.002 * k, -0.022],
      reach: 0.62,
    }),
    material: hair,
  });
  return [
    {
      ...ellipsoid({ rows: 60, columns: 80, radii: [0.083, 0.12, 0.1], centre: [0, 0.12, 0] }),
      material: skin,
    },
    {
      ...ellipsoid({ rows: 20, columns: 40, radii: [0.06, 0.14, 0.06], centre: [0, -0.03, -0.02] }),
      material: skin,
    },
    {
      ...ellipsoid({ rows: 12, columns: 16, radii: [0.014, 0.02, 0.02], centre: [0, 0.11, 0.1] }),
      material: skin,
    },
    {
      ...ellipsoid({ rows: 30, columns: 60, radii: [0.24, 0.14, 0.12], centre: [0, -0.19, -0.03] }),
      material: cloth,
    },
    ...[0, 1, 2, 3].map(shell),
  ];
}

/** A key light from the upper left, a fill, a rim from behind; a sky above a darker ground. */
export const STUDIO: Lighting = {
  environment: Float32Array.from({ length: 27 }, (_, i) => {
    const tone = [0.95, 1, 1.1][i % 3];
    return tone * ([0.9, 0.25, 0.15, 0][Math.floor(i / 3)] ?? 0);
  }),
  lights: [
    { direction: unit(-0.5, 0.6, 0.65), colour: [1.1, 1.02, 0.92], shadow: true },
    { direction: unit(0.8, 0.1, 0.5), colour: [0.22, 0.25, 0.3], shadow: false },
    { direction: unit(0.5, 0.5, -0.8), colour: [0.5, 0.5, 0.55], shadow: false },
  ],
};

function unit(x: number, y: number, z: number): [number, number, number] {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}

/** From 2.7 m, turned about the vertical by `yaw` radians. */
export function portraitView(side: number, yaw = 0, supersampling = 2): SceneView {
  const [c, s] = [Math.cos(yaw), Math.sin(yaw)];
  const label = [
    ...[c, 0, -s, 2.7 * s, 0, -1, 0, 0, -s, 0, -c, 2.7 * c, 0, 0, 0, 1],
    ...[6.51, 0, 0.5, 0, 6.51, 0.5, 0, 0, 1],
  ];
  return { label, width: side, height: side, supersampling };
}
