/**
 * Writes datasets: two zips, or a folder. Everything goes to `PATH.tmp-PID` first and is renamed at the end, so
 * that what was at the path stays until the new one is complete.
 */

import { existsSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatasetError, UsageError } from '../errors.ts';
import { labelProblem, labelsJson } from './labels.ts';
import { badNameReason, isPictureName, stemOf } from './names.ts';
import { datasetPaths, isZipPath } from './paths.ts';
import { createZip } from './zip-write.ts';

/** A picture to be written with all that belongs to it. */
export interface DatasetEntry {
  /** Such as `00000/img00000000.png`. */
  readonly name: string;
  /** The encoded picture, PNG or JPEG. */
  readonly image: Uint8Array;
  /** The encoded mask, a PNG of one channel. */
  readonly mask: Uint8Array;
  /** 31 numbers: camera and pose. */
  readonly label: ArrayLike<number>;
}

/** A dataset being written. */
export interface DatasetWriter {
  /** Appends a picture. @throws DatasetError for a name or a label that cannot be. */
  add(entry: DatasetEntry): Promise<void>;
  /** Puts the dataset in its place. */
  finish(): Promise<void>;
  /** Leaves nothing behind. */
  abandon(): Promise<void>;
}

/** What the two forms do differently. */
interface Store {
  image(name: string, bytes: Uint8Array): Promise<void>;
  mask(name: string, bytes: Uint8Array): Promise<void>;
  labels(pieces: () => Iterable<Uint8Array>): Promise<void>;
  /** Completes the files and renames them. */
  place(): Promise<void>;
  remove(): Promise<void>;
}

/** Starts writing a dataset.
 *
 * @param path  `NAME.zip` for `NAME.zip` and `NAME-masks.zip`; else a folder, which must be new or empty.
 * @throws UsageError when the folder holds something already.
 */
export async function createDatasetWriter(path: string): Promise<DatasetWriter> {
  const store = isZipPath(path) ? await zipStore(path) : await folderStore(path);
  const labels = new Map<string, Float64Array>();
  const stems = new Set<string>();
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  let last: Promise<void> = Promise.resolve();

  /** One thing at a time, in the order of the calls. */
  const queued = (work: () => Promise<void>): Promise<void> => {
    if (ended) throw new UsageError(`the dataset "${path}" is written already`);
    const done = last.then(() => {
      // A dataset that lacks a picture must not be completed.
      if (failure !== undefined) throw failure.error;
      return work();
    });
    last = done.catch((error) => {
      failure ??= { error };
    });
    return done;
  };
  return {
    async add({ name, image, mask, label }) {
      refuseEntry(name, label, stems);
      stems.add(stemOf(name));
      labels.set(name, Float64Array.from(label));
      await queued(async () => {
        await store.image(name, image);
        await store.mask(`${stemOf(name)}.png`, mask);
      });
    },
    async finish() {
      await queued(async () => {
        await store.labels(() => encoded(labelsJson(labels)));
        await store.place();
      });
      ended = true;
    },
    async abandon() {
      if (ended) return;
      ended = true;
      await last;
      await store.remove();
    },
  };
}

function refuseEntry(name: string, label: ArrayLike<number>, stems: ReadonlySet<string>): void {
  const quoted = JSON.stringify(name);
  const reason = badNameReason(name);
  if (reason !== undefined) throw new DatasetError(`the name ${quoted} ${reason}`);
  if (!isPictureName(name)) throw new DatasetError(`the name ${quoted} does not end in .png or .jpg`);
  if (stems.has(stemOf(name))) throw new DatasetError(`the name ${quoted} was written already`);
  const problem = labelProblem(Array.from(label));
  if (problem !== undefined) throw new DatasetError(`${name}: ${problem}`);
}

/** Texts as bytes, in larger pieces. */
function* encoded(texts: Iterable<string>): Generator<Uint8Array> {
  let gathered = '';
  for (const text of texts) {
    gathered += text;
    if (gathered.length < 1 << 16) continue;
    yield Buffer.from(gathered);
    gathered = '';
  }
  yield Buffer.from(gathered);
}

async function zipStore(path: string): Promise<Store> {
  const target = datasetPaths(path);
  const aside = {
    images: `${target.images}.tmp-${process.pid}`,
    masks: `${target.masks}.tmp-${process.pid}`,
  };
  const images = await createZip(aside.images);
  const masks = await createZip(aside.masks).catch(async (error) => {
    await images.close();
    await rm(aside.images, { force: true });
    throw error;
  });
  return {
    image: (name, bytes) => images.add(name, () => [bytes]),
    mask: (name, bytes) => masks.add(name, () => [bytes]),
    labels: (pieces) => images.add('dataset.json', pieces),
    async place() {
      await masks.finish();
      await images.finish();
      // Two renames cannot be one; the pictures, which a reader opens first, come last.
      await rename(aside.masks, target.masks);
      await rename(aside.images, target.images);
    },
    async remove() {
      for (const zip of [images, masks]) await zip.close().catch(() => {});
      await rm(aside.images, { force: true });
      await rm(aside.masks, { force: true });
    },
  };
}

async function folderStore(path: string): Promise<Store> {
  const folder = path.replace(/[/\\]+$/, '') || path;
  if (existsSync(folder)) refuseContents(folder);
  const aside = `${folder}.tmp-${process.pid}`;
  await rm(aside, { recursive: true, force: true });
  const { images, masks } = datasetPaths(aside);
  await mkdir(images, { recursive: true });
  await mkdir(masks);
  const write = async (file: string, bytes: Uint8Array): Promise<void> => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  };
  return {
    image: (name, bytes) => write(join(images, name), bytes),
    mask: (name, bytes) => write(join(masks, name), bytes),
    async labels(pieces) {
      const file = await open(join(aside, 'dataset.json'), 'w');
      try {
        for (const piece of pieces()) await file.writeFile(piece);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    async place() {
      if (existsSync(folder)) {
        refuseContents(folder);
        rmdirSync(folder);
      }
      await rename(aside, folder);
    },
    remove: () => rm(aside, { recursive: true, force: true }),
  };
}

function refuseContents(folder: string): void {
  if (!statSync(folder).isDirectory())
    throw new UsageError(`cannot write a dataset to "${folder}": there is a file of that name`);
  if (readdirSync(folder).length > 0)
    throw new UsageError(`the folder "${folder}" is not empty: remove it, or give the dataset another name`);
}
