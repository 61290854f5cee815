/** Files that a command reads: there or not, and named in whatever is wrong with them. */

import { existsSync } from 'node:fs';
import { PortraitganError, StorageError, UsageError } from '../errors.ts';
import { type NpyArray, readNpz } from '../weights/index.ts';

/** Refuses a file that is not there. @param option what names it, for the message. */
export function requireFile(file: string, option = ''): void {
  if (!existsSync(file)) throw new UsageError(`there is no file "${file}"${option && ` (${option})`}`);
}

/** Runs what reads a file; an error about its content gets its name. */
export async function readingFrom<T>(file: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    // A request, or a file being written, is named already.
    const isOther = error instanceof UsageError || error instanceof StorageError;
    if (error instanceof PortraitganError && !isOther && !error.message.includes(`"${file}"`))
      error.message = `"${file}": ${error.message}`;
    throw error;
  }
}

/** All arrays of an npz file. */
export function readArrays(file: string, option: string): Promise<ReadonlyMap<string, NpyArray>> {
  requireFile(file, option);
  return readingFrom(file, () => readNpz(file));
}
