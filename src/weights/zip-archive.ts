/**
 * A zip of many members that stays open: members are read at random positions, several at a time. Node only.
 *
 * yauzl lists the central directory once, through a window over the file, so that a million members take
 * seconds and about two hundred bytes each. What `zip-read.ts` checks of every member before the first is read
 * is checked here too, except for the members' own headers: they are compared when the member is read.
 */

import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import * as yauzl from 'yauzl';
import { FormatError, PortraitganError } from '../errors.ts';
import { memberLabel, refuseEntry } from './zip-read.ts';

/** Members of an open zip, by name. */
export interface ZipArchive {
  /** Names in the order of the central directory; folders, whose names end in `/`, included. */
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Bytes of a member, inflated. */
  size(name: string): number;
  /** Reads a member and verifies its checksum; calls may overlap.
   *
   * @throws FormatError when the member is broken or larger than `maxBytes`.
   */
  read(name: string, maxBytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

const MAX_MEMBERS = 5_000_000;
const WINDOW_BYTES = 1 << 18;
const LOCAL_HEADER_BYTES = 30;
const LOCAL_HEADER_SIGNATURE = 0x04034b50;

/** Extra fields of local headers are mostly shorter: header and data then take one read. */
const USUAL_EXTRA_BYTES = 64;

const inflate = promisify(inflateRaw);

/** Opens a zip. @throws FormatError for anything wrong with its directory. */
export async function openZip(path: string): Promise<ZipArchive> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const table = await listEntries(new WindowReader(file), size);
    return archiveOf(file, table);
  } catch (error) {
    await file.close();
    if (error instanceof PortraitganError) throw error;
    throw new FormatError(`zip: ${error instanceof Error ? error.message : error}`);
  }
}

interface Entries {
  readonly names: string[];
  readonly index: Map<string, number>;
  /** Columns; offsets and sizes go beyond 32 bits. */
  readonly offset: Float64Array;
  readonly packed: Float64Array;
  readonly size: Float64Array;
  readonly checksum: Uint32Array;
  readonly deflated: Uint8Array;
  /** Of the name as stored, which may not be UTF-8. */
  readonly nameBytes: Uint16Array;
  readonly nameChecksum: Uint32Array;
}

async function listEntries(reader: WindowReader, fileSize: number): Promise<Entries> {
  const zip = await yauzl.fromRandomAccessReaderPromise(reader, fileSize, {
    lazyEntries: true,
    autoClose: false,
    validateEntrySizes: true,
    strictFileNames: true,
  });
  const count = zip.entryCount;
  if (count > MAX_MEMBERS) throw new FormatError(`zip: ${count} members; at most ${MAX_MEMBERS}`);
  // A directory record takes 46 bytes: what claims more is refused before memory is taken for it.
  if (count * 46 > fileSize) throw new FormatError(`zip: ${count} members cannot fit into ${fileSize} bytes`);
  const entries: Entries = {
    names: [],
    index: new Map(),
    offset: new Float64Array(count),
    packed: new Float64Array(count),
    size: new Float64Array(count),
    checksum: new Uint32Array(count),
    deflated: new Uint8Array(count),
    nameBytes: new Uint16Array(count),
    nameChecksum: new Uint32Array(count),
  };
  for await (const entry of zip.eachEntry()) {
    const i = entries.names.length;
    const at = entry.relativeOffsetOfLocalHeader;
    if (entries.index.has(entry.fileName))
      throw new FormatError(`${memberLabel(entry.fileName)} occurs twice`, at);
    refuseEntry(entry);
    entries.names.push(entry.fileName);
    entries.index.set(entry.fileName, i);
    entries.offset[i] = at;
    entries.packed[i] = entry.compressedSize;
    entries.size[i] = entry.uncompressedSize;
    entries.checksum[i] = entry.crc32;
    entries.deflated[i] = entry.compressionMethod === 8 ? 1 : 0;
    entries.nameBytes[i] = entry.fileNameRaw.length;
    entries.nameChecksum[i] = crc32(entry.fileNameRaw);
  }
  refuseOverlaps(entries);
  return entries;
}

