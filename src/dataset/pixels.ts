/** Pictures of a dataset as bytes of pixels, as they are: no colour conversion, no rotation, 8 bits. */

import sharp, { type Sharp } from 'sharp';
import { DatasetError } from '../errors.ts';

/** Rows from the top, channels of a pixel together. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 colour, 4 colour and opacity. */
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Larger pictures are taken for an attack on memory. */
const MAX_PIXELS = 2 ** 26;

interface Header {
  readonly image: Sharp;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Decodes a PNG or JPEG.
 *
 * Colours of a palette are looked up, which the original does not do. Profiles of colour are ignored, as it does.
 * @throws DatasetError when the picture is broken, has other than 8 bits, or other than 1, 3 or 4 channels.
 */
export async function decodePixels(bytes: Uint8Array): Promise<Pixels> {
  const { image, channels } = await readHeader(bytes);
  const raw = channels === 1 ? image.toColourspace('b-w') : image;
  const { data, info } = await guarded(() => raw.raw().toBuffer({ resolveWithObject: true }));
  if (info.channels !== channels)
    throw new DatasetError(`internal: a picture of ${channels} channels became one of ${info.channels}`);
  return { width: info.width, height: info.height, channels, data };
}

/** Reads width, height and channels only. */
export async function pictureSize(bytes: Uint8Array): Promise<Omit<Pixels, 'data'>> {
  const { width, height, channels } = await readHeader(bytes);
  return { width, height, channels };
}

async function readHeader(bytes: Uint8Array): Promise<Header> {
  const image = sharp(bytes, { limitInputPixels: MAX_PIXELS, ignoreIcc: true, failOn: 'warning' });
  const { format, width, height, channels, depth, space, bitsPerSample } = await guarded(() =>
    image.metadata(),
  );
  if (format !== 'png' && format !== 'jpeg')
    throw new DatasetError(`the picture is a ${format} file; PNG and JPEG can be used`);
  if (depth !== 'uchar' || (bitsPerSample ?? 8) > 8)
    throw new DatasetError(`the picture has ${bitsPerSample ?? depth} bits a channel; 8 are needed`);
  if (space === 'cmyk') throw new DatasetError('the picture is in CMYK; save it in RGB');
  if (channels !== 1 && channels !== 3 && channels !== 4)
    throw new DatasetError(`the picture has ${channels} channels; 1, 3 or 4 can be used`);
  return { image, width, height, channels };
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DatasetError(`the picture cannot be decoded: ${reason.split('\n')[0].trim()}`);
  }
}

/** Channel planes out of pixels, optionally from right to left. */
export function planesOf({ width, height, channels, data }: Pixels, mirrored: boolean): Uint8Array {
  const out = new Uint8Array(data.length);
  const plane = width * height;
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      const from = y * width;
      const to = c * plane + from;
      if (mirrored) {
        for (let x = 0; x < width; x++) out[to + width - 1 - x] = data[(from + x) * channels + c];
      } else {
        for (let x = 0; x < width; x++) out[to + x] = data[(from + x) * channels + c];
      }
    }
  }
  return out;
}

/** What is wrong with a picture's size, or undefined. */
export function sizeProblem(
  { width, height, channels }: Omit<Pixels, 'data'>,
  resolution: number,
  channelsWanted: number,
): string | undefined {
  if (width !== height) return `the picture has ${width} x ${height} pixels; it must be square`;
  if (width !== resolution)
    return `the picture has ${width} x ${height} pixels; ${resolution} x ${resolution} are needed`;
  if (channels !== channelsWanted)
    return `the picture has ${channels} channel${channels === 1 ? '' : 's'}; ${channelsWanted} ${channelsWanted === 1 ? 'is' : 'are'} needed`;
  return undefined;
}
