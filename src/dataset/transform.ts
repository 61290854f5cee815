/** What happens to pictures and masks when they are packed: the original tool's crops and sizes (spec page 6.2). */

import sharp from 'sharp';
import { resizeLanczos } from '../picture/lanczos.ts';
import type { Pixels } from './pixels.ts';

/** How pictures that are not square become so.
 *
 * - `none`: stretched to the resolution, when one is given.
 * - `center-crop`: the square in the middle.
 * - `center-crop-wide`: the rows in the middle, counted in pixels of the result as in the original, so that what
 *   is wider than the resolution gets squeezed. Pictures that are smaller, or wider than high, are left out.
 */
export const TRANSFORMS = ['none', 'center-crop', 'center-crop-wide'] as const;
export type Transform = (typeof TRANSFORMS)[number];

/** Applies a transform; undefined for a picture that it leaves out.
 *
 * @param resolution  needed for both crops.
 */
export function transformPixels(
  pixels: Pixels,
  transform: Transform,
  resolution: number | undefined,
): Pixels | undefined {
  const opaque = withoutOpacity(pixels);
  if (resolution === undefined) return opaque;
  const { width, height } = opaque;
  if (transform === 'none') return resizeLanczos(opaque, resolution, resolution);
  if (transform === 'center-crop') {
    const side = Math.min(width, height);
    const square = cropped(
      opaque,
      Math.floor((width - side) / 2),
      Math.floor((height - side) / 2),
      side,
      side,
    );
    return resizeLanczos(square, resolution, resolution);
  }
  const rows = roundHalfEven((resolution * height) / width);
  if (width < resolution || rows < resolution) return undefined;
  const top = Math.floor((height - rows) / 2);
  const band = cropped(opaque, 0, top, width, Math.floor((height + rows) / 2) - top);
  return resizeLanczos(band, resolution, resolution);
}

/** The bytes of a PNG file of 1 or 3 channels. */
export async function encodePixels({ width, height, channels, data }: Pixels): Promise<Uint8Array> {
  const image = sharp(data, { raw: { width, height, channels: channels === 1 ? 1 : 3 } });
  return (channels === 1 ? image.toColourspace('b-w') : image).png().toBuffer();
}

function withoutOpacity(pixels: Pixels): Pixels {
  if (pixels.channels !== 4) return pixels;
  const data = new Uint8Array((pixels.data.length / 4) * 3);
  for (let from = 0, to = 0; from < pixels.data.length; from += 4, to += 3) {
    data.set(pixels.data.subarray(from, from + 3), to);
  }
  return { ...pixels, channels: 3, data };
}

function cropped(pixels: Pixels, left: number, top: number, width: number, height: number): Pixels {
  const { channels } = pixels;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * pixels.width + left) * channels;
    data.set(pixels.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { width, height, channels, data };
}

/** As `numpy.round`. */
function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
