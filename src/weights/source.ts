/**
 * Bytes at offsets: what every parser here reads from, so that a large file need not lie in memory.
 *
 * Browser-safe. The form that reads from a disk is in `file-source.ts`.
 */

import { FormatError } from '../errors.ts';

/** Random access to a fixed run of bytes. */
export interface ByteSource {
  /** Number of bytes. */
  readonly size: number;
  /** Bytes `offset .. offset + length`; the caller must not write to them. Throws FormatError past the end. */
  read(offset: number, length: number): Uint8Array;
}

/** Throws unless `length` bytes lie at `offset`. */
export function checkRange(size: number, offset: number, length: number): void {
  if (offset < 0 || length < 0 || !Number.isSafeInteger(offset) || !Number.isSafeInteger(length)) {
    throw new FormatError(`internal: read of ${length} bytes at ${offset}`);
  }
  if (offset + length > size) {
    const missing = offset + length - size;
    throw new FormatError(
      `the file ends early: ${length} bytes are needed at ${offset} but ${missing} of them are missing`,
      Math.min(offset, size),
    );
  }
}

/** A source over bytes in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(offset, length) {
      checkRange(bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** The part `offset .. offset + length` of a source, as a source. */
export function sliceSource(source: ByteSource, offset: number, length: number): ByteSource {
  checkRange(source.size, offset, length);
  return {
    size: length,
    read(start, count) {
      checkRange(length, start, count);
      return source.read(offset + start, count);
    },
  };
}
