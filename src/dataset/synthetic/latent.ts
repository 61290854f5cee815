/**
 * The latent vector of an identity: 128 standard normal numbers, and what each of them means.
 *
 * Only the direction matters: a vector is scaled to length sqrt(128) before anything is read from it, as the
 * mapping network of a generator does with its own z. Choices (hair, garment, ...) are the largest of a block of
 * numbers, after a bias that depends on the numbers before it, so that a network can read them.
 */

import { ShapeError } from '../../errors.ts';

/** Blocks in order: name, how many numbers, what they mean. */
export const LATENT_BLOCKS = [
  ['gender', 1, 'female below 0, male above; a logistic curve of slope 3.5'],
  ['age', 1, 'years, 8 to 80, uniform'],
  ['weight', 1, 'thin to heavy'],
  ['muscle', 1, 'soft to muscular'],
  ['ancestry', 3, 'african, asian, caucasian: shares by softmax of 1.8 times these'],
  ['skinTone', 2, 'lighter or darker, cooler or redder than the mean of the ancestry'],
  ['face', 47, 'one slider each, in the order of FACE_SLIDERS'],
  ['asymmetry', 4, 'eyes, mouth, nose, jaw'],
  ['expression', 6, 'smile, open mouth, eyes, brows, inner brows, lips'],
  ['gaze', 2, 'eyes to the left, eyes up'],
  ['shoulders', 1, 'lifted or lowered'],
  ['hair', 12, 'choice, in the order of HAIR_STYLES'],
  ['hairColour', 3, 'lighter, redder, earlier grey'],
  ['beard', 5, 'choice, in the order of BEARDS; men only'],
  ['brows', 5, 'choice of brow'],
  ['iris', 4, 'choice, in the order of IRISES'],
  ['makeup', 1, 'above 0: lips and eyelids of women'],
  ['garment', 12, 'choice, in the order of GARMENTS'],
  ['garmentColour', 4, 'hue (direction of the first two), saturation, brightness'],
  ['pattern', 3, 'choice: plain, stripes, checks'],
  ['headwear', 4, 'choice, in the order of HEADWEAR; mostly none'],
  ['glasses', 3, 'choice, in the order of GLASSES; mostly none'],
  ['light', 3, 'direction of the key light, contrast, warmth'],
] as const satisfies readonly (readonly [string, number, string])[];

export type LatentBlock = (typeof LATENT_BLOCKS)[number][0];

/** How many numbers an identity has. */
export const LATENT_LENGTH: number = LATENT_BLOCKS.reduce((sum, [, count]) => sum + count, 0);

/** A latent vector scaled to length sqrt(128).
 *
 * @throws ShapeError for a vector of another length, of zeros or with a number that is not finite.
 */
export function latentDirection(latent: ArrayLike<number>): number[] {
  const numbers = Array.from(latent);
  if (numbers.length !== LATENT_LENGTH)
    throw new ShapeError(`an identity has ${LATENT_LENGTH} numbers, not ${numbers.length}`);
  const length = Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0));
  if (!(length > 0 && Number.isFinite(length)))
    throw new ShapeError('an identity has a direction: its numbers are finite and not all zero');
  const scale = Math.sqrt(LATENT_LENGTH) / length;
  return numbers.map((value) => value * scale);
}

/** Reads the numbers of each block from a latent vector.
 *
 * @throws ShapeError as {@link latentDirection}.
 */
export function latentBlocks(latent: ArrayLike<number>): Record<LatentBlock, number[]> {
  const numbers = latentDirection(latent);
  let at = 0;
  const blocks = LATENT_BLOCKS.map(([name, count]) => {
    const from = at;
    at += count;
    return [name, numbers.slice(from, at)];
  });
  return Object.fromEntries(blocks) as Record<LatentBlock, number[]>;
}

/** The position of the largest number, after adding a bias to each. */
export function choice(numbers: readonly number[], bias: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] + bias[i] > numbers[best] + bias[best]) best = i;
  return best;
}

/** Share of standard normals below z (Abramowitz and Stegun 7.1.26; error below 2e-7). */
export function normalShare(z: number): number {
  const t = 1 / (1 + 0.3275911 * (Math.abs(z) / Math.SQRT2));
  const poly =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = (poly * Math.exp((-z * z) / 2)) / 2;
  return z < 0 ? tail : 1 - tail;
}
