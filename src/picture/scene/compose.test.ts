import { describe, expect, test } from 'vitest';
import { frontView, MATTE, randomNumbers, square, WHITE } from '../../../test/scene-support.ts';
import { srgbByte } from '../shade.ts';
import { createSceneRenderer } from './renderer.ts';
import type { Composition, LayerMode, TextureHandle } from './types.ts';

const renderer = await createSceneRenderer();
const random = randomNumbers(11);
const [width, height] = [16, 16];

function image(w = width, h = height): { data: Uint8Array; handle: TextureHandle } {
  const data = Uint8Array.from({ length: w * h * 4 }, (_, i) => (i % 4 === 3 ? 255 : 256 * random()));
  return { data, handle: renderer.upload({ width: w, height: h, data }) };
}

/** The bytes of a texture, by looking at it. */
function bytesOf(texture: TextureHandle): number[] {
  const { colour } = renderer.render([square(0.5, 0, { ...MATTE, texture })], WHITE, frontView(width));
  return Array.from(colour, srgbByte);
}

const [a, b, mask] = [image(), image(), image()];
const held = (value: number): number => Math.min(255, Math.max(0, value));
const luma = (c: readonly number[]): number => 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];

function plain(mode: LayerMode | undefined, texel: number): number[] {
  const gain = [1.1, 1, 0.8];
  const before = [0, 1, 2].map((k) =>
    held((0.7 * a.data[texel * 4 + k] + 0.4 * b.data[texel * 4 + k]) * gain[k]),
  );
  if (mode === undefined) return before;
  const colour = [200, 80, 90];
  const m = (mask.data[texel * 4 + 1] / 255) * 0.6;
  const after = {
    mix: colour,
    multiply: before.map((value, k) => (value * colour[k]) / 255),
    luminance: colour.map((value) => (value * luma(before)) / luma(colour)),
  }[mode];
  return before.map((value, k) => held(value + m * (after[k] - value)));
}

function composition(mode: LayerMode | undefined): Composition {
  return {
    width,
    height,
    sources: [
      { handle: a.handle, weight: 0.7 },
      { handle: b.handle, weight: 0.4 },
    ],
    gain: [1.1, 1, 0.8],
    layers:
      mode === undefined
        ? []
        : [{ mask: mask.handle, channel: 1, colour: [200, 80, 90], strength: 0.6, mode }],
  };
}

describe('textures made of others', () => {
  for (const mode of [undefined, 'mix', 'multiply', 'luminance'] as const)
    test(`${mode ?? 'no layer'}: plain arithmetic on bytes`, () => {
      const made = renderer.compose(composition(mode));
      expect([made.width, made.height]).toEqual([width, height]);
      const bytes = bytesOf(made);
      for (let texel = 0; texel < width * height; texel++) {
        const truth = plain(mode, texel);
        // Half a step of rounding, half a step of looking.
        for (let k = 0; k < 3; k++) expect(Math.abs(bytes[texel * 3 + k] - truth[k])).toBeLessThan(1.01);
      }
      renderer.free(made);
    });

  test('a mask of another size is stretched', () => {
    const ramp = renderer.upload({ width: 2, height: 1, data: Uint8Array.of(0, 0, 0, 255, 255, 0, 0, 255) });
    const white = renderer.upload({ width, height, data: new Uint8Array(width * height * 4).fill(255) });
    const made = renderer.compose({
      ...{ width, height, sources: [{ handle: white, weight: 1 }], gain: [1, 1, 1] },
      layers: [{ mask: ramp, channel: 0, colour: [0, 0, 0], strength: 1, mode: 'mix' }],
    });
    const bytes = bytesOf(made);
    for (let x = 0; x < width; x++) {
      const share = Math.min(1, Math.max(0, ((x + 0.5) / width) * 2 - 0.5));
      expect(Math.abs(bytes[(5 * width + x) * 3] - 255 * (1 - share))).toBeLessThan(1.01);
    }
  });

  test('refuses what cannot be', () => {
    const good = composition('mix');
    const small = image(8, 8).handle;
    expect(() => renderer.compose({ ...good, sources: [] })).toThrow('compose: 1 to 8 sources, not 0');
    expect(() => renderer.compose({ ...good, sources: [{ handle: small, weight: 1 }] })).toThrow(
      'compose: source 0 is 8 x 8 but the texture is 16 x 16',
    );
    expect(() => renderer.compose({ ...good, gain: [1, Number.NaN, 1] })).toThrow('finite');
    expect(() => renderer.compose({ ...good, layers: [{ ...good.layers[0], strength: 2 }] })).toThrow(
      'strength',
    );
    renderer.free(small);
    expect(() => renderer.compose({ ...good, layers: [{ ...good.layers[0], mask: small }] })).toThrow(
      'was freed',
    );
  });
});
