/**
 * Writes zips of pictures: members stored, one after another, with bytes that depend on nothing else.
 *
 * A writer of its own beside yazl, which keeps every member in memory until the end and searches all of them at
 * each step: here a member is gone once written, and a hundred bytes remain of it. Zip64 where needed. Not for
 * single members of 4 GiB or more.
 */

import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { DatasetError } from '../errors.ts';

/** A zip being written. */
export interface ZipWriter {
  /** Adds a member given in pieces; `pieces` is called twice and must give the same. */
  add(name: string, pieces: () => Iterable<Uint8Array>): Promise<void>;
  /** Writes the directory and everything to the disk, and closes the file. */
  finish(): Promise<void>;
  /** Closes the file as it is. */
  close(): Promise<void>;
}

const MAX_32 = 0xffffffff;
const MAX_16 = 0xffff;
const UTF8_NAME = 0x800;
/** 1 January 1980, the first day that a zip can hold. */
const FIRST_DAY = 0x21;
const VERSION = 20;
const VERSION_ZIP64 = 45;
const UNIX = 3 << 8;
const PLAIN_FILE = 0o100644 * 0x10000;

/** Creates the file. */
export async function createZip(path: string): Promise<ZipWriter> {
  const file = await open(path, 'w');
  const directory: Buffer[] = [];
  let at = 0;
  const write = async (bytes: Uint8Array): Promise<void> => {
    await writeAll(file, bytes, at);
    at += bytes.length;
  };
  return {
    async add(name, pieces) {
      let [checksum, size] = [0, 0];
      for (const piece of pieces()) {
        checksum = crc32(piece, checksum);
        size += piece.length;
      }
      if (size >= MAX_32)
        throw new DatasetError(`${name} has ${size} bytes; at most ${MAX_32 - 1} fit into a zip`);
      const member = { name: Buffer.from(name), checksum, size, at };
      await write(localHeader(member));
      for (const piece of pieces()) await write(piece);
      directory.push(directoryRecord(member));
    },
    async finish() {
      const start = at;
      for (const record of directory) await write(record);
      await write(endRecords(directory.length, start, at - start));
      await file.sync();
      await file.close();
    },
    close: () => file.close(),
  };
}

interface Member {
  readonly name: Buffer;
  readonly checksum: number;
  readonly size: number;
  readonly at: number;
}

/** What both headers say: flags, method, time, day, checksum, sizes and the length of the name. */
function commonFields({ name, checksum, size }: Member, version: number, extra: number): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(version, 0);
  fields.writeUInt16LE(UTF8_NAME, 2);
  fields.writeUInt16LE(FIRST_DAY, 8);
  fields.writeUInt32LE(checksum, 10);
  fields.writeUInt32LE(size, 14);
  fields.writeUInt32LE(size, 18);
  fields.writeUInt16LE(name.length, 22);
  fields.writeUInt16LE(extra, 24);
  return fields;
}

function localHeader(member: Member): Buffer {
  return Buffer.concat([uint32(0x04034b50), commonFields(member, VERSION, 0), member.name]);
}

function directoryRecord(member: Member): Buffer {
  const far = member.at >= MAX_32;
  const extra = far ? Buffer.concat([uint16(1), uint16(8), uint64(member.at)]) : Buffer.alloc(0);
  const version = far ? VERSION_ZIP64 : VERSION;
  // Length of the comment, disk, internal attributes; external attributes; offset.
  const rest = Buffer.concat([Buffer.alloc(6), uint32(PLAIN_FILE), uint32(far ? MAX_32 : member.at)]);
  const head = Buffer.concat([uint32(0x02014b50), uint16(UNIX | version)]);
  return Buffer.concat([head, commonFields(member, version, extra.length), rest, member.name, extra]);
}

function endRecords(count: number, start: number, size: number): Buffer {
  const parts: Buffer[] = [];
  if (count >= MAX_16 || start >= MAX_32 || size >= MAX_32) {
    const versions = [uint16(UNIX | VERSION_ZIP64), uint16(VERSION_ZIP64), uint32(0), uint32(0)];
    parts.push(uint32(0x06064b50), uint64(44), ...versions);
    parts.push(uint64(count), uint64(count), uint64(size), uint64(start));
    // Where the record before starts: right after the directory.
    parts.push(uint32(0x07064b50), uint32(0), uint64(start + size), uint32(1));
  }
  const shown = uint16(Math.min(count, MAX_16));
  parts.push(uint32(0x06054b50), uint32(0), shown, shown);
  parts.push(uint32(Math.min(size, MAX_32)), uint32(Math.min(start, MAX_32)), uint16(0));
  return Buffer.concat(parts);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}
