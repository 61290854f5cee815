/** A file that grows while something else is computed: written aside, then renamed. Node only. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { FormatError } from '../../errors.ts';

/** A file being written. After `commit` or `discard` it takes nothing more. */
export interface AsideFile {
  write(bytes: Uint8Array): void;
  /** Overwrites what was written earlier. */
  patch(offset: number, bytes: Uint8Array): void;
  /** Gives the file its name. */
  commit(): void;
  /** Takes it away; does nothing after `commit`. */
  discard(): void;
}

/** The name a file has while it is written: the one that the command line removes after an interruption. */
export function asideName(path: string): string {
  return `${path}.tmp-${process.pid}`;
}

/** Opens a file aside.
 *
 * @throws FormatError when it cannot be made.
 */
export function openAside(path: string): AsideFile {
  const temporary = asideName(path);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(temporary, 'w');
  } catch (error) {
    throw new FormatError(`cannot write "${path}": ${error instanceof Error ? error.message : error}`);
  }
  const writeAll = (bytes: Uint8Array, offset: number | null): void => {
    for (let done = 0; done < bytes.length; )
      done += writeSync(
        descriptor!,
        bytes,
        done,
        bytes.length - done,
        offset === null ? null : offset + done,
      );
  };
  const close = (): void => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  let ended = false;
  return {
    write: (bytes) => writeAll(bytes, null),
    patch: (offset, bytes) => writeAll(bytes, offset),
    commit() {
      fsyncSync(descriptor!);
      close();
      renameSync(temporary, path);
      ended = true;
    },
    discard() {
      if (ended) return;
      close();
      rmSync(temporary, { force: true });
      ended = true;
    },
  };
}
