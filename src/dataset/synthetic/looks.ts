/** How everything looks: pictures uploaded once, and the material of each mesh of a person. */

import { FormatError } from '../../errors.ts';
import type { SceneRenderer } from '../../picture/scene/renderer.ts';
import type { SceneMaterial, TextureHandle } from '../../picture/scene/types.ts';
import type { Assets } from './assets.ts';
import { HAIR_GAIN, type Image, readImage, readShading, recolourable, tinted } from './images.ts';
import { skinShares, skinSources } from './skin.ts';
import type { Linear, Traits } from './traits.ts';
import type { Worn } from './wardrobe.ts';

export interface Looks {
  /** The skin of a person; free it when the person is done. */
  skin(traits: Traits): TextureHandle;
  material(worn: Worn, traits: Traits, skin: TextureHandle): SceneMaterial;
}

/** Uploads the package's pictures to a renderer.
 *
 * @param detail share of the full resolution, 1, 1/2 or 1/4
 */
export async function loadLooks(assets: Assets, renderer: SceneRenderer, detail: number): Promise<Looks> {
  const textures = new Map<string, TextureHandle>();
  const upload = (name: string, image: Image): void => {
    textures.set(name, renderer.upload(image));
  };
  for (const { name, file, gain } of skinSources(assets.skins))
    upload(`skin ${name}`, tinted(await readImage(assets, file, undefined, detail), gain));
  for (const { name: proxy, category, textures: names } of assets.proxies.values()) {
    for (const name of names) {
      if (textures.has(name)) continue;
      const { color, alpha, ao } = assets.textures[name];
      if (ao !== undefined && !OWN_COLOURS.has(proxy)) upload(name, await readShading(assets, ao, detail));
      else if (color === undefined) throw new FormatError(`asset texture "${name}" has no picture`);
      else {
        const image = await readImage(assets, color, alpha, detail);
        upload(name, category === 'hair' ? recolourable(image) : image);
      }
    }
  }
  const texture = (name: string): TextureHandle => {
    const handle = textures.get(name);
    if (handle === undefined) throw new Error(`internal: no picture "${name}" was loaded`);
    return handle;
  };
  return {
    skin(traits) {
      const sources = skinShares(traits).map(({ name, weight }) => ({
        handle: texture(`skin ${name}`),
        weight,
      }));
      const { width, height } = sources[0].handle;
      return renderer.compose({ width, height, sources, gain: traits.skinGain, layers: [] });
    },
    material(worn, traits, skin) {
      return materialOf(worn, traits, skin, texture);
    },
  };
}

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

function materialOf(
  { role, name, proxy }: Worn,
  traits: Traits,
  skin: TextureHandle,
  texture: (name: string) => TextureHandle,
): SceneMaterial {
  const own = proxy?.textures[0] === undefined ? {} : { texture: texture(proxy.textures[0]) };
  const hair = scaled(traits.hairColour, HAIR_GAIN);
  switch (role) {
    case 'skin':
      return { ...PLAIN, texture: skin, wrap: SKIN_WRAP, specular: 0.022, gloss: 16, fresnel: 0.05 };
    case 'garment':
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
      return {
        ...PLAIN,
        ...own,
        mode: 'blend',
        doubleSided: true,
        colour: hair,
        wrap: [0.3, 0.3, 0.3],
        specular: 0.03,
        gloss: 40,
        fresnel: 0,
        anisotropic: true,
      };
    case 'hat':
      return { ...PLAIN, ...own, doubleSided: true, colour: scaled(traits.garmentColour, 0.6) };
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
const OWN_COLOURS: ReadonlySet<string> = new Set(['male_elegantsuit01', 'male_worksuit01']);

function browColour({ hairColour, grey }: Traits): Linear {
  // Brows are darker than hair, and the pictures carry little colour of their own.
  return scaled(hairColour, 0.6 + 0.2 * grey);
}

function scaled([r, g, b]: Linear, by: number): Linear {
  return [r * by, g * by, b * by];
}
