import { describe, expect, test } from 'vitest';
import {
  DARK,
  frontView,
  MATTE,
  randomNumbers,
  square,
  unitVector,
  WHITE,
} from '../../../test/scene-support.ts';
import { createSceneRenderer } from './renderer.ts';
import type { DirectionalLight, Lighting, SceneMaterial, ScenePart, Vector3 } from './types.ts';

const renderer = await createSceneRenderer();
const SIDE = 24;

const dot = (a: readonly number[], b: readonly number[]): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const normalise = (a: readonly number[]): number[] => a.map((v) => v / Math.sqrt(dot(a, a)));
const clamp = (v: number): number => Math.min(1, Math.max(0, v));

/** Ramamoorthi and Hanrahan's irradiance, equation 13, divided by pi. */
function reflected(sh: Float32Array, [x, y, z]: readonly number[], c: number): number {
  const l = (i: number): number => sh[i * 3 + c];
  const [c1, c2, c3, c4, c5] = [0.429043, 0.511664, 0.743125, 0.886227, 0.247708];
  const sum =
    c1 * l(8) * (x * x - y * y) +
    c3 * l(6) * z * z +
    c4 * l(0) -
    c5 * l(6) +
    2 * c1 * (l(4) * x * y + l(7) * x * z + l(5) * y * z) +
    2 * c2 * (l(3) * x + l(1) * y + l(2) * z);
  return Math.max(0, sum / Math.PI);
}

function radiance(sh: Float32Array, [x, y, z]: readonly number[], c: number): number {
  const basis = [
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
  return Math.max(
    0,
    basis.reduce((sum, value, i) => sum + value * sh[i * 3 + c], 0),
  );
}

/** What one point of a square at z = 0 sends to the camera. */
function expected(
  material: SceneMaterial,
  { environment, lights }: Lighting,
  normal: readonly number[],
  view: readonly number[],
  open: number,
  tint: readonly number[],
  c: number,
): number {
  let n = normalise(normal);
  if (dot(n, view) < 0) n = n.map((v) => -v);
  const nv = dot(n, view);
  const albedo = material.colour[c] * tint[c];
  const mirror = n.map((v, i) => 2 * nv * v - view[i]);
  let sum = albedo * reflected(environment, n, c) * open;
  const shines = material.specular > 0 || material.fresnel > 0 || material.anisotropic;
  if (shines)
    sum +=
      (material.specular + material.fresnel * (1 - clamp(nv)) ** 5) * open * radiance(environment, mirror, c);
  for (const { direction, colour } of lights) {
    const cosine = dot(n, direction);
    const w = material.wrap[c];
    sum += colour[c] * albedo * (Math.max(0, cosine + w) / (1 + w) ** 2) * (1 - w * (1 - open));
    if (!shines) continue;
    const h = normalise(direction.map((v, i) => v + view[i]));
    const nh = clamp(dot(n, h));
    if (material.anisotropic) {
      const lobe = (shift: number, gloss: number): number => {
        const t = normalise([0 + shift * n[0], -1 + shift * n[1], shift * n[2]]);
        const th = (dot([0, -1, 0], h) + shift * nh) / Math.sqrt(1 + shift * shift);
        return Math.max(0, 1 - th * th + 0 * t[0]) ** (gloss / 2);
      };
      const facing = clamp((cosine + 0.25) * 0.8);
      sum += colour[c] * facing * (lobe(0.08, material.gloss) * material.specular);
      sum += colour[c] * facing * lobe(-0.12, material.gloss / 4) * 0.35 * albedo;
    } else {
      const f = material.specular + material.fresnel * (1 - clamp(dot(view, h))) ** 5;
      sum += colour[c] * f * nh ** material.gloss * ((material.gloss + 8) / 8) * Math.max(0, cosine);
    }
  }
  return sum;
}

const random = randomNumbers(5);
const lights: DirectionalLight[] = [
  { direction: unitVector(0.4, 0.5, 0.8), colour: [1, 0.9, 0.7], shadow: false },
  { direction: unitVector(-0.9, 0.1, -0.2), colour: [0.2, 0.3, 0.5], shadow: false },
];
const environment = Float32Array.from({ length: 27 }, (_, i) => (i < 3 ? 2.5 : 0) + random() - 0.5);

/** A square with a normal, an occlusion and a colour of its own at each corner. */
function painted(material: SceneMaterial): ScenePart {
  return {
    ...square(0.6, 0, material),
    normals: Float32Array.of(-0.6, 0.5, 1, 0.5, 0.6, 0.9, 0.8, -0.4, 0.7, -0.5, -0.5, 1),
    occlusion: Float32Array.of(0.2, 0.9, 0.6, 1),
    colours: Float32Array.of(1, 0.5, 0.2, 1, 0.3, 1, 0.9, 1, 0.6, 0.6, 1, 1, 0.2, 0.9, 0.4, 1),
  };
}

/** Attributes of a square's corners at a place on it. */
function at(values: ArrayLike<number>, size: number, x: number, y: number): number[] {
  // Triangles 0 2 1 and 0 3 2: which one, and the weights there.
  const [u, v] = [(x + 0.6) / 1.2, (0.6 - y) / 1.2];
  const weights = u > v ? [1 - u, u - v, v, 0] : [1 - v, 0, u, v - u];
  return Array.from({ length: size }, (_, k) =>
    weights.reduce((sum, w, i) => sum + w * values[i * size + k], 0),
  );
}

function worst(material: SceneMaterial): number {
  const part = painted(material);
  const lighting = { environment, lights };
  const { colour } = renderer.render([part], lighting, frontView(SIDE));
  let error = 0;
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [x, y] = [((i % SIDE) + 0.5) / SIDE - 0.5, 0.5 - (Math.floor(i / SIDE) + 0.5) / SIDE];
    const view = normalise([-x, -y, 2]);
    for (let c = 0; c < 3; c++) {
      const truth = expected(
        material,
        lighting,
        at(part.normals, 3, x, y),
        view,
        at(part.occlusion!, 1, x, y)[0],
        at(part.colours!, 4, x, y),
        c,
      );
      error = Math.max(error, Math.abs(colour[i * 3 + c] - truth) / Math.max(0.05, truth));
    }
  }
  return error;
}

