/** Writes files aside and renames them into place, so that a reader never meets half a file. Node only. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { FormatError } from '../errors.ts';

/** Appends bytes to the file being written. */
export type WriteBytes = (bytes: Uint8Array) => void;

/** Calls `produce` with a writer for a temporary file beside `path`, then renames it to `path`.
 *
 * On any error the temporary file is removed and `path` is as it was.
 */
export function writeAside(path: string, produce: (write: WriteBytes) => void): void {
  const temporary = `${path}.tmp-${process.pid}`;
  let descriptor: number;
  try {
    descriptor = openSync(temporary, 'w');
  } catch (error) {
    throw new FormatError(`cannot write "${path}": ${error instanceof Error ? error.message : error}`);
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
    throw error;
  }
}
