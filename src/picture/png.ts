/** PNG files out of rasters, through sharp. Node only. */

import sharp, { type Sharp } from 'sharp';
import { writeAside } from '../weights/safe-write.ts';
import type { Raster } from './raster.ts';

function imageOf({ width, height, data }: Raster): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** The bytes of a PNG file. */
export async function encodePng(raster: Raster): Promise<Uint8Array> {
  return imageOf(raster).png().toBuffer();
}

/** Writes a PNG aside and renames it: `path` never holds half a picture. */
export async function writePng(path: string, raster: Raster): Promise<void> {
  const bytes = await encodePng(raster);
  writeAside(path, (write) => write(bytes));
}

/** Resizes to a square of this side: Lanczos with three lobes, antialiased when it shrinks. */
export async function resizeRaster(raster: Raster, side: number): Promise<Raster> {
  if (raster.width === side && raster.height === side) return raster;
  const { data, info } = await imageOf(raster)
    .resize(side, side, { fit: 'fill', kernel: 'lanczos3' })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

/** Enlarges by a whole factor without smoothing, so that small maps stay what they are. */
export function enlargeRaster({ width, height, data }: Raster, factor: number): Raster {
  const [w, h] = [width * factor, height * factor];
  const out = new Uint8Array(w * h * 3);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const from = (Math.floor(y / factor) * width + Math.floor(x / factor)) * 3;
      out.set(data.subarray(from, from + 3), (y * w + x) * 3);
    }
  }
  return { width: w, height: h, data: out };
}