describe('light that a surface sends', () => {
  const skin: SceneMaterial = { ...MATTE, colour: [0.8, 0.6, 0.5], wrap: [0.35, 0.18, 0.12] };
  for (const [name, material, tolerance] of [
    // Measured: 3.2e-7, 4.4e-7, 1.1e-4, 4.8e-5; the last two by the polynomials of the power.
    ['matte', MATTE, 2e-6],
    ['skin without shine', skin, 2e-6],
    ['skin', { ...skin, specular: 0.04, gloss: 40, fresnel: 0.4 }, 4e-4],
    ['hair', { ...MATTE, wrap: [0.2, 0.2, 0.2], specular: 0.1, gloss: 60, anisotropic: true }, 4e-4],
  ] as const)
    test(`${name}: the plain formula`, () => {
      expect(worst(material)).toBeLessThan(tolerance);
    });

  test('wrapped light is as much as Lambert light', () => {
    for (const w of [0.2, 0.5, 1]) {
      let sum = 0;
      for (let i = 0; i < 10_000; i++)
        sum += Math.max(0, (2 * (i + 0.5)) / 10_000 - 1 + w) / (1 + w) ** 2 / 5000;
      expect(sum).toBeCloseTo(0.5, 5);
    }
  });

  test('a white room makes a white surface 1 whichever way it faces', () => {
    const { colour } = renderer.render([painted({ ...MATTE })], WHITE, frontView(8));
    const part = painted(MATTE);
    for (let i = 0; i < 64; i++) {
      const [x, y] = [((i % 8) + 0.5) / 8 - 0.5, 0.5 - (Math.floor(i / 8) + 0.5) / 8];
      expect(colour[i * 3]).toBeCloseTo(at(part.occlusion!, 1, x, y)[0] * at(part.colours!, 4, x, y)[0], 5);
    }
  });

  test('an inner side is lit as if its normal were turned round', () => {
    const front = square(0.6, 0, MATTE);
    const turned = { ...front, normals: front.normals.map((v) => -v), indices: front.indices.toReversed() };
    const lighting = {
      environment: DARK,
      lights: [{ direction: [0, 0, 1], colour: [1, 1, 1], shadow: false } as const],
    };
    for (const part of [front, turned])
      expect(renderer.render([part], lighting, frontView(4)).colour.every((value) => value === 1)).toBe(true);
  });

  test('a highlight over alpha 0 adds light and covers nothing', () => {
    const light: DirectionalLight = { direction: [0, 0, 1], colour: [2, 2, 2], shadow: false };
    const cornea: SceneMaterial = { ...MATTE, mode: 'blend', opacity: 0, specular: 0.05, gloss: 200 };
    const lighting = { environment: DARK, lights: [light] };
    const without = renderer.render([square(1, 0, cornea)], lighting, frontView(16));
    expect(without.colour.every((value) => value === 0)).toBe(true);
    const wet = renderer.render([square(1, 0, { ...cornea, glossOverAlpha: true })], lighting, frontView(16));
    expect(Math.max(...wet.colour)).toBeGreaterThan(1);
    expect(wet.alpha.every((value) => value === 0)).toBe(true);
    expect(wet.depth.every((value) => value === Infinity)).toBe(true);
  });
});