/** Extra fields of local headers are not known here: members must not overlap even without them. */
function refuseOverlaps({ names, offset, packed, nameBytes }: Entries): void {
  const order = Uint32Array.from(names.keys()).sort((a, b) => offset[a] - offset[b]);
  for (let k = 1; k < order.length; k++) {
    const before = order[k - 1];
    if (offset[order[k]] < offset[before] + LOCAL_HEADER_BYTES + nameBytes[before] + packed[before])
      throw new FormatError('zip: members overlap', offset[order[k]]);
  }
}

function archiveOf(file: FileHandle, entries: Entries): ZipArchive {
  const find = (name: string): number => {
    const i = entries.index.get(name);
    if (i === undefined) throw new FormatError(`zip: there is no member ${JSON.stringify(name)}`);
    return i;
  };
  return {
    names: entries.names,
    has: (name) => entries.index.has(name),
    size: (name) => entries.size[find(name)],
    read: async (name, maxBytes) => readEntry(file, entries, find(name), maxBytes),
    close: () => file.close(),
  };
}

async function readEntry(file: FileHandle, entries: Entries, i: number, maxBytes: number) {
  const [at, size, packed] = [entries.offset[i], entries.size[i], entries.packed[i]];
  const label = memberLabel(entries.names[i]);
  if (size > maxBytes || packed > 2 * maxBytes)
    throw new FormatError(`${label} has ${size} bytes; at most ${maxBytes} are read`, at);
  const head = LOCAL_HEADER_BYTES + entries.nameBytes[i];
  const bytes = await readAt(file, at, head + USUAL_EXTRA_BYTES + packed);
  if (bytes.length < head || bytes.readUInt32LE(0) !== LOCAL_HEADER_SIGNATURE)
    throw new FormatError(`${label} has no header of its own`, at);
  const nameBytes = bytes.readUInt16LE(26);
  const name = bytes.subarray(LOCAL_HEADER_BYTES, head);
  if (
    nameBytes !== entries.nameBytes[i] ||
    crc32(name) !== entries.nameChecksum[i] ||
    (bytes.readUInt16LE(8) === 8 ? 1 : 0) !== entries.deflated[i]
  ) {
    throw new FormatError(`${label} has another name or method in its own header`, at);
  }
  const start = head + bytes.readUInt16LE(28);
  const data =
    start + packed <= bytes.length
      ? bytes.subarray(start, start + packed)
      : await readAt(file, at + start, packed);
  if (data.length < packed) throw new FormatError(`${label} is cut off`, at);
  const content = entries.deflated[i] ? await inflated(data, size, label, at) : data;
  if (content.length !== size) throw new FormatError(`${label} is shorter than declared`, at);
  if (crc32(content) !== entries.checksum[i]) throw new FormatError(`${label} has a wrong checksum`, at);
  return content;
}

async function inflated(data: Buffer, size: number, label: string, at: number): Promise<Buffer> {
  try {
    // Zlib wants room for at least one byte.
    return await inflate(data, { maxOutputLength: Math.max(size, 1) });
  } catch (error) {
    throw new FormatError(`${label}: ${error instanceof Error ? error.message : error}`, at);
  }
}

/** As many bytes as there are, up to `length`. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

/** Serves the short reads of a listing from one window of the file. */
class WindowReader extends yauzl.RandomAccessReader {
  readonly #file: FileHandle;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(file: FileHandle) {
    super();
    this.#file = file;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null) => void,
  ): void {
    const copy = (): boolean => {
      const from = position - this.#start;
      if (from < 0 || from + length > this.#window.length) return false;
      this.#window.copy(buffer, offset, from, from + length);
      return true;
    };
    if (copy()) {
      done(null);
      return;
    }
    readAt(this.#file, position, Math.max(length, WINDOW_BYTES)).then((bytes) => {
      [this.#window, this.#start] = [bytes, position];
      done(copy() ? null : new Error('the file is truncated'));
    }, done);
  }

  override close(done: (error: Error | null) => void): void {
    done(null);
  }
}
