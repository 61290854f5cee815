/**
 * The backdrop of a person: a smooth gradient that belongs to the identity, so that a generator can learn it from
 * the latent. What backgrounds draw for each picture (`background.ts`) cannot be learned from anything.
 */

import { stream } from '../../random.ts';
import { latentDirection } from './latent.ts';

/** `varied`: drawn for each picture. `identity`: the person's own, seen by a lens without grain. */
export const BACKDROPS = ['varied', 'identity'] as const;
export type BackdropKind = (typeof BACKDROPS)[number];

/** Brightness, its fall from top to bottom and from left to right, then hue: three numbers for above and below. */
const NUMBERS = 9;
/** A stream that no picture of a set draws from. */
const PURPOSE = 101;

/** [NUMBERS, 128], rows of length 1: a standard normal latent gives standard normal numbers. */
let directions: Float64Array[] | undefined;

function projected(latent: ArrayLike<number>): number[] {
  const z = latentDirection(latent);
  directions ??= Array.from({ length: NUMBERS }, (_, k) => {
    const numbers = stream(0, PURPOSE, k);
    const row = Float64Array.from({ length: z.length }, () => numbers.normal());
    const length = Math.hypot(...row);
    return row.map((value) => value / length);
  });
  return directions.map((row) => row.reduce((sum, value, i) => sum + value * z[i], 0));
}

/** The backdrop of a latent. It changes gently with the latent, and is the same at every size.
 *
 * @returns [size, size, 3] linear light
 */
export function backdropOf(latent: ArrayLike<number>, size: number): Float32Array {
  const [bright, fall, side, ...hue] = projected(latent);
  const brightness = 0.16 + 0.5 / (1 + Math.exp(-1.4 * bright));
  const edges = [0, 1].map((below) =>
    [0, 1, 2].map((c) => 0.07 * hue[3 * below + c] + 0.12 * fall * (1 - 2 * below) + 0.18 * (1 - 2 * below)),
  );
  const out = new Float32Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    const v = (y + 0.5) / size;
    for (let x = 0; x < size; x++) {
      const across = 0.12 * side * ((2 * x + 1) / size - 1);
      for (let c = 0; c < 3; c++) {
        const along = edges[0][c] + v * (edges[1][c] - edges[0][c]);
        out[3 * (y * size + x) + c] = brightness * Math.exp(along + across);
      }
    }
  }
  return out;
}
