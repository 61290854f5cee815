/** Cameras, lights and materials as the WebAssembly module reads them: see `layout.ts`. */

import { type Pinhole, pinholeOf } from '../pinhole.ts';
import * as at from './layout.ts';
import type { DirectionalLight, Lighting, SceneMaterial, ScenePart, SceneView } from './types.ts';

/** The largest shadow map's side, and the smallest's. */
const SHARPEST = 512;
const SOFTEST = 96;
/** Texels that nothing is drawn to round a shadow map. */
const MARGIN = 4;
/** Softness of a light that names none, radians. */
const SOFTNESS = 0.08;
/** How far what casts a shadow typically lies from where it falls, as a share of the scene's extent. */
const THROW = 0.12;
/** Hair shines until its surface is turned from the light by so much, as a cosine: `assembly/shade.ts`. */
const STRAND_REACH = 0.25;
/** A soft edge is as wide as this many texels. */
const EDGE_TEXELS = 3;

/** World to samples, and samples to rays. */
export function writeCamera(f32: Float32Array, frame: number, view: SceneView): void {
  const camera = pinholeOf(view.label);
  const [width, height] = [view.width * view.supersampling, view.height * view.supersampling];
  const put = (offset: number, values: ArrayLike<number>): void => f32.set(values, (frame + offset) / 4);
  const m = camera.matrix;
  for (let k = 0; k < 4; k++)
    put(at.FRAME_PROJECTION + 16 * k, [m[k] * width, m[4 + k] * height, m[8 + k], 0]);
  put(at.FRAME_CENTRE, camera.centre);
  const [byX, byY, at0] = rays(camera, width, height);
  put(at.FRAME_RAY_X, byX);
  put(at.FRAME_RAY_Y, byY);
  put(at.FRAME_RAY_0, at0);
}

/** The direction of unit depth through a sample, in the world: by x, by y, and at 0. */
function rays({ rotation: r, intrinsics }: Pinhole, width: number, height: number): number[][] {
  const [fx, skew, cx, fy, cy] = intrinsics;
  const axis = (k: number): readonly number[] => [0, 1, 2].map((row) => r[row * 3 + k]);
  const v0 = -cy / fy;
  const u0 = (-cx - skew * v0) / fx;
  const of = (u: number, v: number, w: number): number[] => [
    ...[0, 1, 2].map((k) => axis(k)).map(([right, down, forward]) => right * u + down * v + forward * w),
    0,
  ];
  return [of(1 / fx / width, 0, 0), of(-skew / fx / fy / height, 1 / fy / height, 0), of(u0, v0, 1)];
}

/** Both sets of spherical harmonics, with the constants of the basis in them. */
export function writeEnvironment(f32: Float32Array, frame: number, { environment }: Lighting): void {
  // Ramamoorthi and Hanrahan 2001: a Lambert surface answers order l by pi, 2 pi / 3, pi / 4; reflected light is
  // irradiance / pi.
  for (const [offset, [a0, a1, a2]] of [
    [at.FRAME_IRRADIANCE, [1, 2 / 3, 1 / 4]],
    [at.FRAME_RADIANCE, [1, 1, 1]],
  ] as const) {
    for (let c = 0; c < 3; c++) {
      const l = (i: number): number => environment[i * 3 + c];
      const [band1, band2, zonal] = [0.4886025119 * a1, 1.0925484306 * a2, 0.3153915653 * a2];
      f32.set(
        [
          0.2820947918 * a0 * l(0) - zonal * l(6),
          ...[band1 * l(1), band1 * l(2), band1 * l(3)],
          ...[band2 * l(4), band2 * l(5), 3 * zonal * l(6), band2 * l(7), (band2 / 2) * l(8)],
        ],
        (frame + offset + 36 * c) / 4,
      );
    }
  }
}

/** Texels a side of a light's shadow map: fewer for a softer light. */
export function shadowSide({ softness = SOFTNESS }: DirectionalLight): number {
  const side = EDGE_TEXELS / (Math.max(1e-6, softness) * THROW);
  return Math.min(SHARPEST, Math.max(SOFTEST, Math.round(side / 4) * 4));
}

