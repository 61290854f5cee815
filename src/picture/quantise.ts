/** From numbers to 8 bits: `clamp(x * 127.5 + 128, 0, 255)`, truncated (spec page 1.8). */

import { ShapeError } from '../errors.ts';
import type { NdArray } from '../tensor/types.ts';
import type { Raster } from './raster.ts';

/** One nominal [-1, 1] value as a byte: -1 gives 0, 0 gives 128, 1 gives 255. NaN gives 0. */
export function toByte(value: number): number {
  const scaled = value * 127.5 + 128;
  return scaled >= 255 ? 255 : scaled > 0 ? Math.trunc(scaled) : 0;
}

/** A [0, 1] value as a byte: `x * 255`, truncated. */
export function unitToByte(value: number): number {
  const scaled = value * 255;
  return scaled >= 255 ? 255 : scaled > 0 ? Math.trunc(scaled) : 0;
}

/** One picture of a batch [N, 1 or 3, H, W] as a raster; one channel becomes grey.
 *
 * @param toPixel what makes a byte of a value.
 */
export function rasterOf(pictures: NdArray, index = 0, toPixel: (value: number) => number = toByte): Raster {
  const [count, channels, height, width] = pictures.shape;
  if (pictures.shape.length !== 4 || (channels !== 1 && channels !== 3) || index >= count) {
    throw new ShapeError(`picture ${index} of [${pictures.shape.join(', ')}]: expected [N, 1 or 3, H, W]`);
  }
  const plane = height * width;
  const start = index * channels * plane;
  const data = new Uint8Array(plane * 3);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) {
      data[i * 3 + c] = toPixel(pictures.data[start + (channels === 3 ? c * plane : 0) + i]);
    }
  }
  return { width, height, data };
}
