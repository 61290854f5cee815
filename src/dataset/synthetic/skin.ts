/** A person's skin: which pictures it is blended from, make-up and stubble. */

import { FormatError } from '../../errors.ts';
import type { SceneRenderer } from '../../picture/scene/renderer.ts';
import type { TextureHandle, TextureLayer } from '../../picture/scene/types.ts';
import { srgbByte } from '../../picture/shade.ts';
import { ANCESTRIES, type Skin } from './assets.ts';
import type { Build } from './macro.ts';
import type { Textures } from './textures.ts';
import type { Beard, Linear, Traits } from './traits.ts';

const AGES = ['young', 'middleage', 'old'] as const;
const SEXES = ['female', 'male'] as const;

/** Years at which a skin looks young, middle-aged, old; between them it is blended. */
const YEARS = [26, 47, 68];

/** What takes the place of skins that the package does not have, and what multiplies their colour (sRGB). */
const SUBSTITUTES: Readonly<
  Record<string, readonly [skin: string, gain: readonly [number, number, number]]>
> = {
  young_african_female: ['middleage_african_female', [1, 1.02, 1.03]],
  young_caucasian_female: ['young_caucasian_female2', [1, 1.03, 1.04]],
  middleage_caucasian_female: ['middleage_asian_female', [0.93, 0.92, 0.92]],
  old_asian_female: ['middleage_asian_female', [0.91, 0.82, 0.76]],
  old_caucasian_female: ['middleage_asian_female', [0.93, 0.92, 0.93]],
  old_caucasian_male: ['old_asian_male', [1.16, 1.32, 1.42]],
};

/** Names of all skins that {@link skinShares} can ask for, each with the picture to load and what multiplies its colour. */
export function skinSources(
  skins: readonly Skin[],
): { readonly name: string; readonly file: string; readonly gain: readonly [number, number, number] }[] {
  const files = new Map(skins.map(({ name, color }) => [name, color]));
  return AGES.flatMap((age) =>
    ANCESTRIES.flatMap((ancestry) => SEXES.map((sex) => `${age}_${ancestry}_${sex}`)),
  ).map((name) => {
    const [source, gain] = files.has(name) ? ([name, [1, 1, 1]] as const) : SUBSTITUTES[name];
    const file = files.get(source);
    if (file === undefined) throw new FormatError(`the assets have no skin "${source}"`);
    return { name, file, gain };
  });
}

/** Shares of skins, by name, adding up to 1; the smallest are left out. */
export function skinShares({
  age,
  gender,
  ancestry,
}: Pick<Build, 'age' | 'gender' | 'ancestry'>): { readonly name: string; readonly weight: number }[] {
  const shares = ageShares(age).flatMap(([ageName, ofAge]) =>
    SEXES.flatMap((sex) =>
      ANCESTRIES.map((name) => ({
        name: `${ageName}_${name}_${sex}`,
        weight: ofAge * ancestry[name] * (sex === 'male' ? gender : 1 - gender),
      })),
    ),
  );
  const kept = shares
    .filter(({ weight }) => weight >= LEAST)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, MOST);
  const total = kept.reduce((sum, { weight }) => sum + weight, 0);
  return kept.map(({ name, weight }) => ({ name, weight: weight / total }));
}

/** Smaller shares cannot be seen. */
const LEAST = 0.05;
const MOST = 6;

function ageShares(years: number): (readonly [(typeof AGES)[number], number])[] {
  const position =
    years <= YEARS[1]
      ? (years - YEARS[0]) / (YEARS[1] - YEARS[0])
      : 1 + (years - YEARS[1]) / (YEARS[2] - YEARS[1]);
  const clamped = Math.min(2, Math.max(0, position));
  return AGES.map((age, i) => [age, Math.max(0, 1 - Math.abs(clamped - i))] as const);
}

/** The skin of a person as a texture; free it when the person is done. */
export function paintSkin(renderer: SceneRenderer, { texture }: Textures, traits: Traits): TextureHandle {
  const sources = skinShares(traits).map(({ name, weight }) => ({ handle: texture(`skin ${name}`), weight }));
  const { width, height } = sources[0].handle;
  const layers = [...makeup(traits, texture('mask face')), ...stubble(traits, texture('mask stubble'))];
  return renderer.compose({ width, height, sources, gain: traits.skinGain, layers });
}

/** Lips and eyelids. */
function makeup(
  { makeup: strength, hairColour, garmentColour }: Traits,
  mask: TextureHandle,
): TextureLayer[] {
  if (strength === 0) return [];
  // Lipstick from rose to dark red, by the colour of the clothes; shadow from brown to grey, by the hair.
  const dark = Math.min(1, 3 * garmentColour[1]);
  const warm = Math.min(1, 4 * hairColour[0]);
  return [
    {
      mask,
      channel: 0,
      colour: [120 + 75 * dark, 28 + 40 * dark, 45 + 30 * dark],
      strength: 0.75 * strength,
      mode: 'mix',
    },
    { mask, channel: 1, colour: [60 + 40 * warm, 48 + 20 * warm, 58], strength: 0.6 * strength, mode: 'mix' },
  ];
}

/** How strongly the shaven or overgrown lower face is tinted. */
const STUBBLE: Readonly<Record<Beard, number>> = {
  none: 0,
  stubble: 0.75,
  moustache: 0.4,
  goatee: 0.45,
  full: 0.7,
};

function stubble({ beard, hairColour, gender, age }: Traits, mask: TextureHandle): TextureLayer[] {
  const shadow = gender > 0.7 && age > 18 ? 0.12 : 0;
  const strength = Math.max(STUBBLE[beard], shadow);
  if (strength === 0) return [];
  const colour = hairColour.map(srgbByte) as unknown as Linear;
  return [{ mask, channel: 0, colour, strength, mode: 'mix' }];
}
