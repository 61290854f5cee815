/** Reads numbers and lines one after another from a byte source, never past a limit. */

import { FormatError } from '../errors.ts';
import type { ByteSource } from './source.ts';

/** How much is fetched from the source at a time. */
const CHUNK_BYTES = 16 * 1024;

/** A reading position with typed reads. Every read names what it is for, and errors say so. */
export interface Cursor {
  readonly source: ByteSource;
  /** Offset of the next byte. */
  position(): number;
  /** Bytes between the position and the end. */
  remaining(): number;
  /** Throws unless `length` bytes remain. */
  need(length: number, what: string): void;
  u8(what: string): number;
  u16(what: string): number;
  i32(what: string): number;
  u32(what: string): number;
  /** An unsigned 64-bit number; one beyond 2^53 is an error, for no file is that long. */
  u64(what: string): number;
  f64BigEndian(what: string): number;
  bytes(length: number, what: string): Uint8Array;
  skip(length: number, what: string): void;
  /** Bytes before the next newline, which is consumed. */
  line(limit: number, what: string): Uint8Array;
}

/** A cursor over `source` that starts at `start`. */
export function createCursor(source: ByteSource, start = 0): Cursor {
  let at = start;
  let chunk: Uint8Array = new Uint8Array(0);
  let chunkStart = 0;
  const end = source.size;

  function need(length: number, what: string): void {
    const left = end - at;
    if (length <= left) return;
    throw new FormatError(
      `the file ends early: ${what} takes ${length} bytes but ${left} remain, ${length - left} are missing`,
      at,
    );
  }

  function take(length: number, what: string): Uint8Array {
    need(length, what);
    const offset = at - chunkStart;
    at += length;
    if (offset >= 0 && offset + length <= chunk.length) return chunk.subarray(offset, offset + length);
    if (length > CHUNK_BYTES) return source.read(at - length, length);
    chunkStart = at - length;
    chunk = source.read(chunkStart, Math.min(CHUNK_BYTES, end - chunkStart));
    return chunk.subarray(0, length);
  }

  function u32(what: string): number {
    const b = take(4, what);
    return (b[0] | (b[1] << 8) | (b[2] << 16) | (b[3] << 24)) >>> 0;
  }

  function line(limit: number, what: string): Uint8Array {
    const begin = at;
    if (begin < chunkStart || begin >= chunkStart + chunk.length) {
      chunkStart = begin;
      chunk = source.read(begin, Math.min(CHUNK_BYTES, end - begin));
    }
    // Most lines end within the chunk; only long ones are searched further, up to the limit.
    let found = chunk.indexOf(10, begin - chunkStart);
    let scanned = chunkStart + chunk.length;
    found = found < 0 ? -1 : found + chunkStart;
    while (found < 0 && scanned < end && scanned - begin <= limit) {
      const part = source.read(scanned, Math.min(CHUNK_BYTES, end - scanned));
      const place = part.indexOf(10);
      if (place >= 0) found = scanned + place;
      scanned += part.length;
    }
    const length = found - begin;
    if (found >= 0 && length <= limit) {
      at = found + 1;
      return source.read(begin, length);
    }
    if (found >= 0 || scanned < end) throw new FormatError(`${what} is longer than ${limit} bytes`, begin);
    throw new FormatError(`the file ends early: ${what} has no end of line`, begin);
  }

  return {
    source,
    position: () => at,
    remaining: () => end - at,
    need,
    u8(what) {
      const offset = at - chunkStart;
      if (offset >= 0 && offset < chunk.length) {
        at++;
        return chunk[offset];
      }
      return take(1, what)[0];
    },
    u16(what) {
      const b = take(2, what);
      return b[0] | (b[1] << 8);
    },
    i32: (what) => u32(what) | 0,
    u32,
    u64(what) {
      const b = take(8, what);
      const low = (b[0] | (b[1] << 8) | (b[2] << 16) | (b[3] << 24)) >>> 0;
      const high = (b[4] | (b[5] << 8) | (b[6] << 16) | (b[7] << 24)) >>> 0;
      if (high >= 0x200000) {
        throw new FormatError(`${what} of more than 2^53 bytes, which no file can hold`, at - 8);
      }
      return high * 2 ** 32 + low;
    },
    f64BigEndian(what) {
      const b = take(8, what);
      return new DataView(b.buffer, b.byteOffset, 8).getFloat64(0, false);
    },
    bytes: take,
    skip(length, what) {
      need(length, what);
      at += length;
    },
    line,
  };
}
