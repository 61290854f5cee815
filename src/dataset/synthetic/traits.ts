/** What a latent says about a person: a plain description, before any geometry. */

import { ANCESTRIES, type Ancestry } from './assets.ts';
import { type Expression, expressionOf } from './expression.ts';
import { choice, latentBlocks, normalShare } from './latent.ts';
import type { Build } from './macro.ts';

export const HAIR_STYLES = [
  'bob02',
  'braid01',
  'long01',
  'ponytail01',
  'short01',
  'short02',
  'short03',
  'short04',
  'shaved',
  'buzz',
  'curls',
  'afro',
] as const;
export type HairStyle = (typeof HAIR_STYLES)[number];
export const BEARDS = ['none', 'stubble', 'moustache', 'goatee', 'full'] as const;
export type Beard = (typeof BEARDS)[number];
export const BROWS = ['eyebrow001', 'eyebrow004', 'eyebrow006', 'eyebrow009', 'eyebrow011'] as const;
export const IRISES = ['eye-brown', 'eye-brownlight', 'eye-green', 'eye-blue'] as const;
export const GARMENTS = [
  'female_casualsuit01',
  'female_casualsuit02',
  'female_elegantsuit01',
  'female_sportsuit01',
  'male_casualsuit01',
  'male_casualsuit02',
  'male_casualsuit03',
  'male_casualsuit04',
  'male_casualsuit05',
  'male_casualsuit06',
  'male_elegantsuit01',
  'male_worksuit01',
] as const;
export const PATTERNS = ['plain', 'stripes', 'checks'] as const;
export const HEADWEAR = ['none', 'beanie', 'cap', 'fedora'] as const;
export const GLASSES = ['none', 'round', 'square'] as const;

/** Linear light, red, green, blue. */
export type Linear = readonly [number, number, number];

