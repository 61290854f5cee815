/** Writes a file aside, brings it to the disk and renames it into place: no reader meets half a file. */

import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { StorageError } from '../errors.ts';
import { isAlive } from '../lock.ts';
import { isSystemError, reasonOf } from '../weights/safe-write.ts';
import type { FileOperations, FileWriter } from './files.ts';

/** Fills the file; what it returns is handed on. */
export type Produce<T> = (writer: FileWriter) => Promise<T>;

/** Writes a file under a temporary name beside `path`, syncs it and renames it to `path`.
 *
 * The new name is on the disk only after the folder was synced, which is the caller's.
 *
 * @throws StorageError naming the file when the system refuses; nothing half is left then.
 */
export async function writeAside<T>(files: FileOperations, path: string, produce: Produce<T>): Promise<T> {
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    const writer = await files.create(temporary);
    let result: T;
    try {
      result = await produce(writer);
      await writer.sync();
    } finally {
      await writer.close();
    }
    await files.rename(temporary, path);
    return result;
  } catch (error) {
    // The first error is the one to tell.
    await files.remove(temporary).catch(() => {});
    throw asStorageError(path, error);
  }
}

/** A refusal of the system as an error that names the file; other errors as they are. */
export function asStorageError(path: string, error: unknown): unknown {
  return isSystemError(error) ? new StorageError(`cannot write "${path}": ${reasonOf(error)}`) : error;
}

/** Removes files that dead processes were writing aside.
 *
 * @param owns  whether a name, without its temporary ending, is the caller's to remove.
 */
export async function removeStale(
  files: FileOperations,
  folder: string,
  owns: (name: string) => boolean,
): Promise<void> {
  for (const name of readdirSync(folder)) {
    const match = /^(.+)\.tmp-(\d+)$/.exec(basename(name));
    if (match === null || !owns(match[1])) continue;
    const writer = Number(match[2]);
    // One of this process is from a dead one with the same number: nothing is being written now.
    if (writer === process.pid || !isAlive(writer)) await files.remove(join(folder, name));
  }
}
