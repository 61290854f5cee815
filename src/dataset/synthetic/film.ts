/** From linear light to an 8-bit picture: background, a slightly soft lens, a shoulder for the bright parts, grain. */

import type { Stream } from '../../random.ts';

/** Bright light is rolled off as (1 - exp(-EXPOSURE x))^CONTRAST. */
const EXPOSURE = 1.35;
const CONTRAST = 1.2;

/** sRGB value (0 to 255, not rounded) of light on the film, after the roll-off; finer than a byte. */
const STEPS = 8192;
const LONGEST = 6;
const TONE = Float32Array.from({ length: STEPS + 1 }, (_, i) => {
  const v = (1 - Math.exp((-EXPOSURE * i * LONGEST) / STEPS)) ** CONTRAST;
  return 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
});

/** Normal numbers, used again from another place in each row. */
const GRAIN = 4096;

/** How much a pixel takes from each neighbour, and the grain. */
export interface Film {
  readonly softness: number;
  /** None for no grain. */
  readonly grain?: {
    readonly values: Float32Array;
    readonly strength: number;
    readonly uniform: () => number;
  };
}

/** The same for all pictures: nothing in it that a network could not learn. */
export const STEADY_FILM: Film = { softness: 0.05 };

/** A film of a picture's own. It draws as it is developed. */
export function variedFilm(own: Stream): Film {
  const softness = 0.03 + 0.09 * own.uniform();
  const values = Float32Array.from({ length: GRAIN }, () => own.normal());
  return { softness, grain: { values, strength: 0.4 + 1.1 * own.uniform(), uniform: own.uniform } };
}

/** Develops a picture.
 *
 * @param colour     [size, size, 3] linear light, multiplied by `alpha`
 * @param alpha      [size, size]
 * @param background [size, size, 3] linear light
 * @returns          [size, size, 3] sRGB bytes
 */
export function develop(
  colour: Float32Array,
  alpha: Float32Array,
  background: Float32Array,
  size: number,
  { softness, grain }: Film,
): Uint8Array {
  const light = new Float32Array(colour.length);
  for (let i = 0; i < alpha.length; i++) {
    const rest = 1 - alpha[i];
    for (let c = 3 * i; c < 3 * i + 3; c++) light[c] = colour[c] + rest * background[c];
  }
  saturate(light);
  soften(light, size, softness);
  const out = new Uint8Array(colour.length);
  let next = 0;
  for (let i = 0; i < out.length; i++) {
    const at = Math.min(LONGEST, light[i]) * (STEPS / LONGEST);
    let value = TONE[Math.floor(at)];
    if (grain !== undefined) {
      if (i % (3 * size) === 0) next = Math.floor(grain.uniform() * GRAIN);
      value += grain.strength * grain.values[next];
      next = (next + 1) % GRAIN;
    }
    out[i] = Math.max(0, Math.min(255, Math.round(value)));
  }
  return out;
}

/** How much more colour than the light has: film is never neutral. */
const SATURATION = 1.15;

function saturate(light: Float32Array): void {
  for (let i = 0; i < light.length; i += 3) {
    const grey = 0.2126 * light[i] + 0.7152 * light[i + 1] + 0.0722 * light[i + 2];
    for (let c = i; c < i + 3; c++) light[c] = Math.max(0, grey + SATURATION * (light[c] - grey));
  }
}

/** Each pixel shares with its neighbours across, then down. */
function soften(light: Float32Array, size: number, share: number): void {
  const keep = 1 - 2 * share;
  const line = new Float32Array(3 * size);
  for (let y = 0; y < size; y++) {
    const row = light.subarray(3 * size * y, 3 * size * (y + 1));
    line.set(row);
    for (let i = 3; i < row.length - 3; i++) row[i] = keep * line[i] + share * (line[i - 3] + line[i + 3]);
  }
  let above = light.slice(0, 3 * size);
  for (let y = 1; y < size - 1; y++) {
    const row = light.subarray(3 * size * y, 3 * size * (y + 1));
    const below = light.subarray(3 * size * (y + 1), 3 * size * (y + 2));
    const before = row.slice();
    for (let i = 0; i < row.length; i++) row[i] = keep * row[i] + share * (above[i] + below[i]);
    above = before;
  }
}
