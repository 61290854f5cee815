import { describe, expect, test } from 'vitest';
import { frontView, MATTE, randomNumbers, square, WHITE } from '../../../test/scene-support.ts';
import { createSceneRenderer } from './renderer.ts';
import type { SceneMaterial, ScenePart, Vector3 } from './types.ts';

const renderer = await createSceneRenderer();
const glass = (colour: Vector3, opacity: number): SceneMaterial => ({
  ...MATTE,
  mode: 'blend',
  colour,
  opacity,
});

test('layers lie over one another by depth, whatever their order in the scene', () => {
  const layers: [number, Vector3, number][] = [
    [0.3, [1, 0, 0], 0.4],
    [0.1, [0, 1, 0], 0.7],
    [-0.1, [0, 0, 1], 0.5],
  ];
  const parts = layers.map(([z, colour, opacity]) => square(1, z, glass(colour, opacity)));
  const wall = square(2, -0.5, { ...MATTE, colour: [0.5, 0.5, 0.5] });
  const through = 0.6 * 0.3 * 0.5;
  const colour = [0.4 + through / 2, 0.6 * 0.7 + through / 2, 0.6 * 0.3 * 0.5 + through / 2];
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [2, 0, 3, 1],
  ]) {
    const all = [...parts, wall];
    const picture = renderer.render(
      order.map((i) => all[i]),
      WHITE,
      frontView(5, 2),
    );
    for (let k = 0; k < 3; k++) expect(picture.colour[12 * 3 + k]).toBeCloseTo(colour[k], 5);
    expect(picture.alpha[12]).toBeCloseTo(1, 6);
    // The nearest with alpha above a half is the green one.
    expect(picture.part[12]).toBe(order.indexOf(1));
    // Its samples lie .025 beside the axis, at unit depth.
    expect(picture.depth[12]).toBeCloseTo(1.9 * Math.hypot(1, 0.025, 0.025), 5);
  }
  const open = renderer.render(parts, WHITE, frontView(5));
  expect(open.alpha[12]).toBeCloseTo(1 - through, 5);
  const hidden = renderer.render([...parts, square(1, 0.5, MATTE)], WHITE, frontView(5));
  expect(Array.from(hidden.colour.subarray(36, 39), (v) => Math.round(v * 1e5) / 1e5)).toEqual([1, 1, 1]);
});

test('many small layers of several materials equal the sum of the plain formula', () => {
  const random = randomNumbers(3);
  const parts: ScenePart[] = Array.from({ length: 60 }, (_, i) =>
    square(1, (i - 30) / 60, glass([random(), random(), random()], 0.02 + 0.1 * random())),
  );
  const picture = renderer.render(parts, WHITE, frontView(40));
  const truth = [0, 0, 0];
  let through = 1;
  for (const { material } of parts.toReversed()) {
    for (let k = 0; k < 3; k++) truth[k] += through * material.opacity! * material.colour[k];
    through *= 1 - material.opacity!;
  }
  for (let i = 0; i < 1600; i += 7) {
    // What is left behind once less than 1/512 comes through is not drawn.
    for (let k = 0; k < 3; k++) expect(Math.abs(picture.colour[i * 3 + k] - truth[k])).toBeLessThan(2.1e-3);
  }
});

test('blended hair fades where it is seen from its side', () => {
  for (const [cosine, opacity] of [
    [0.1, 0.4],
    [-0.1, 0.4],
    [0.5, 1],
  ]) {
    const part = square(0.5, 0, { ...MATTE, mode: 'blend', anisotropic: true });
    const normals = Float32Array.from(
      { length: 12 },
      (_, i) => [0, Math.sqrt(1 - cosine ** 2), cosine][i % 3],
    );
    // One pixel in the middle: its ray is the axis.
    const { alpha } = renderer.render([{ ...part, normals }], WHITE, frontView(1));
    expect(alpha[0]).toBeCloseTo(opacity, 5);
  }
});

