import { expect, test } from 'vitest';
import { choice, LATENT_BLOCKS, LATENT_LENGTH, latentBlocks, normalShare } from './latent.ts';
import { latentOf } from './set.ts';
import { FACE_SLIDERS } from './sliders.ts';
import {
  BEARDS,
  BROWS,
  GARMENTS,
  GLASSES,
  HAIR_STYLES,
  HEADWEAR,
  IRISES,
  PATTERNS,
  traitsOf,
} from './traits.ts';

test('has 128 numbers, as many in each block as there are things to say', () => {
  const counts = Object.fromEntries(LATENT_BLOCKS.map(([name, count]) => [name, count]));
  expect(LATENT_LENGTH).toBe(128);
  expect(counts).toMatchObject({
    face: FACE_SLIDERS.length,
    hair: HAIR_STYLES.length,
    beard: BEARDS.length,
    brows: BROWS.length,
    iris: IRISES.length,
    garment: GARMENTS.length,
    pattern: PATTERNS.length,
    headwear: HEADWEAR.length,
    glasses: GLASSES.length,
  });
});

test('only its direction matters', () => {
  const latent = latentOf(1, 2);
  const traits = traitsOf(latent);
  const longer = traitsOf(latent.map((value) => 3 * value));
  expect(longer.hair).toBe(traits.hair);
  expect(longer.age).toBeCloseTo(traits.age, 10);
  expect(longer.face.every((value, i) => Math.abs(value - traits.face[i]) < 1e-12)).toBe(true);
});

test('small steps make small changes', () => {
  const latent = latentOf(1, 3);
  const traits = traitsOf(latent);
  const near = traitsOf(latent.map((value, i) => value + 1e-4 * Math.sin(i)));
  for (const name of ['gender', 'age', 'weight', 'muscle'] as const)
    expect(Math.abs(near[name] - traits[name])).toBeLessThan(0.02);
  for (const name of ['hairColour', 'garmentColour', 'skinGain'] as const)
    for (const k of [0, 1, 2]) expect(Math.abs(near[name][k] - traits[name][k])).toBeLessThan(1e-3);
});

test('every choice is taken, and nobody without a chin to grow it has a beard', () => {
  const people = Array.from({ length: 3000 }, (_, i) => traitsOf(latentOf(9, i)));
  const taken = (pick: (person: (typeof people)[number]) => string): string[] =>
    [...new Set(people.map(pick))].sort();
  expect(taken(({ hair }) => hair)).toEqual([...HAIR_STYLES].sort());
  expect(taken(({ beard }) => beard)).toEqual([...BEARDS].sort());
  expect(taken(({ garment }) => garment)).toEqual([...GARMENTS].sort());
  expect(taken(({ headwear }) => headwear)).toEqual([...HEADWEAR].sort());
  expect(taken(({ glasses }) => glasses)).toEqual([...GLASSES].sort());
  for (const { beard, gender, age } of people)
    if (beard !== 'none') expect(gender > 0.6 && age > 19).toBe(true);
});

test('refuses vectors that are none', () => {
  expect(() => latentBlocks([1, 2])).toThrow('an identity has 128 numbers, not 2');
  expect(() => latentBlocks(new Array(128).fill(0))).toThrow('finite and not all zero');
  expect(() => latentBlocks(new Array(128).fill(Number.NaN))).toThrow('finite and not all zero');
});

test('shares of the normal distribution, and the largest of a block', () => {
  for (const [z, share] of [
    [0, 0.5],
    [1, 0.8413447],
    [-2, 0.0227501],
  ])
    expect(normalShare(z)).toBeCloseTo(share, 6);
  expect(choice([1, 3, 2], [0, 0, 0])).toBe(1);
  expect(choice([1, 3, 2], [0, 0, 1.5])).toBe(2);
});
