/** A byte source over a file on disk. Node only. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { FormatError } from '../errors.ts';
import { type ByteSource, checkRange } from './source.ts';

/** Small reads are served from a window of this many bytes. */
const WINDOW_BYTES = 32 * 1024;

/** Reads of at most this size fill the window; longer ones go to the file directly. */
const SMALL_READ = 4 * 1024;

/** A source that holds a file open. */
export interface FileSource extends ByteSource {
  readonly path: string;
  /** Gives the file handle back; reading afterwards fails. */
  close(): void;
}

/** Opens a file for random access.
 *
 * @throws FormatError when the path is missing, unreadable or not a regular file.
 */
export function openFileSource(path: string): FileSource {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw new FormatError(`cannot open "${path}": ${reason(error)}`);
  }
  const status = fstatSync(descriptor);
  if (!status.isFile()) {
    closeSync(descriptor);
    throw new FormatError(`"${path}" is ${status.isDirectory() ? 'a folder' : 'not a regular file'}`);
  }
  const size = status.size;
  let window: Uint8Array = new Uint8Array(0);
  let windowStart = 0;
  let open = true;

  function load(offset: number, length: number): Uint8Array {
    if (!open) throw new FormatError(`"${path}" was closed; open it again to read tensors`);
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      let got: number;
      try {
        got = readSync(descriptor, bytes, done, length - done, offset + done);
      } catch (error) {
        throw new FormatError(`cannot read "${path}": ${reason(error)}`, offset + done);
      }
      if (got === 0) throw new FormatError(`"${path}" became shorter while it was read`, offset + done);
      done += got;
    }
    return bytes;
  }

  return {
    path,
    size,
    read(offset, length) {
      checkRange(size, offset, length);
      if (length > SMALL_READ) return load(offset, length);
      const start = offset - windowStart;
      if (start >= 0 && start + length <= window.length) return window.subarray(start, start + length);
      // A fresh array each time: views given out earlier stay valid.
      window = load(offset, Math.min(WINDOW_BYTES, size - offset));
      windowStart = offset;
      return window.subarray(0, length);
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : error.message;
}
