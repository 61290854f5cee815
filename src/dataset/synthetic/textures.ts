/** The pictures of the assets and of what we make ourselves, uploaded to a renderer once. */

import { FormatError } from '../../errors.ts';
import type { SceneRenderer } from '../../picture/scene/renderer.ts';
import type { TextureHandle } from '../../picture/scene/types.ts';
import { patternTile } from './fabric.ts';
import { type Image, readImage, readShading, recolourable, tinted } from './images.ts';
import { OWN_COLOURS } from './materials.ts';
import { stubbleMask } from './procedural/beards.ts';
import { skinSources } from './skin.ts';
import type { Wardrobe } from './wardrobe.ts';

export interface Textures {
  /** By the names of the assets, of made parts, `skin NAME`, `stripes`, `checks`, `mask face` and `mask stubble`. */
  texture(name: string): TextureHandle;
  /** The shading of a garment, if it has one. */
  shading(garment: string): Image | undefined;
}

/** Uploads everything.
 *
 * @param detail share of the full resolution, 1, 1/2 or 1/4
 */
export async function loadTextures(
  { assets, made }: Pick<Wardrobe, 'assets' | 'made'>,
  renderer: SceneRenderer,
  detail: number,
): Promise<Textures> {
  const textures = new Map<string, TextureHandle>();
  const shadings = new Map<string, Image>();
  const upload = (name: string, image: Image): void => {
    textures.set(name, renderer.upload(image));
  };
  for (const { name, file, gain } of skinSources(assets.skins))
    upload(`skin ${name}`, tinted(await readImage(assets, file, undefined, detail), gain));
  for (const { name: proxy, category, textures: names } of assets.proxies.values()) {
    for (const name of names) {
      if (textures.has(name)) continue;
      const { color, alpha, ao } = assets.textures[name];
      if (ao !== undefined && !OWN_COLOURS.has(proxy)) {
        const shading = await readShading(assets, ao, detail);
        shadings.set(proxy, shading);
        upload(name, shading);
      } else if (color === undefined) {
        throw new FormatError(`asset texture "${name}" has no picture`);
      } else {
        const image = await readImage(assets, color, alpha, detail);
        upload(name, category === 'hair' ? recolourable(image) : image);
      }
    }
  }
  for (const { name, texture } of made.values()) if (texture !== undefined) upload(name, texture(detail));
  for (const pattern of ['stripes', 'checks'] as const) upload(pattern, patternTile(pattern));
  // Half the size of the skins in the assets, so twice the detail.
  upload('mask face', await readImage(assets, assets.skinMasks, undefined, Math.min(1, 2 * detail)));
  upload('mask stubble', stubbleMask(assets));
  return {
    texture(name) {
      const handle = textures.get(name);
      if (handle === undefined) throw new Error(`internal: no picture "${name}" was loaded`);
      return handle;
    },
    shading: (garment) => shadings.get(garment),
  };
}
