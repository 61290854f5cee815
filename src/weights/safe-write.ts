/** Writes files aside and renames them into place, so that a reader never meets half a file. Node only. */

import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { StorageError } from '../errors.ts';

/** Appends bytes to the file being written. */
export type WriteBytes = (bytes: Uint8Array) => void;

/** Calls `produce` with a writer for a temporary file beside `path`, then renames it to `path`.
 *
 * On any error the temporary file is removed and `path` is as it was.
 */
export function writeAside(path: string, produce: (write: WriteBytes) => void): void {
  // Renaming over /dev/null would do away with the device.
  if (existsSync(path) && !statSync(path).isFile())
    throw new StorageError(`cannot write "${path}": it is not a regular file`);
  const temporary = `${path}.tmp-${process.pid}`;
  let descriptor: number;
  try {
    descriptor = openSync(temporary, 'w');
  } catch (error) {
    throw new StorageError(`cannot write "${path}": ${reasonOf(error)}`);
  }
  let open = true;
  try {
    produce((bytes) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    });
    fsyncSync(descriptor);
    closeSync(descriptor);
    open = false;
    renameSync(temporary, path);
  } catch (error) {
    if (open) closeSync(descriptor);
    rmSync(temporary, { force: true });
    throw isSystemError(error) ? new StorageError(`cannot write "${path}": ${reasonOf(error)}`) : error;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than this system allows',
  EACCES: 'permission denied',
  EPERM: 'the system does not permit it',
  EROFS: 'the file system is read-only',
  ENOENT: 'no such folder',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'there is a file of that name',
  EIO: 'the disk reports an error',
};

/** Whether an error comes from the system, such as a full disk. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return (
    error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string' && 'syscall' in error
  );
}

/** What went wrong, for people. */
export function reasonOf(error: unknown): string {
  if (!isSystemError(error)) return error instanceof Error ? error.message : String(error);
  return REASONS[error.code ?? ''] ?? error.message;
}
