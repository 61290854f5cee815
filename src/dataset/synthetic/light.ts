/**
 * Light that stays with the world: a sky, a ground and broad fills as spherical harmonics, and two keys.
 *
 * A generator whose colours do not depend on the viewing direction can learn such light; it could not learn light
 * that comes along with the camera. Harmonics as in Ramamoorthi and Hanrahan, "An efficient representation for
 * irradiance environment maps" (2001), order 2.
 */

import type { Pinhole } from '../../picture/pinhole.ts';
import type { Lighting } from '../../picture/scene/types.ts';

type Vec3 = readonly [number, number, number];

/** Where the light's numbers lead. */
const KEY_YAW = 0.6;
const KEY_ELEVATION = 0.62;

/** The light of a person's three latent numbers: direction of the key, contrast, warmth. */
export function lightingOf(z: readonly number[]): Lighting {
  const yaw = 0.35 + KEY_YAW * Math.tanh(0.8 * z[0]);
  const contrast = Math.tanh(0.6 * z[1]);
  const warmth = 0.12 * Math.tanh(0.7 * z[2]);
  const warm: Vec3 = [1 + warmth, 1, 1 - warmth];
  const cool: Vec3 = [1 - 0.6 * warmth, 1, 1 + 0.6 * warmth];
  const key = 1.65 + 0.4 * contrast;
  const fill = 0.78 - 0.2 * contrast;
  const environment = new Float32Array(27);
  addLobe(environment, [0, 1, 0], scaled(cool, 0.62 * fill), 1);
  addLobe(environment, [0, -1, 0], [0.2 * fill, 0.17 * fill, 0.15 * fill], 1);
  addLobe(environment, direction(yaw - 1.9, 0.15), scaled(cool, 0.45 * fill), 1);
  addLobe(environment, direction(yaw + 2.6, 0.3), scaled(warm, 0.4 * fill), 1);
  addConstant(environment, scaled(cool, 0.2 * fill));
  return {
    environment,
    lights: [
      { direction: direction(yaw, KEY_ELEVATION), colour: scaled(warm, key), shadow: true, softness: 0.12 },
      {
        direction: direction(yaw + Math.PI * 0.92, 0.55),
        colour: scaled(cool, 0.62 * key),
        shadow: true,
        softness: 0.2,
      },
    ],
  };
}

/** The same light turned so that it comes along with a camera: what is given for a front camera. */
export function lightingForCamera(z: readonly number[], { rotation: r }: Pinhole): Lighting {
  const { environment, lights } = lightingOf(z);
  // World directions of the front camera's right, up and backward axes are x, y and z.
  const turn = ([x, y, w]: Vec3): Vec3 =>
    [0, 1, 2].map((k) => r[k] * x - r[3 + k] * y - r[6 + k] * w) as unknown as Vec3;
  const turned = new Float32Array(27);
  // Order 2 is determined by its values: project what the turned environment shows in many directions.
  for (const sample of SPHERE) {
    const from = turn(sample);
    const basis = harmonics(from);
    const here = harmonics(sample);
    for (let c = 0; c < 3; c++) {
      let radiance = 0;
      for (let i = 0; i < 9; i++) radiance += environment[3 * i + c] * here[i];
      for (let i = 0; i < 9; i++) turned[3 * i + c] += (radiance * basis[i] * 4 * Math.PI) / SPHERE.length;
    }
  }
  return {
    environment: turned,
    lights: lights.map((light) => ({ ...light, direction: turn(light.direction) })),
  };
}

/** Even directions (Fibonacci). */
const SPHERE: readonly Vec3[] = Array.from({ length: 512 }, (_, i) => {
  const y = 1 - (2 * (i + 0.5)) / 512;
  const radius = Math.sqrt(1 - y * y);
  const angle = i * Math.PI * (3 - Math.sqrt(5));
  return [radius * Math.cos(angle), y, radius * Math.sin(angle)];
});

/** Yaw from +z towards +x, elevation; radians. */
function direction(yaw: number, elevation: number): Vec3 {
  return [Math.cos(elevation) * Math.sin(yaw), Math.sin(elevation), Math.cos(elevation) * Math.cos(yaw)];
}

function scaled([r, g, b]: Vec3, by: number): Vec3 {
  return [r * by, g * by, b * by];
}

/** Real spherical harmonics up to order 2. */
export function harmonics([x, y, z]: Vec3): number[] {
  return [
    0.282095,
    0.488603 * y,
    0.488603 * z,
    0.488603 * x,
    1.092548 * x * y,
    1.092548 * y * z,
    0.315392 * (3 * z * z - 1),
    1.092548 * x * z,
    0.546274 * (x * x - y * y),
  ];
}

/** Weights of the orders for a light as wide as a cosine lobe, whose radiance is 1 in the middle. */
const LOBE = [Math.PI, (2 * Math.PI) / 3, Math.PI / 4];

function addLobe(environment: Float32Array, towards: Vec3, colour: Vec3, width: number): void {
  harmonics(towards).forEach((value, i) => {
    const order = i === 0 ? 0 : i < 4 ? 1 : 2;
    for (let c = 0; c < 3; c++) environment[3 * i + c] += width * colour[c] * LOBE[order] * value;
  });
}

function addConstant(environment: Float32Array, colour: Vec3): void {
  for (let c = 0; c < 3; c++) environment[c] += colour[c] / 0.282095;
}
