/**
 * Reads zip members safely, through yauzl. Node only.
 *
 * On top of yauzl's checks: duplicate names, local headers that name another file, members that overlap,
 * sizes beyond a bound or beyond what deflate can produce, and wrong checksums are refused.
 */

import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import * as yauzl from 'yauzl';
import { FormatError, PortraitganError } from '../errors.ts';

/** Bounds of {@link readZip}. */
export interface ZipLimits {
  /** All members together, inflated; 2 GiB by default. */
  readonly maxTotalBytes?: number;
  /** Number of members; 65,536 by default. */
  readonly maxMembers?: number;
}

/** A member's name and how to get its bytes. */
export interface ZipMember {
  readonly name: string;
  readonly size: number;
  read(): Promise<Uint8Array>;
}

const DEFAULT_TOTAL = 2 * 1024 ** 3;
const DEFAULT_MEMBERS = 65536;

/** Deflate cannot do better than 1032:1. */
const MAX_DEFLATE_RATIO = 1032;

/** Calls `use` with the members of a zip, which can be read until `use` returns.
 *
 * @throws FormatError for anything wrong with the archive.
 */
export async function readZip<T>(
  file: string | Uint8Array,
  limits: ZipLimits,
  use: (members: readonly ZipMember[]) => Promise<T>,
): Promise<T> {
  const options = { lazyEntries: true, autoClose: false, validateEntrySizes: true, strictFileNames: true };
  let zip: yauzl.ZipFile | undefined;
  try {
    zip =
      typeof file === 'string'
        ? await yauzl.openPromise(file, options)
        : await yauzl.fromBufferPromise(Buffer.from(file.buffer, file.byteOffset, file.byteLength), options);
    return await use(await listMembers(zip, limits));
  } catch (error) {
    // yauzl reports what it finds as plain errors; what we threw keeps its type.
    if (error instanceof PortraitganError) throw error;
    throw new FormatError(`zip: ${error instanceof Error ? error.message : error}`);
  } finally {
    if (zip?.isOpen) zip.close();
  }
}

async function listMembers(zip: yauzl.ZipFile, limits: ZipLimits): Promise<ZipMember[]> {
  const maxTotal = limits.maxTotalBytes ?? DEFAULT_TOTAL;
  const maxMembers = limits.maxMembers ?? DEFAULT_MEMBERS;
  if (zip.entryCount > maxMembers)
    throw new FormatError(`zip: ${zip.entryCount} members; at most ${maxMembers}`);
  const members = new Map<string, ZipMember>();
  const ranges: { begin: number; end: number }[] = [];
  let total = 0;
  for await (const entry of zip.eachEntry()) {
    const {
      fileName: name,
      uncompressedSize: size,
      compressedSize: packed,
      compressionMethod: method,
    } = entry;
    const label = memberLabel(name);
    const at = entry.relativeOffsetOfLocalHeader;
    if (members.has(name)) throw new FormatError(`${label} occurs twice`, at);
    refuseEntry(entry);
    total += size;
    if (total > maxTotal) throw new FormatError(`zip: the members take more than ${maxTotal} bytes`, at);
    const local = await zip.readLocalFileHeaderPromise(entry);
    if (!local.fileName.equals(entry.fileNameRaw) || local.compressionMethod !== method) {
      throw new FormatError(`${label} has another name or method in its own header`, at);
    }
    ranges.push({ begin: at, end: local.fileDataStart + packed });
    members.set(name, { name, size, read: () => readMember(zip, entry, label) });
  }
  ranges.sort((a, b) => a.begin - b.begin);
  for (let i = 1; i < ranges.length; i++) {
    if (ranges[i].begin < ranges[i - 1].end) throw new FormatError('zip: members overlap', ranges[i].begin);
  }
  return [...members.values()];
}

/** How messages name a member. */
export function memberLabel(name: string): string {
  return `zip member ${JSON.stringify(name.slice(0, 100))}`;
}

/** Refuses what cannot be read, or cannot be true, of an entry of the central directory. */
export function refuseEntry(entry: yauzl.Entry): void {
  const { uncompressedSize: size, compressedSize: packed, compressionMethod: method } = entry;
  const at = entry.relativeOffsetOfLocalHeader;
  const label = memberLabel(entry.fileName);
  if (entry.isEncrypted()) throw new FormatError(`${label} is encrypted`, at);
  if (method !== 0 && method !== 8) throw new FormatError(`${label} uses compression method ${method}`, at);
  if (size > (method === 0 ? packed : MAX_DEFLATE_RATIO * packed))
    throw new FormatError(`${label} claims ${size} bytes out of ${packed}`, at);
}

async function readMember(zip: yauzl.ZipFile, entry: yauzl.Entry, label: string): Promise<Uint8Array> {
  const at = entry.relativeOffsetOfLocalHeader;
  const stream: Readable = await zip.openReadStreamPromise(entry);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > entry.uncompressedSize)
        throw new FormatError(`${label} inflates beyond its declared size`, at);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`${label}: ${error instanceof Error ? error.message : error}`, at);
  } finally {
    stream.destroy();
  }
  if (length !== entry.uncompressedSize) throw new FormatError(`${label} is shorter than declared`, at);
  const bytes = new Uint8Array(length);
  let next = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, next);
    next += chunk.length;
  }
  if (crc32(bytes) !== entry.crc32) throw new FormatError(`${label} has a wrong checksum`, at);
  return bytes;
}
