/**
 * Names of checkpoints and the manifests that make them count.
 *
 * `checkpoint-SERIAL-seen-IMAGES.safetensors` holds the state, the `.json` beside it its size and checksum. Serials
 * only grow, so no checkpoint is ever written over another, and the newest is that of the highest serial also
 * when a run went back to an earlier one. Without a manifest that verifies there is no checkpoint.
 */

import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FormatError } from '../errors.ts';
import { openFileSource } from '../weights/file-source.ts';
import { parseStrictJson } from '../weights/json-strict.ts';
import { utf8Text } from '../weights/pickle-text.ts';
import type { Json } from '../weights/plain.ts';
import { digestOf } from './state-file.ts';

const FORMAT = 'portraitgan-checkpoint';
const VERSION = 1;

/** Far more than a manifest takes. */
const MAX_MANIFEST_BYTES = 64 * 1024;

/** What a manifest says. */
export interface Manifest {
  /** Name of the state file beside it. */
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 of the state file, its own field as zeros. */
  readonly sha256: string;
  /** Images shown. */
  readonly seen: number;
  readonly iteration: number;
}

/** Files of one checkpoint as they lie in the folder, verified or not. */
export interface CheckpointEntry {
  readonly serial: number;
  readonly seen: number;
  /** Path of the state file, whether it is there or not. */
  readonly file: string;
  /** Path of the manifest, whether it is there or not. */
  readonly manifest: string;
}

/** Whether a file belongs to a checkpoint, by its name. */
export function isCheckpointName(name: string): boolean {
  return NAME.test(name);
}

const NAME = /^(checkpoint-(\d{5,12})-seen-(\d{1,15}))\.(safetensors|json)$/;

/** The files of a checkpoint. */
export function checkpointEntry(folder: string, serial: number, seen: number): CheckpointEntry {
  const stem = join(folder, `checkpoint-${String(serial).padStart(5, '0')}-seen-${seen}`);
  return { serial, seen, file: `${stem}.safetensors`, manifest: `${stem}.json` };
}

/** What lies in a folder, newest first; nothing when there is no such folder. */
export function listCheckpoints(folder: string): CheckpointEntry[] {
  const found = new Map<string, CheckpointEntry>();
  for (const name of namesIn(folder)) {
    const match = NAME.exec(name);
    if (match !== null) found.set(match[1], checkpointEntry(folder, Number(match[2]), Number(match[3])));
  }
  return [...found.values()].sort((a, b) => b.serial - a.serial || b.seen - a.seen);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new FormatError(`cannot read the folder "${folder}": ${(error as Error).message}`);
  }
}

/** A manifest as text. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...manifest }, null, 2)}\n`;
}

/** Verifies a checkpoint: the manifest, then each byte of the state file.
 *
 * @returns what the manifest says.
 * @throws FormatError with the reason why there is no checkpoint.
 */
export function verifyCheckpoint(entry: CheckpointEntry): Manifest {
  if (!existsSync(entry.manifest)) throw new FormatError('it has no manifest: saving it was interrupted');
  const manifest = readManifest(entry);
  const source = openFileSource(entry.file);
  try {
    if (source.size !== manifest.bytes) {
      const what = source.size < manifest.bytes ? 'truncated' : 'too long';
      throw new FormatError(`it is ${what}: ${source.size} bytes where ${manifest.bytes} were written`);
    }
    if (digestOf(source) !== manifest.sha256)
      throw new FormatError('it is damaged: its checksum is not the one that was written');
    return manifest;
  } finally {
    source.close();
  }
}

function readManifest({ manifest: path, file, seen }: CheckpointEntry): Manifest {
  const source = openFileSource(path);
  try {
    if (source.size > MAX_MANIFEST_BYTES) throw new FormatError(`a manifest of ${source.size} bytes`);
    const value = parseStrictJson(utf8Text(source.read(0, source.size), 0));
    if (!isManifest(value)) throw new FormatError('the manifest is not one of this program');
    if (basename(file) !== value.file || value.seen !== seen)
      throw new FormatError('the manifest is that of another checkpoint');
    return value;
  } finally {
    source.close();
  }
}

function isManifest(value: Json): value is Json & Manifest {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
  const whole = (item: Json | undefined): boolean => Number.isSafeInteger(item) && (item as number) >= 0;
  return (
    value.format === FORMAT &&
    value.version === VERSION &&
    typeof value.file === 'string' &&
    isCheckpointName(value.file) &&
    typeof value.sha256 === 'string' &&
    whole(value.bytes) &&
    whole(value.seen) &&
    whole(value.iteration)
  );
}
