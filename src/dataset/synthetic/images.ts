/** Pictures of the asset package, decoded at the detail that a picture size needs. */

import { join } from 'node:path';
import sharp from 'sharp';
import { FormatError } from '../../errors.ts';
import { LINEAR, srgbByte } from '../../picture/shade.ts';
import type { Assets } from './assets.ts';

/** 8-bit sRGB and alpha, rows from the top. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Share of the full resolution that pictures of this side can show. */
export function detailFor(size: number): number {
  if (size <= 128) return 1 / 4;
  return size <= 256 ? 1 / 2 : 1;
}

/** No picture of the package is larger. */
const MAX_PIXELS = 4096 * 4096;

async function decode(folder: string, file: string, detail: number, channels: 1 | 3): Promise<Image> {
  try {
    const input = sharp(join(folder, file), { limitInputPixels: MAX_PIXELS, failOn: 'error' });
    const { width, height } = await input.metadata();
    const { data, info } = await input
      .resize(Math.max(1, Math.round(width * detail)), Math.max(1, Math.round(height * detail)), {
        fit: 'fill',
        kernel: 'cubic',
      })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) throw new Error(`${info.channels} channels, expected ${channels}`);
    return { width: info.width, height: info.height, data };
  } catch (error) {
    throw new FormatError(`asset "${join(folder, file)}": ${error instanceof Error ? error.message : error}`);
  }
}

/** A colour picture with its alpha, or opaque. */
export async function readImage(
  { folder }: Assets,
  color: string,
  alpha: string | undefined,
  detail: number,
): Promise<Image> {
  const picture = await decode(folder, color, detail, 3);
  const { width, height, data } = picture;
  const mask = alpha === undefined ? undefined : await resizedAlpha(folder, alpha, width, height);
  const out = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) out[4 * i + c] = data[3 * i + c];
    out[4 * i + 3] = mask === undefined ? 255 : mask[i];
  }
  return { width, height, data: out };
}

async function resizedAlpha(
  folder: string,
  file: string,
  width: number,
  height: number,
): Promise<Uint8Array> {
  try {
    return await sharp(join(folder, file), { limitInputPixels: MAX_PIXELS, failOn: 'error' })
      .resize(width, height, { fit: 'fill', kernel: 'cubic' })
      .toColourspace('b-w')
      .removeAlpha()
      .raw()
      .toBuffer();
  } catch (error) {
    throw new FormatError(`asset "${join(folder, file)}": ${error instanceof Error ? error.message : error}`);
  }
}

/** Shading of a garment as a grey picture to multiply. */
export async function readShading({ folder }: Assets, file: string, detail: number): Promise<Image> {
  const { width, height, data } = await decode(folder, file, detail, 1);
  return grey(
    width,
    height,
    (i) => data[i],
    () => 255,
  );
}

/** How far hair may be from its mean brightness, and how strongly differences show. */
const BRIGHTEST = 3;
const CONTRAST = 0.6;

/** Multiply a recoloured hair's colour by this. */
export const HAIR_GAIN: number = BRIGHTEST ** CONTRAST;

/** Hair as brightness relative to its own mean, for recolouring: 1 is stored as 1 / HAIR_GAIN of linear light. */
export function recolourable({ width, height, data }: Image): Image {
  const light = new Float32Array(width * height);
  let [sum, weight] = [0, 0];
  for (let i = 0; i < light.length; i++) {
    light[i] =
      0.2126 * LINEAR[data[4 * i]] + 0.7152 * LINEAR[data[4 * i + 1]] + 0.0722 * LINEAR[data[4 * i + 2]];
    sum += light[i] * data[4 * i + 3];
    weight += data[4 * i + 3];
  }
  const mean = sum / weight;
  const tone = (i: number): number => Math.min(BRIGHTEST, light[i] / mean) ** CONTRAST / HAIR_GAIN;
  return grey(
    width,
    height,
    (i) => srgbByte(tone(i)),
    (i) => data[4 * i + 3],
  );
}

/** The picture with its sRGB values multiplied. */
export function tinted(image: Image, gain: readonly [number, number, number]): Image {
  if (gain.every((value) => value === 1)) return image;
  const data = image.data.map((value, i) =>
    i % 4 === 3 ? value : Math.min(255, Math.round(value * gain[i % 4])),
  );
  return { ...image, data };
}

function grey(
  width: number,
  height: number,
  value: (i: number) => number,
  alpha: (i: number) => number,
): Image {
  const out = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    out.fill(value(i), 4 * i, 4 * i + 3);
    out[4 * i + 3] = alpha(i);
  }
  return { width, height, data: out };
}
