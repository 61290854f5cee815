/** Finds and opens what was saved: the newest checkpoint that verifies, or a file that was named. */

import { basename, join } from 'node:path';
import { FormatError, PortraitganError } from '../errors.ts';
import type { NdArray } from '../tensor/types.ts';
import type { TrainingState } from '../training/state.ts';
import { toFloat32 } from '../weights/elements.ts';
import { openFileSource } from '../weights/file-source.ts';
import { type LazyTensor, materialize } from '../weights/lazy-tensor.ts';
import { readSafetensors } from '../weights/safetensors.ts';
import { sniff } from '../weights/sniff.ts';
import type { ByteSource } from '../weights/source.ts';
import {
  readTrainingSafetensors,
  type StateKind,
  TRAINING_FORMAT,
  type TrainingFile,
} from '../weights/training-safetensors.ts';
import { listCheckpoints, verifyCheckpoint } from './manifest.ts';
import { digestOf } from './state-file.ts';

/** More than any network of this program takes, with averages and moments. */
const MAX_STATE_BYTES = 4e9;

const NAME = /^((first|second)\/)?[GD]\/.|^[GD]_ema\/./;

/** A checkpoint that a resume cannot use. */
export interface PassedOver {
  readonly file: string;
  readonly reason: string;
}

/** The newest checkpoint that verifies. */
export interface FoundCheckpoint {
  /** Path of the state file; undefined when there is none. */
  readonly file: string | undefined;
  /** Newer ones that do not verify, newest first. */
  readonly passedOver: readonly PassedOver[];
}

/** A state that a run can go on from. */
export interface OpenedState {
  readonly file: string;
  readonly kind: StateKind;
  readonly state: TrainingState;
  /** What a person must know: how this is not the exact resume. Empty for an exact one. */
  readonly remarks: readonly string[];
}

/** The folder of a run's checkpoints. */
export function checkpointsOf(run: string): string {
  return join(run, 'checkpoints');
}

/** Looks for the newest checkpoint that verifies; reads each candidate once. */
export function findLatest(folder: string): FoundCheckpoint {
  const passedOver: PassedOver[] = [];
  for (const entry of listCheckpoints(folder)) {
    try {
      verifyCheckpoint(entry);
      return { file: entry.file, passedOver };
    } catch (error) {
      if (!(error instanceof PortraitganError)) throw error;
      passedOver.push({ file: entry.file, reason: error.message });
    }
  }
  return { file: undefined, passedOver };
}

/** Opens the newest checkpoint that verifies.
 *
 * @param folder  the run's `checkpoints/`.
 * @returns `opened`, undefined when no checkpoint verifies, and which were passed over and why.
 */
export function openLatest(folder: string): {
  readonly opened: OpenedState | undefined;
  readonly passedOver: readonly PassedOver[];
} {
  const { file, passedOver } = findLatest(folder);
  return { opened: file === undefined ? undefined : openCheckpointState(file), passedOver };
}

/** Opens a state file by its path: a checkpoint or a carry checkpoint, wherever it lies.
 *
 * All its values are read into memory.
 *
 * @throws FormatError when it is no state file, is damaged, or holds something that no run has.
 */
export function openCheckpointState(path: string): OpenedState {
  const source = openFileSource(path);
  try {
    if (source.size > MAX_STATE_BYTES)
      throw new FormatError(`a state of ${source.size} bytes; at most ${MAX_STATE_BYTES} are read`);
    const file = readTrainingSafetensors(source);
    requireDigest(source, file.digest);
    const tensors = new Map<string, NdArray>();
    for (const [name, tensor] of file.tensors) tensors.set(name, valuesOf(file.kind, name, tensor));
    return { file: path, kind: file.kind, ...completed(file, tensors) };
  } catch (error) {
    if (error instanceof PortraitganError && !error.message.includes(path))
      error.message = `"${path}": ${error.message}`;
    throw error;
  } finally {
    source.close();
  }
}

/** Verifies a state file by the checksum it carries, without reading its values; other files pass.
 *
 * @returns images shown, for a state file.
 * @throws FormatError when it is damaged.
 */
export function verifyState(path: string): { readonly seen?: number } {
  const source = openFileSource(path);
  try {
    if (sniff(source) !== 'safetensors') return {};
    if (readSafetensors(source).metadata.get('format') !== TRAINING_FORMAT) return {};
    const { digest, record } = readTrainingSafetensors(source);
    requireDigest(source, digest);
    return typeof record.seen === 'number' ? { seen: record.seen } : {};
  } finally {
    source.close();
  }
}

function requireDigest(source: ByteSource, digest: string): void {
  if (digestOf(source) !== digest)
    throw new FormatError('the file is damaged: its checksum is not the one that was written');
}

function valuesOf(kind: StateKind, name: string, tensor: LazyTensor): NdArray {
  if (!NAME.test(name))
    throw new FormatError(`it holds ${JSON.stringify(name.slice(0, 80))}, which no run has`);
  const expected = kind === 'carry' ? 'float16' : 'float32';
  if (tensor.dtype !== expected)
    throw new FormatError(`"${name.slice(0, 80)}" is ${tensor.dtype}, not ${expected}`);
  return { dtype: 'float32', shape: tensor.shape, data: toFloat32(materialize(tensor)) };
}

/** Puts networks that were left out back in the place of their averages. */
function completed({ kind, record, left }: TrainingFile, tensors: Map<string, NdArray>) {
  for (const network of left) {
    const average = `${network}_ema/`;
    for (const [name, array] of [...tensors]) {
      if (name.startsWith(average))
        tensors.set(`${network}/${name.slice(average.length)}`, { ...array, data: array.data.slice() });
    }
  }
  const state: TrainingState = { tensors, record };
  if (kind === 'exact') return { state, remarks: [] };
  const remarks = [
    'a carry checkpoint: weights are rounded to half precision and moments start fresh; this is not the exact resume',
    ...left.map((network) => `${network} starts from its average ${network}_ema`),
  ];
  return { state, remarks };
}

/** What was passed over, as a sentence. */
export function tellPassedOver({ file, reason }: PassedOver): string {
  return `passed over "${basename(file)}": ${reason}`;
}