describe('shadows', () => {
  const direction = unitVector(0.5, 0, 1);
  const sun = (more: Partial<DirectionalLight> = {}): Lighting => ({
    environment: DARK,
    lights: [{ direction, colour: [1, 1, 1], shadow: true, ...more }],
  });
  const screen = (mode: SceneMaterial = MATTE): ScenePart => square(0.15, 0.2, mode);
  const wall = square(0.6, -0.1, MATTE);
  const tone = (lighting: Lighting, parts: readonly ScenePart[], x: number, y = 0): number => {
    const view = frontView(65, 1, 2, 1.6);
    const { colour } = renderer.render(parts, lighting, view);
    // Where (x, y, -.1) of the wall is on the picture.
    const column = Math.floor((0.5 + (1.6 * x) / 2.1) * 65);
    return colour[(Math.floor((0.5 - (1.6 * y) / 2.1) * 65) * 65 + column) * 3];
  };

  test('fall along the light, and nothing shades itself', () => {
    const parts = [wall, screen()];
    // Thrown by .3 / 2 to the left: from -.3 to 0.
    expect(tone(sun(), parts, -0.27)).toBe(0);
    expect(tone(sun(), parts, -0.4)).toBeCloseTo(direction[2], 5);
    expect(tone(sun(), parts, 0.35)).toBeCloseTo(direction[2], 5);
    expect(tone(sun(), parts, -0.2, 0.3)).toBeCloseTo(direction[2], 5);
    expect(tone(sun({ shadow: false }), parts, -0.27)).toBeCloseTo(direction[2], 5);
    const { colour, alpha } = renderer.render([wall], sun(), frontView(33, 1, 2, 1.6));
    colour.forEach((value, i) => {
      if (alpha[Math.floor(i / 3)] === 1) expect(value).toBeCloseTo(direction[2], 5);
    });
  });

  test('are softer for a larger light, and not cast by what casts none or is not there', () => {
    const grey = (softness: number): number => {
      const { colour } = renderer.render([wall, screen()], sun({ softness }), frontView(129, 1, 2, 1.6));
      const row = colour.filter((_, i) => i % 3 === 0 && Math.floor(i / 3 / 129) === 64);
      return row.filter((value) => value > 0.05 && value < 0.8).length;
    };
    expect(grey(0.25)).toBeGreaterThan(grey(0.03) + 2);
    expect(tone(sun(), [wall, { ...screen(), castsShadow: false }], -0.27)).toBeCloseTo(direction[2], 5);
    const thin: SceneMaterial = { ...MATTE, mode: 'blend', opacity: 0.3 };
    expect(tone(sun(), [wall, screen(thin)], -0.27)).toBeCloseTo(direction[2], 5);
    const clear = renderer.upload({ width: 1, height: 1, data: Uint8Array.of(255, 255, 255, 0) });
    for (const mode of ['blend', 'cutout'] as const)
      expect(tone(sun(), [wall, screen({ ...MATTE, mode, texture: clear })], -0.27)).toBeCloseTo(
        direction[2],
        5,
      );
  });

  test('bleed red on skin', () => {
    const wrap: Vector3 = [0.35, 0.18, 0.12];
    const skin = { ...wall, material: { ...MATTE, wrap } };
    const { colour } = renderer.render([skin, screen()], sun({ softness: 0.25 }), frontView(129, 1, 2, 1.6));
    let reddest = 0;
    const lit = [0, 1, 2].map((c) => (direction[2] + wrap[c]) / (1 + wrap[c]) ** 2);
    for (let x = 0; x < 129; x++) {
      const [r, , b] = [0, 1, 2].map((c) => colour[(64 * 129 + x) * 3 + c] / lit[c]);
      expect(r).toBeGreaterThanOrEqual(b - 1e-5);
      reddest = Math.max(reddest, r - b);
    }
    expect(reddest).toBeGreaterThan(0.1);
  });
});
