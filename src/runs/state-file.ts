/**
 * State files: written in one pass through a small buffer, verified by the digest that they carry.
 *
 * The layout is that of `weights/training-safetensors.ts`.
 */

import { createHash } from 'node:crypto';
import { FormatError } from '../errors.ts';
import type { JsonObject } from '../portrait/config.ts';
import { layoutSafetensors, type TensorDescriptor } from '../weights/safetensors-write.ts';
import type { ByteSource } from '../weights/source.ts';
import {
  DIGEST_OFFSET,
  NO_DIGEST,
  type StateKind,
  TRAINING_FORMAT,
  TRAINING_VERSION,
} from '../weights/training-safetensors.ts';
import { writeAside } from './aside.ts';
import type { FileOperations, FileWriter } from './files.ts';

const BUFFER_BYTES = 4 * 1024 * 1024;

/** A tensor to be written. */
export interface StateTensor extends TensorDescriptor {
  /** Its little-endian values; called once. */
  bytes(): Uint8Array;
}

/** What a state file will hold. */
export interface StateContent {
  readonly kind: StateKind;
  readonly record: JsonObject;
  readonly left: readonly ('G' | 'D')[];
  readonly tensors: readonly StateTensor[];
}

/** A state file laid out, its digest still open. */
export function layoutState({ kind, record, left, tensors }: StateContent) {
  return layoutSafetensors(tensors, {
    // First, so that its place is known.
    sha256: NO_DIGEST,
    format: TRAINING_FORMAT,
    version: TRAINING_VERSION,
    kind,
    left: JSON.stringify(left),
    record: recordText(record),
  });
}

/** Writes a state file aside and renames it into place.
 *
 * @returns  its size and SHA-256, with the digest's own field as zeros.
 * @throws StorageError when the system refuses.
 */
export function writeStateFile(
  files: FileOperations,
  path: string,
  content: StateContent,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const { head, order, bytes } = layoutState(content);
  return writeAside(files, path, async (file) => {
    const hash = createHash('sha256');
    const write = buffered(file);
    const both = async (part: Uint8Array): Promise<void> => {
      hash.update(part);
      await write.bytes(part);
    };
    await both(head);
    for (const tensor of order) await both(tensor.bytes());
    await write.end();
    const sha256 = hash.digest('hex');
    await file.write(new TextEncoder().encode(sha256), DIGEST_OFFSET);
    return { bytes, sha256 };
  });
}

/** Few large writes out of many parts of any size. */
function buffered(file: FileWriter) {
  const buffer = new Uint8Array(BUFFER_BYTES);
  let [used, position] = [0, 0];
  const flush = async (): Promise<void> => {
    await file.write(buffer.subarray(0, used), position);
    position += used;
    used = 0;
  };
  return {
    async bytes(part: Uint8Array): Promise<void> {
      for (let done = 0; done < part.length; ) {
        const count = Math.min(part.length - done, BUFFER_BYTES - used);
        buffer.set(part.subarray(done, done + count), used);
        used += count;
        done += count;
        if (used === BUFFER_BYTES) await flush();
      }
    },
    end: flush,
  };
}

/** SHA-256 of a state file, its own field as zeros.
 *
 * @throws FormatError when the file ends before that field does.
 */
export function digestOf(source: ByteSource): string {
  const hash = createHash('sha256');
  const after = DIGEST_OFFSET + NO_DIGEST.length;
  if (source.size < after) throw new FormatError(`the file ends early: it has ${source.size} bytes`);
  hash.update(source.read(0, DIGEST_OFFSET)).update(NO_DIGEST);
  for (let at = after; at < source.size; at += BUFFER_BYTES)
    hash.update(source.read(at, Math.min(BUFFER_BYTES, source.size - at)));
  return hash.digest('hex');
}

/** A record as JSON; numbers that JSON would change silently are a mistake of ours. */
function recordText(record: JsonObject): string {
  return JSON.stringify(record, (key, value: unknown) => {
    const lost = typeof value === 'number' ? !Number.isFinite(value) : value === undefined;
    if (lost) throw new FormatError(`internal: "${key}" of the record is ${value}, which JSON cannot hold`);
    return value;
  });
}
