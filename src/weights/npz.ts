/** NumPy's `.npz` archives, both ways. Node only; zip through yauzl and yazl. */

import * as yazl from 'yazl';
import { FormatError, UsageError } from '../errors.ts';
import { encodeNpy, type NpyArray, readNpy } from './npy.ts';
import { writeAside } from './safe-write.ts';
import { readZip, type ZipLimits } from './zip-read.ts';

/** Reads all arrays of an archive, by name without `.npy`.
 *
 * @throws FormatError when the archive or an array is broken, holds objects, or exceeds the limits.
 */
export async function readNpz(
  file: string | Uint8Array,
  limits: ZipLimits = {},
): Promise<Map<string, NpyArray>> {
  return readZip(file, limits, async (members) => {
    const arrays = new Map<string, NpyArray>();
    for (const member of members) {
      if (!member.name.endsWith('.npy')) {
        throw new FormatError(
          `npz: the member ${JSON.stringify(member.name.slice(0, 100))} is not a .npy file`,
        );
      }
      const bytes = await member.read();
      try {
        arrays.set(member.name.slice(0, -4), readNpy(bytes));
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        throw new FormatError(`npz member ${JSON.stringify(member.name.slice(0, 100))}: ${error.message}`);
      }
    }
    return arrays;
  });
}

/** Options of {@link writeNpz}. */
export interface NpzOptions {
  /** Deflates the members; true by default. */
  readonly compress?: boolean;
}

/** Writes arrays to an archive; the same arrays give the same bytes.
 *
 * Written aside and renamed, so that `path` never holds half an archive.
 */
export async function writeNpz(
  path: string,
  arrays: Readonly<Record<string, NpyArray>>,
  options: NpzOptions = {},
): Promise<void> {
  const chunks = await encodeNpz(arrays, options);
  writeAside(path, (write) => {
    for (const chunk of chunks) write(chunk);
  });
}

async function encodeNpz(
  arrays: Readonly<Record<string, NpyArray>>,
  options: NpzOptions,
): Promise<Uint8Array[]> {
  const zip = new yazl.ZipFile();
  // Local time, as zip has it: the first day it can hold.
  const settings = {
    mtime: new Date(1980, 0, 1),
    mode: 0o100644,
    compress: options.compress ?? true,
    forceDosTimestamp: true,
  };
  for (const [name, array] of Object.entries(arrays)) {
    if (/^\/|\\|(^|\/)\.\.(\/|$)|^$|^[a-zA-Z]:/.test(name))
      throw new UsageError(`npz: "${name}" cannot name an array`);
    const bytes = encodeNpy(array);
    zip.addBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), `${name}.npy`, settings);
  }
  zip.end();
  const chunks: Uint8Array[] = [];
  for await (const chunk of zip.outputStream as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return chunks;
}