/** A light; `map` is 0 for one without shadows. The map is fitted to the parts that cast them. */
export function writeLight(
  f32: Float32Array,
  i32: Int32Array,
  place: number,
  light: DirectionalLight,
  map: number,
  casters: readonly ScenePart[],
): void {
  const put = (offset: number, values: ArrayLike<number>): void => f32.set(values, (place + offset) / 4);
  put(at.LIGHT_DIRECTION, light.direction);
  put(at.LIGHT_COLOUR, light.colour);
  i32[(place + at.LIGHT_MAP) / 4] = map;
  if (map === 0) return;
  const side = shadowSide(light);
  i32[(place + at.LIGHT_SIDE) / 4] = side;
  const [right, down] = axesOf(light.direction);
  const box = [extent(casters, right), extent(casters, down)];
  const widest = Math.max(1e-6, ...box.map(([low, high]) => high - low));
  const scale = (side - 2 * MARGIN) / widest;
  for (const [k, axis] of [right, down].entries()) {
    const middle = (box[k][0] + box[k][1]) / 2;
    put(k === 0 ? at.LIGHT_ROW_X : at.LIGHT_ROW_Y, [
      ...axis.map((v) => v * scale),
      side / 2 - middle * scale,
    ]);
  }
  put(at.LIGHT_ROW_DEPTH, [...light.direction, 0]);
  put(at.LIGHT_NORMAL_OFFSET, [1.5 / scale, 1 / scale]);
}

/** Right and down of a viewer who looks from the light. */
function axesOf([x, y, z]: readonly [number, number, number]): [number[], number[]] {
  // Across the direction and y, or x where the light is overhead.
  const across = Math.abs(y) < 0.9 ? [z, 0, -x] : [0, -z, y];
  const length = Math.hypot(...across);
  const right = across.map((v) => v / length);
  const down = [
    -(y * right[2] - z * right[1]),
    -(z * right[0] - x * right[2]),
    -(x * right[1] - y * right[0]),
  ];
  return [right, down];
}

/** From where to where the parts reach along an axis. */
function extent(parts: readonly ScenePart[], [x, y, z]: readonly number[]): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { positions: p } of parts) {
    for (let i = 0; i < p.length; i += 3) {
      const along = p[i] * x + p[i + 1] * y + p[i + 2] * z;
      if (along < low) low = along;
      if (along > high) high = along;
    }
  }
  return low <= high ? [low, high] : [0, 0];
}

/** What a part looks like; its arrays are the renderer's business. */
export function writeMaterial(
  f32: Float32Array,
  i32: Int32Array,
  place: number,
  part: ScenePart,
  texture: number,
): void {
  const { material } = part;
  const put = (offset: number, values: ArrayLike<number>): void => f32.set(values, (place + offset) / 4);
  const { wrap } = material;
  const least = Math.min(...wrap);
  // Skin (.35, .18, .12): shadow^.6 in red is close to .2 shadow + .8 sqrt(shadow), shadow^.9 to .8 and .2.
  const bleed = wrap.map((w) => Math.min(1, 3.5 * (w - least)));
  i32[(place + at.PART_FLAGS) / 4] = flagsOf(material, part.colours !== undefined, bleed);
  i32[(place + at.PART_TEXTURE) / 4] = texture;
  put(at.PART_OPACITY, [material.opacity ?? 1, material.gloss, material.specular, material.fresnel]);
  put(at.PART_COLOUR, material.colour);
  put(at.PART_WRAP, [...wrap, Math.max(...wrap, material.anisotropic ? STRAND_REACH : 0)]);
  put(
    at.PART_WRAP_SCALE,
    wrap.map((w) => 1 / (1 + w) ** 2),
  );
  put(at.PART_BLEED, bleed);
  // Keeps the light in a Blinn-Phong lobe about the same for every exponent.
  put(at.PART_PEAK, [(material.gloss + 8) / 8]);
}

function flagsOf(material: SceneMaterial, colours: boolean, bleed: readonly number[]): number {
  const flags: [boolean, number][] = [
    [material.texture !== undefined, at.FLAG_TEXTURE],
    [colours, at.FLAG_COLOURS],
    [material.doubleSided, at.FLAG_DOUBLE_SIDED],
    [material.specular > 0 || material.fresnel > 0 || material.anisotropic, at.FLAG_SHINES],
    [material.anisotropic, at.FLAG_ANISOTROPIC],
    [material.glossOverAlpha === true && material.mode === 'blend', at.FLAG_GLOSS_OVER_ALPHA],
    [material.mode === 'blend', at.FLAG_BLEND],
    [material.mode === 'cutout', at.FLAG_CUTOUT],
    [material.wrap.some((w) => w > 0), at.FLAG_WRAPS],
    [bleed.some((b) => b > 0), at.FLAG_BLEEDS],
  ];
  return flags.reduce((sum, [on, flag]) => (on ? sum | flag : sum), 0);
}
