/**
 * Saves the state of a run so that it cannot be lost.
 *
 * Written aside, synced, renamed; then its manifest in the same way; then the folder is synced. Only now is the
 * checkpoint acknowledged, and only now do older ones go. Whatever stops this at whichever point, the last
 * acknowledged checkpoint is untouched.
 */

import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { FormatError, StorageError } from '../errors.ts';
import type { NdArray } from '../tensor/types.ts';
import type { TrainingState } from '../training/state.ts';
import { asStorageError, removeStale, writeAside } from './aside.ts';
import { expiredCheckpoints } from './expiry.ts';
import { diskFiles, type FileOperations } from './files.ts';
import {
  type CheckpointEntry,
  checkpointEntry,
  isCheckpointName,
  listCheckpoints,
  manifestText,
  verifyCheckpoint,
} from './manifest.ts';
import { type StateTensor, writeStateFile } from './state-file.ts';

/** Which checkpoints stay. */
export interface KeepOptions {
  /** How many of the newest, 2 by default. */
  readonly keep?: number;
  /** The first checkpoint at or after each multiple of so many images stays for good; 0, the default: none. */
  readonly milestone?: number;
  /** The disk, by default. */
  readonly files?: FileOperations;
}

const busy = new Set<string>();

/** Saves a checkpoint into a folder, which is made if it is not there.
 *
 * @param folder  the run's `checkpoints/`.
 * @returns the path of the state file, once all of it is on the disk.
 * @throws StorageError when the system refuses (no space, no permission): what was saved before is intact and
 * nothing half remains.
 */
export async function writeCheckpoint(
  folder: string,
  state: TrainingState,
  { keep = 2, milestone = 0, files = diskFiles }: KeepOptions = {},
): Promise<string> {
  const place = resolve(folder);
  if (busy.has(place)) throw new FormatError(`internal: "${folder}" is being written to`);
  busy.add(place);
  try {
    const entry = await save(place, state, files);
    const expired = expiredCheckpoints(listCheckpoints(place), { keep, milestone }, isIntact);
    // A state file without manifest is no checkpoint, so the manifest goes first.
    for (const { manifest, file } of expired) {
      await files.remove(manifest);
      await files.remove(file);
    }
    return entry.file;
  } catch (error) {
    throw withLastGood(place, asStorageError(place, error));
  } finally {
    busy.delete(place);
  }
}

/** Removes what processes that are gone were writing. For the start of a run; saving does it too. */
export async function cleanCheckpoints(folder: string, files: FileOperations = diskFiles): Promise<void> {
  if (existsSync(folder)) await removeStale(files, folder, isCheckpointName);
}

async function save(folder: string, state: TrainingState, files: FileOperations): Promise<CheckpointEntry> {
  const { seen, iteration } = placeOf(state);
  mkdirSync(folder, { recursive: true });
  await cleanCheckpoints(folder, files);
  const before = listCheckpoints(folder);
  const entry = checkpointEntry(folder, (before[0]?.serial ?? 0) + 1, seen);
  const written = await writeStateFile(files, entry.file, {
    kind: 'exact',
    record: state.record,
    left: [],
    tensors: [...state.tensors].map(([name, array]) => stateTensor(name, array)),
  });
  try {
    const text = manifestText({ file: basename(entry.file), ...written, seen, iteration });
    await writeAside(files, entry.manifest, (file) => file.write(new TextEncoder().encode(text), 0));
  } catch (error) {
    await files.remove(entry.file).catch(() => {});
    throw error;
  }
  await files.syncFolder(folder);
  // The folders of a new run have to be found again, too.
  if (before.length === 0) {
    await files.syncFolder(dirname(folder));
    await files.syncFolder(dirname(dirname(folder)));
  }
  return entry;
}

function stateTensor(name: string, { dtype, shape, data }: NdArray): StateTensor {
  if (dtype !== 'float32') throw new FormatError(`internal: "${name}" of the state is ${dtype}, not float32`);
  return {
    name,
    dtype,
    shape,
    bytes: () => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

function placeOf({ record }: TrainingState): { readonly seen: number; readonly iteration: number } {
  const whole = (key: string): number => {
    const value = record[key];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw new FormatError(`internal: "${key}" of the record is ${JSON.stringify(value)}, not a count`);
  };
  return { seen: whole('seen'), iteration: whole('iteration') };
}

function isIntact(entry: CheckpointEntry): boolean {
  try {
    verifyCheckpoint(entry);
    return true;
  } catch {
    return false;
  }
}

/** Adds what somebody whose disk is full wants to know first. */
function withLastGood(folder: string, error: unknown): unknown {
  if (!(error instanceof StorageError)) return error;
  const last = lastIntact(folder);
  const way = 'Make room or give permission, then';
  return new StorageError(
    last === undefined
      ? `${error.message}; nothing was saved before. ${way} start again`
      : `${error.message}; the last checkpoint, "${basename(last.file)}" after ${last.seen} images, is intact. ${way} use --resume latest`,
  );
}

function lastIntact(folder: string): CheckpointEntry | undefined {
  try {
    return listCheckpoints(folder).find(isIntact);
  } catch {
    // The folder cannot be read, or is none: the error that is told says so already.
    return undefined;
  }
}
