/**
 * A synthetic set as teaching reads it: people with their latents and several pictures of each, in batches.
 *
 * `NAME.zip` and its masks are read as any dataset; `NAME-identities.jsonl` holds the latents,
 * `NAME-pictures.jsonl` whose picture is whose, `NAME-depth.zip` the depths if the set has them.
 */

import { existsSync, readFileSync } from 'node:fs';
import sharp from 'sharp';
import { DatasetError } from '../errors.ts';
import { openArchive } from './archive.ts';
import { type Dataset, openDataset } from './dataset.ts';
import { stemOf } from './names.ts';

/** Somebody of a set. */
export interface TaughtPerson {
  readonly latent: Float32Array;
  /** Items of the dataset. */
  readonly pictures: readonly number[];
}

/** A picture with all that is known of it. */
export interface TaughtPicture {
  /** [3, side, side] and [1, side, side], 0 to 255 */
  readonly image: Uint8Array;
  readonly mask: Uint8Array;
  /** [1, side, side], units of .05 mm along the ray, 0 where nobody is; undefined for a set without depths. */
  readonly depth: Uint16Array | undefined;
  /** 25 and 6 numbers */
  readonly label: Float32Array;
  readonly pose: Float32Array;
}

/** An open set. */
export interface TaughtSet {
  readonly people: readonly TaughtPerson[];
  /** Pictures of each person. */
  readonly views: number;
  readonly resolution: number;
  readonly hasDepth: boolean;
  /** The same pictures as any dataset has them; closed with the set. */
  readonly dataset: Dataset;
  /** Decodes a picture, or takes it out of the memory; calls may overlap. @throws DatasetError as `Dataset.item`. */
  picture(item: number): Promise<TaughtPicture>;
  close(): Promise<void>;
}

/** How a set is opened. */
export interface TaughtSetOptions {
  /** Decoded pictures stay in memory as long as all of them together need no more bytes than this; 1.5 GB. */
  readonly cacheBytes?: number;
}

/** Opens a set that `portraitgan dataset synth` made.
 *
 * @param path `NAME.zip`, or a folder
 * @throws DatasetError when it says nothing of identities, or people have different numbers of pictures.
 */
export async function openTaughtSet(path: string, options: TaughtSetOptions = {}): Promise<TaughtSet> {
  const stem = path.replace(/\.zip$/i, '').replace(/[/\\]+$/, '');
  const latents = latentsOf(`${stem}-identities.jsonl`);
  const owners = ownersOf(`${stem}-pictures.jsonl`);
  const dataset = await openDataset(path);
  try {
    if (dataset.channels !== 3)
      throw new DatasetError(`"${path}" has pictures of ${dataset.channels} channels; teaching needs 3`);
    const people = grouped(path, dataset, latents, owners);
    return await opened(stem, dataset, people, options);
  } catch (error) {
    await dataset.close();
    throw error;
  }
}

async function opened(
  stem: string,
  dataset: Dataset,
  people: readonly TaughtPerson[],
  { cacheBytes = 1.5e9 }: TaughtSetOptions,
): Promise<TaughtSet> {
  const { resolution } = dataset;
  const depthPath = [`${stem}-depth.zip`, `${stem}-depth`].find(existsSync);
  const depths = depthPath === undefined ? undefined : await openArchive(depthPath);
  const depthNames = new Map(depths?.names.map((name) => [stemOf(name), name]));
  const bytes = dataset.count * resolution ** 2 * (depths === undefined ? 4 : 6);
  const cache = bytes <= cacheBytes ? new Map<number, TaughtPicture>() : undefined;
  const decode = async (item: number): Promise<TaughtPicture> => {
    const { image, mask, label, pose, name } = await dataset.item(item);
    if (depths === undefined) return { image, mask, label, pose, depth: undefined };
    const file = depthNames.get(stemOf(name));
    if (file === undefined) throw new DatasetError(`"${depths.path}" has no depth for ${name}`);
    return { image, mask, label, pose, depth: await decodeDepth(await depths.read(file), resolution, file) };
  };
  return {
    people,
    views: people[0].pictures.length,
    resolution,
    hasDepth: depths !== undefined,
    dataset,
    async picture(item) {
      const known = cache?.get(item);
      if (known !== undefined) return known;
      const picture = await decode(item);
      cache?.set(item, picture);
      return picture;
    },
    async close() {
      await dataset.close();
      await depths?.close();
    },
  };
}

async function decodeDepth(bytes: Uint8Array, side: number, file: string): Promise<Uint16Array> {
  try {
    const { data, info } = await sharp(bytes)
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    if (info.width !== side || info.height !== side || info.channels !== 1)
      throw new Error(`it has ${info.width} x ${info.height} pixels; ${side} x ${side} are needed`);
    return new Uint16Array(data.buffer, data.byteOffset, side * side).slice();
  } catch (error) {
    throw new DatasetError(`depth of ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

/** The pictures of each person, in the order of the set. */
function grouped(
  path: string,
  dataset: Dataset,
  latents: ReadonlyMap<number, Float32Array>,
  owners: ReadonlyMap<string, number>,
): TaughtPerson[] {
  const pictures = new Map<number, number[]>();
  for (let item = 0; item < dataset.count; item++) {
    const { name } = dataset.labels(item);
    const owner = owners.get(name);
    if (owner === undefined) throw new DatasetError(`"${path}": no line says who is on ${name}`);
    pictures.set(owner, [...(pictures.get(owner) ?? []), item]);
  }
  const most = Math.max(...[...pictures.values()].map(({ length }) => length));
  return [...pictures].map(([identity, own]) => {
    const latent = latents.get(identity);
    if (latent === undefined) throw new DatasetError(`"${path}": identity ${identity} has no latent`);
    if (own.length !== most)
      throw new DatasetError(
        `"${path}": identity ${identity} has ${own.length} pictures, others have ${most}; make a set whose --count is a multiple of --views`,
      );
    return { latent, pictures: own };
  });
}

function latentsOf(file: string): Map<number, Float32Array> {
  return new Map(
    linesOf(file).map((line) => {
      const { identity, latent } = line as { identity?: unknown; latent?: unknown };
      if (typeof identity !== 'number' || !Array.isArray(latent) || !latent.every(Number.isFinite))
        throw new DatasetError(`"${file}": a line without an identity and its latent`);
      return [identity, Float32Array.from(latent)];
    }),
  );
}

function ownersOf(file: string): Map<string, number> {
  return new Map(
    linesOf(file).map((line) => {
      const { name, identity } = line as { name?: unknown; identity?: unknown };
      if (typeof name !== 'string' || typeof identity !== 'number')
        throw new DatasetError(`"${file}": a line without a name and an identity`);
      return [name, identity];
    }),
  );
}

function linesOf(file: string): unknown[] {
  if (!existsSync(file))
    throw new DatasetError(
      `there is no "${file}": teaching needs to know who is on each picture; "portraitgan dataset synth" writes it beside the set`,
    );
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line, i) => {
      try {
        return JSON.parse(line);
      } catch {
        throw new DatasetError(`"${file}": line ${i + 1} is not JSON`);
      }
    });
}
