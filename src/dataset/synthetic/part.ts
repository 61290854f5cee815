/** A part of a set: some pictures in a row with all that belongs to them, in one zip of its own until the set is complete. */

import { rename, rm } from 'node:fs/promises';
import sharp from 'sharp';
import { FormatError } from '../../errors.ts';
import { readZip } from '../../weights/zip-read.ts';
import { createZip } from '../zip-write.ts';
import { KEYPOINTS, keypointsOf } from './keypoints.ts';
import type { Painted, Painter, Sitter } from './painter.ts';
import { latentOf, type SetOptions, type Shot, shotOf } from './set.ts';

export const PICTURE_FORMATS = ['png', 'jpeg'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

export interface PartOptions extends SetOptions {
  readonly format: PictureFormat;
  /** Depth pictures too. */
  readonly depth: boolean;
}

/** What is written about a picture. */
export interface PictureRecord {
  readonly name: string;
  readonly identity: number;
  readonly heldOut: boolean;
  /** 31 numbers */
  readonly label: readonly number[];
  readonly keypoints: Readonly<Record<string, unknown>>;
}

/** What is written about an identity. */
export interface IdentityRecord {
  readonly identity: number;
  readonly heldOut: boolean;
  readonly latent: readonly number[];
  readonly traits: Readonly<Record<string, unknown>>;
}

/** A picture with its files. */
export interface MadePicture {
  readonly record: PictureRecord;
  readonly image: Uint8Array;
  readonly mask: Uint8Array;
  readonly depth: Uint8Array | undefined;
}

/** Depth pictures hold distances in units of this many metres; 0 where nobody is. */
export const DEPTH_UNIT = 5e-5;

const JPEG_QUALITY = 92;
const INDEX = 'part.json';

interface PartIndex {
  readonly pictures: readonly PictureRecord[];
  readonly identities: readonly IdentityRecord[];
}

/** Paints the pictures from `begin` to before `end` into a file, aside first. */
export async function makePart(
  painter: Painter,
  options: PartOptions,
  begin: number,
  end: number,
  file: string,
): Promise<void> {
  const aside = `${file}.tmp-${process.pid}`;
  const zip = await createZip(aside);
  const pictures: PictureRecord[] = [];
  const identities: IdentityRecord[] = [];
  // While one picture is encoded the next is painted.
  let written: Promise<unknown> = Promise.resolve();
  let sitter: Sitter | undefined;
  let seated = -1;
  try {
    for (let index = begin; index < end; index++) {
      const shot = shotOf(options, index);
      if (sitter === undefined || seated !== shot.identity) {
        if (sitter !== undefined) painter.dismiss(sitter);
        sitter = undefined;
        const latent = latentOf(options.seed, shot.identity);
        sitter = painter.seat(latent);
        seated = shot.identity;
        identities.push(identityRecord(shot, latent, sitter));
      }
      const painted = painter.paint(sitter, shot.label, shot.own, options);
      const record = pictureRecord(options.format, shot, sitter);
      pictures.push(record);
      const files = encoded(painted, painter.size, options);
      await written;
      written = files.then(async ({ image, mask, depth }) => {
        await zip.add(`images/${record.name}`, () => [image]);
        await zip.add(`masks/${record.name}`, () => [mask]);
        if (depth !== undefined) await zip.add(`depth/${record.name}`, () => [depth]);
      });
      // A failure is met where it is awaited.
      written.catch(() => {});
    }
    await written;
    const json = Buffer.from(JSON.stringify({ pictures, identities } satisfies PartIndex));
    await zip.add(INDEX, () => [json]);
    await zip.finish();
    await rename(aside, file);
  } catch (error) {
    await written.catch(() => {});
    await zip.close().catch(() => {});
    await rm(aside, { force: true });
    throw error;
  } finally {
    if (sitter !== undefined) painter.dismiss(sitter);
  }
}

/** Reads a part back, picture by picture.
 *
 * @throws FormatError when it is damaged.
 */
export function readPart(
  file: string,
  onIdentity: (record: IdentityRecord) => Promise<void>,
  onPicture: (picture: MadePicture) => Promise<void>,
): Promise<void> {
  return readZip(file, {}, async (members) => {
    const byName = new Map(members.map((member) => [member.name, member]));
    const bytes = async (name: string): Promise<Uint8Array> => {
      const member = byName.get(name);
      if (member === undefined) throw new FormatError(`"${file}" lacks "${name}"`);
      return member.read();
    };
    const { pictures, identities } = JSON.parse(Buffer.from(await bytes(INDEX)).toString()) as PartIndex;
    for (const record of identities) await onIdentity(record);
    for (const record of pictures) {
      await onPicture({
        record,
        image: await bytes(`images/${record.name}`),
        mask: await bytes(`masks/${record.name}`),
        depth: byName.has(`depth/${record.name}`) ? await bytes(`depth/${record.name}`) : undefined,
      });
    }
  });
}

async function encoded(
  { picture, mask, depth }: Painted,
  size: number,
  options: PartOptions,
): Promise<{ image: Uint8Array; mask: Uint8Array; depth: Uint8Array | undefined }> {
  const raw = (channels: 1 | 3) => ({ raw: { width: size, height: size, channels } });
  const image = sharp(picture, raw(3));
  return {
    image: await (options.format === 'png'
      ? image.png()
      : image.jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:4:4' })
    ).toBuffer(),
    mask: await sharp(mask, raw(1)).toColourspace('b-w').png().toBuffer(),
    depth: options.depth ? await encodedDepth(depth, size) : undefined,
  };
}

/** 16 bits a pixel. */
function encodedDepth(depth: Float32Array, size: number): Promise<Uint8Array> {
  const units = Uint16Array.from(depth, (metres) =>
    Number.isFinite(metres) ? Math.min(65535, Math.round(metres / DEPTH_UNIT)) : 0,
  );
  return sharp(units, { raw: { width: size, height: size, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();
}

const EXTENSIONS = { png: 'png', jpeg: 'jpg' } as const;

function pictureRecord(format: PictureFormat, shot: Shot, { person }: Sitter): PictureRecord {
  const { rest, posed, image } = keypointsOf(person, shot.label);
  const named = Object.fromEntries(
    KEYPOINTS.map((name, i) => [
      name,
      { rest: rest[i].map(rounded), posed: posed[i].map(rounded), image: image[i].map(rounded) },
    ]),
  );
  return {
    name: `${shot.stem}.${EXTENSIONS[format]}`,
    identity: shot.identity,
    heldOut: shot.heldOut,
    label: shot.label,
    keypoints: named,
  };
}

function identityRecord(shot: Shot, latent: readonly number[], { person }: Sitter): IdentityRecord {
  const { face: _face, asymmetry: _asymmetry, light: _light, ...traits } = person.traits;
  return { identity: shot.identity, heldOut: shot.heldOut, latent, traits };
}

/** A millionth is finer than anything here. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