describe('textures', () => {
  const side = 16;
  const checker = Uint8Array.from({ length: side * side * 4 }, (_, i) => {
    const texel = Math.floor(i / 4);
    return i % 4 === 3 || (texel + Math.floor(texel / side)) % 2 === 0 ? 255 : 0;
  });
  const texture = renderer.upload({ width: side, height: side, data: checker });

  test('a texel a sample is read as it is', () => {
    const { colour } = renderer.render([square(0.5, 0, { ...MATTE, texture })], WHITE, frontView(side));
    for (let i = 0; i < side * side; i++)
      expect(colour[i * 3]).toBeCloseTo((i + Math.floor(i / side)) % 2 === 0 ? 1 : 0, 3);
  });

  test('seen small, it is the mean of its light', () => {
    for (const pixels of [8, 4, 1]) {
      const { colour } = renderer.render([square(0.5, 0, { ...MATTE, texture })], WHITE, frontView(pixels));
      for (const value of colour) expect(value).toBeCloseTo(0.5, 2);
    }
  });

  test('is held at its edge, or goes on from the other side', () => {
    const data = Uint8Array.of(0, 0, 0, 255, 255, 255, 255, 255);
    for (const repeat of [false, true]) {
      const stripes = renderer.upload({ width: 2, height: 1, data, repeat });
      const part = {
        ...square(0.5, 0, { ...MATTE, texture: stripes }),
        uvs: Float32Array.of(-2, 0, 2, 0, 2, 1, -2, 1),
      };
      const { colour } = renderer.render([part], WHITE, frontView(8));
      const row = Array.from(colour.subarray(0, 24)).filter((_, i) => i % 3 === 0);
      const round = row.map((value) => Math.round(value * 100) / 100);
      // Samples lie on the middles of texels.
      expect(round).toEqual(
        repeat ? [0, 1, 0, 1, 0, 1, 0, 1] : [0, 0, 0, 0, 0, 1, 1, 1].map((v, i) => (i === 4 ? 0 : v)),
      );
      renderer.free(stripes);
    }
  });

  test('what is transparent lends no colour to smaller levels', () => {
    const data = Uint8Array.from({ length: 64 }, (_, i) => {
      const solid = Math.floor(i / 4) % 2 === 0;
      return [solid ? 200 : 0, solid ? 100 : 255, 50, solid ? 255 : 0][i % 4];
    });
    const mixed = renderer.upload({ width: 4, height: 4, data });
    const material: SceneMaterial = { ...MATTE, texture: mixed, mode: 'blend' };
    const { colour, alpha } = renderer.render([square(0.5, 0, material)], WHITE, frontView(2));
    expect(alpha[0]).toBeCloseTo(0.5, 2);
    expect(colour[0] / alpha[0]).toBeCloseTo(((200 / 255 + 0.055) / 1.055) ** 2.4, 2);
    expect(colour[1] / alpha[0]).toBeCloseTo(((100 / 255 + 0.055) / 1.055) ** 2.4, 2);
  });

  test('cutouts have holes where alpha is below a half', () => {
    const data = Uint8Array.of(255, 0, 0, 100, 0, 255, 0, 200);
    const half = renderer.upload({ width: 2, height: 1, data });
    const part = square(0.5, 0, { ...MATTE, texture: half, mode: 'cutout' });
    const { alpha, part: seen } = renderer.render([part, square(0.5, -0.4, MATTE)], WHITE, frontView(64));
    expect(alpha[32 * 64 + 32]).toBe(1);
    expect(seen[32 * 64 + 15]).toBe(1);
    expect(seen[32 * 64 + 60]).toBe(0);
    const alone = renderer.render([part], WHITE, frontView(64));
    expect(alone.alpha[32 * 64 + 5]).toBe(0);
    // From 100 to 200 over half the width: 127.5 a little past a quarter of it.
    expect(seen.subarray(32 * 64, 33 * 64).indexOf(0)).toBe(25);
  });
});

test('the same scene gives the same bytes, in every instance', async () => {
  const random = randomNumbers(9);
  const data = Uint8Array.from({ length: 33 * 21 * 4 }, () => 256 * random());
  const draw = (of: typeof renderer) => {
    const texture = of.upload({ width: 33, height: 21, data });
    const material: SceneMaterial = {
      ...glass([1, 0.9, 0.8], 0.9),
      texture,
      specular: 0.1,
      anisotropic: true,
    };
    const parts = [
      square(0.3, 0.2, material),
      square(0.4, 0, { ...material, mode: 'cutout' }),
      square(0.6, -0.3, MATTE),
    ];
    const light = { direction: [0.6, 0, 0.8], colour: [1, 1, 1], shadow: true } as const;
    return of.render(parts, { ...WHITE, lights: [light] }, frontView(50, 3));
  };
  const first = draw(renderer);
  expect(draw(renderer)).toEqual(first);
  expect(draw(await createSceneRenderer())).toEqual(first);
});