export interface Traits extends Build {
  /** multiplies the skin's colour */
  readonly skinGain: Linear;
  readonly face: readonly number[];
  readonly asymmetry: readonly number[];
  readonly expression: Expression;
  /** radians: to the person's left, up */
  readonly gaze: readonly [number, number];
  /** radians by which the collar bones rise */
  readonly shoulders: number;
  readonly hair: HairStyle;
  readonly hairColour: Linear;
  /** 0 to 1 */
  readonly grey: number;
  readonly beard: Beard;
  readonly brow: (typeof BROWS)[number];
  readonly iris: (typeof IRISES)[number];
  /** 0 to 1 */
  readonly makeup: number;
  readonly garment: (typeof GARMENTS)[number];
  readonly garmentColour: Linear;
  readonly pattern: (typeof PATTERNS)[number];
  readonly headwear: (typeof HEADWEAR)[number];
  readonly glasses: (typeof GLASSES)[number];
  /** standard normals: direction, contrast, warmth */
  readonly light: readonly number[];
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const ramp = (value: number, from: number, to: number): number => clamp((value - from) / (to - from), 0, 1);

/** Describes the person of a latent vector; see `latent.ts` for its numbers. */
export function traitsOf(latent: ArrayLike<number>): Traits {
  const z = latentBlocks(latent);
  const gender = 1 / (1 + Math.exp(-3.5 * z.gender[0]));
  const age = 8 + 72 * normalShare(z.age[0]);
  const exponentials = z.ancestry.map((value) => Math.exp(1.8 * value));
  const total = exponentials.reduce((a, b) => a + b, 0);
  const ancestry = Object.fromEntries(ANCESTRIES.map((name, i) => [name, exponentials[i] / total])) as Record<
    Ancestry,
    number
  >;
  const tone = Math.exp(clamp(0.12 * z.skinTone[0] - 0.02, -0.35, 0.1));
  const red = 0.035 * z.skinTone[1];
  const { colour: hairColour, grey } = hairColourOf(z.hairColour, age, ancestry);
  const headwear = HEADWEAR[choice(z.headwear, [2, 0, 0, 0])];
  const man = 4 * gender - 2;
  return {
    gender,
    age,
    weight: clamp(0.5 + 0.17 * z.weight[0], 0.08, 0.95),
    muscle: clamp(0.5 + 0.15 * z.muscle[0], 0.1, 0.9),
    ancestry,
    skinGain: [tone * (1 + red), tone, tone * (1 - red)],
    face: z.face,
    asymmetry: z.asymmetry,
    expression: expressionOf(z.expression),
    gaze: [clamp(0.12 * z.gaze[0], -0.3, 0.3), clamp(0.06 * z.gaze[1], -0.12, 0.12)],
    shoulders: clamp(0.05 * z.shoulders[0], -0.1, 0.12),
    hair: hairOf(z.hair, gender, age, ancestry, headwear !== 'none'),
    hairColour,
    grey,
    beard: BEARDS[choice(z.beard, beardBias(gender, age))],
    brow: BROWS[choice(z.brows, [0, 0, 0, 0, 0])],
    iris: IRISES[choice(z.iris, irisBias(ancestry))],
    makeup: (1 - gender) * ramp(age, 14, 20) * clamp(0.4 * z.makeup[0] + 0.2, 0, 1),
    garment:
      GARMENTS[
        choice(
          z.garment,
          GARMENTS.map((name) => garmentBias(name, man)),
        )
      ],
    garmentColour: garmentColourOf(z.garmentColour),
    pattern: PATTERNS[choice(z.pattern, [0.8, 0, 0])],
    headwear,
    glasses: GLASSES[choice(z.glasses, [1.1 - 0.4 * ramp(age, 40, 70), 0, 0])],
    light: z.light,
  };
}

function hairOf(
  z: readonly number[],
  gender: number,
  age: number,
  ancestry: Readonly<Record<Ancestry, number>>,
  hat: boolean,
): HairStyle {
  const man = 4 * gender - 2;
  const bias: Record<HairStyle, number> = {
    bob02: -man,
    braid01: -man,
    long01: 0.3 - man,
    ponytail01: -man,
    short01: man,
    short02: man,
    short03: -0.2 - 0.4 * man,
    short04: man,
    shaved: 0.8 * man - 0.6 + ramp(age, 45, 75),
    buzz: 0.8 * man - 0.4,
    curls: -0.2,
    afro: 2.5 * ancestry.african - 1.5,
  };
  // Under a hat only what lies close to the head.
  const flat: readonly HairStyle[] = ['long01', 'shaved', 'buzz', 'short04', 'braid01'];
  return HAIR_STYLES[
    choice(
      z,
      HAIR_STYLES.map((name) => bias[name] - (hat && !flat.includes(name) ? 100 : 0)),
    )
  ];
}

function beardBias(gender: number, age: number): number[] {
  const none = gender > 0.6 && age > 19 ? 0.3 : 100;
  return [none, 0.2, -0.4, -0.2, 0];
}

function irisBias({ caucasian }: Readonly<Record<Ancestry, number>>): number[] {
  return [2.2 - 1.8 * caucasian, 0.5, caucasian - 1, 1.2 * caucasian - 1.2];
}

function garmentBias(name: string, man: number): number {
  return name.startsWith('female') ? -man : man;
}

/** Linear colours from black to platinum. */
const HAIR_RAMP: readonly Linear[] = [
  [0.012, 0.01, 0.009],
  [0.03, 0.019, 0.013],
  [0.085, 0.048, 0.028],
  [0.19, 0.115, 0.063],
  [0.42, 0.29, 0.155],
  [0.62, 0.5, 0.34],
];
const COPPER: Linear = [0.33, 0.085, 0.025];

function hairColourOf(
  z: readonly number[],
  age: number,
  { caucasian }: Readonly<Record<Ancestry, number>>,
): { colour: Linear; grey: number } {
  const lightness = normalShare(z[0]) * (0.22 + 0.78 * caucasian ** 1.5) * (HAIR_RAMP.length - 1);
  const step = Math.min(HAIR_RAMP.length - 2, Math.floor(lightness));
  const natural = mix(HAIR_RAMP[step], HAIR_RAMP[step + 1], lightness - step);
  const copper = 0.85 * caucasian * ramp(z[1], 0.9, 1.8);
  const grey = ramp(age + 9 * z[2], 52, 86);
  const white = 0.3 + 0.35 * ramp(age, 50, 80);
  return { colour: mix(mix(natural, COPPER, copper), [white, white * 0.99, white * 0.96], grey), grey };
}

function mix(a: Linear, b: Linear, t: number): Linear {
  return [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2])];
}

/** Hue from the direction of two numbers, so that the circle of colours has no seam. */
function garmentColourOf(z: readonly number[]): Linear {
  const hue = Math.atan2(z[1], z[0]);
  const saturation = 0.85 * normalShare(z[2]) ** 1.4;
  const value = 0.02 + 0.75 * normalShare(z[3]) ** 2;
  const channel = (shift: number): number =>
    value * (1 - saturation + saturation * (0.5 + 0.5 * Math.cos(hue + shift)));
  return [channel(0), channel((-2 * Math.PI) / 3), channel((2 * Math.PI) / 3)];
}
