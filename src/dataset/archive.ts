/** Archives of pictures: zips, or folders of the same layout. Members are read at random, several at a time. */

import { readdirSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { DatasetError, PortraitganError, UsageError } from '../errors.ts';
import { openZip } from '../weights/zip-archive.ts';
import { byCodePoint } from './names.ts';

/** Files by name; names use `/` and are sorted by code point. */
export interface Archive {
  readonly path: string;
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Reads a file. @throws DatasetError when it is not there, broken or larger than `maxBytes`. */
  read(name: string, maxBytes?: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** More is no picture for training. */
const MAX_PICTURE_BYTES = 256 * 2 ** 20;

/** Opens a zip or a folder.
 *
 * @throws UsageError when there is none, DatasetError when the zip is broken.
 */
export async function openArchive(path: string): Promise<Archive> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new UsageError(`there is no file or folder "${path}"`);
  if (found.isDirectory()) return folderArchive(path);
  const zip = await asDatasetError(path, () => openZip(path));
  return {
    path,
    names: zip.names.filter((name) => !name.endsWith('/')).sort(byCodePoint),
    has: (name) => zip.has(name),
    read: (name, maxBytes = MAX_PICTURE_BYTES) => asDatasetError(path, () => zip.read(name, maxBytes)),
    close: () => zip.close(),
  };
}

async function asDatasetError<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PortraitganError)) throw error;
    throw new DatasetError(`"${path}": ${error.message}`);
  }
}

function folderArchive(path: string): Archive {
  const names: string[] = [];
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    // Links to files count as files; links to folders are not followed.
    if (entry.isFile() || (entry.isSymbolicLink() && statSync(file, { throwIfNoEntry: false })?.isFile()))
      names.push(relative(resolve(path), resolve(file)).split(sep).join('/'));
  }
  names.sort(byCodePoint);
  const known = new Set(names);
  return {
    path,
    names,
    has: (name) => known.has(name),
    async read(name, maxBytes = MAX_PICTURE_BYTES) {
      if (!known.has(name)) throw new DatasetError(`"${path}" has no file ${JSON.stringify(name)}`);
      const file = await open(join(path, name), 'r');
      try {
        const { size } = await file.stat();
        if (size > maxBytes) {
          throw new DatasetError(`"${join(path, name)}" has ${size} bytes; at most ${maxBytes} are read`);
        }
        return await file.readFile();
      } finally {
        await file.close();
      }
    },
    close: async () => {},
  };
}
