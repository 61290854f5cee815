/** What each mesh of a person is made of. */

import type { SceneMaterial, TextureHandle } from '../../picture/scene/types.ts';
import { HAIR_GAIN } from './images.ts';
import type { Linear, Traits } from './traits.ts';
import type { Worn } from './wardrobe.ts';

const PLAIN = {
  colour: [1, 1, 1],
  mode: 'opaque',
  doubleSided: false,
  wrap: [0.1, 0.1, 0.1],
  specular: 0.006,
  gloss: 8,
  fresnel: 0.02,
  anisotropic: false,
} as const satisfies SceneMaterial;

/** Red light goes furthest under the skin. */
const SKIN_WRAP: Linear = [0.42, 0.24, 0.17];

/** The material of a mesh. @param skin the person's own skin, @param texture pictures by name */
export function materialOf(
  { role, name, proxy, made }: Worn,
  traits: Traits,
  skin: TextureHandle,
  texture: (name: string) => TextureHandle,
): SceneMaterial {
  const picture = made?.texture === undefined ? proxy?.textures[0] : made.name;
  const own: { texture?: TextureHandle } = picture === undefined ? {} : { texture: texture(picture) };
  switch (role) {
    case 'skin':
      return { ...PLAIN, texture: skin, wrap: SKIN_WRAP, specular: 0.022, gloss: 16, fresnel: 0.05 };
    case 'garment':
      if (isPatterned(name, traits)) own.texture = texture(traits.pattern);
      return {
        ...PLAIN,
        ...own,
        doubleSided: true,
        colour: OWN_COLOURS.has(name) ? [1, 1, 1] : traits.garmentColour,
      };
    case 'eye':
      return {
        ...PLAIN,
        texture: texture(traits.iris),
        colour: [0.8, 0.78, 0.78],
        wrap: [0.2, 0.15, 0.15],
        specular: 0.04,
        gloss: 60,
      };
    case 'cornea':
      return {
        ...PLAIN,
        opacity: 0,
        mode: 'blend',
        specular: 0.12,
        gloss: 500,
        fresnel: 0,
        glossOverAlpha: true,
      };
    case 'brow':
      return { ...PLAIN, ...own, mode: 'blend', doubleSided: true, colour: browColour(traits), specular: 0 };
    case 'lash':
      return { ...PLAIN, ...own, mode: 'blend', doubleSided: true, colour: [0.4, 0.35, 0.33], specular: 0 };
    case 'hair':
    case 'beard':
      return {
        ...PLAIN,
        ...own,
        mode: made?.mode ?? 'blend',
        doubleSided: true,
        colour: made === undefined ? scaled(traits.hairColour, HAIR_GAIN) : traits.hairColour,
        wrap: [0.3, 0.3, 0.3],
        // Cards show strands that a highlight runs across; shells would shine like a helmet.
        ...(made === undefined ? { specular: 0.03, gloss: 40 } : { specular: 0.003, gloss: 6 }),
        fresnel: 0,
        anisotropic: made === undefined,
      };
    case 'hat':
      return { ...PLAIN, ...own, doubleSided: true, colour: hatColour(traits) };
    case 'band':
      return { ...PLAIN, doubleSided: true, colour: scaled(hatColour(traits), 0.25) };
    case 'frame':
      return {
        ...PLAIN,
        doubleSided: true,
        colour: FRAME_COLOURS[name] ?? [0.02, 0.02, 0.02],
        specular: 0.06,
        gloss: 60,
      };
    case 'lens':
      return {
        ...PLAIN,
        mode: 'blend',
        doubleSided: true,
        specular: 0.04,
        gloss: 300,
        fresnel: 0.1,
        glossOverAlpha: true,
      };
    case 'teeth':
      return {
        ...PLAIN,
        ...own,
        mode: 'cutout',
        doubleSided: true,
        colour: [0.8, 0.78, 0.74],
        specular: 0.1,
        gloss: 80,
      };
    case 'tongue':
      return { ...PLAIN, ...own, specular: 0.08, gloss: 40 };
  }
}

/** Garments whose pictures are worn as they are: a suit with its shirt and tie, dungarees. */
export const OWN_COLOURS: ReadonlySet<string> = new Set(['male_elegantsuit01', 'male_worksuit01']);

function browColour({ hairColour, grey }: Traits): Linear {
  // Brows are darker than hair, and the pictures carry little colour of their own.
  return scaled(hairColour, 0.6 + 0.2 * grey);
}

/** Whether a garment shows the pattern that its wearer likes. */
export function isPatterned(garment: string, { pattern }: Traits): boolean {
  return pattern !== 'plain' && !OWN_COLOURS.has(garment);
}

/** Thin frames are metal, thick ones are horn. */
const FRAME_COLOURS: Readonly<Record<string, Linear>> = {
  round: [0.1, 0.09, 0.08],
  square: [0.018, 0.014, 0.012],
};

/** Hats match the clothes but are duller: half of the colour is its own grey. */
function hatColour({ garmentColour: [r, g, b] }: Traits): Linear {
  const grey = (r + g + b) / 3;
  return [0.03 + 0.35 * (r + grey), 0.03 + 0.35 * (g + grey), 0.03 + 0.35 * (b + grey)];
}

function scaled([r, g, b]: Linear, by: number): Linear {
  return [r * by, g * by, b * by];
}
