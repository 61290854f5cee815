/**
 * Carry checkpoints: a run in at most 30 MB, to move it to another machine.
 *
 * Weights in half precision and the position, no moments. Not the exact resume, and marked as such. Where four
 * networks are too much, G and then D are left out: a resume takes them from their averages.
 */

import { dirname, resolve } from 'node:path';
import { NetworkError, UsageError } from '../errors.ts';
import { toHalves } from '../tensor/half.ts';
import type { Aval, NdArray } from '../tensor/types.ts';
import type { TrainingState } from '../training/state.ts';
import { asStorageError } from './aside.ts';
import { diskFiles, type FileOperations } from './files.ts';
import { layoutState, type StateContent, type StateTensor, writeStateFile } from './state-file.ts';

/** Most that a carry checkpoint takes. */
export const MAX_CARRY_BYTES = 30_000_000;

/** What was left out, in the order it is tried. */
const LEVELS: readonly (readonly ('G' | 'D')[])[] = [[], ['G'], ['G', 'D']];

/** A carry checkpoint that was written. */
export interface Carried {
  readonly bytes: number;
  /** Networks that a resume takes from their averages. */
  readonly left: readonly ('G' | 'D')[];
}

/** What a carry checkpoint of such a state leaves out and takes.
 *
 * @param tensors  shapes by name, as in {@link TrainingState}; moments do not count.
 * @throws UsageError when it would be larger than {@link MAX_CARRY_BYTES} whatever is left out.
 */
export function planCarry(
  tensors: ReadonlyMap<string, Aval>,
  record: TrainingState['record'],
): Carried & { readonly names: readonly string[] } {
  let smallest = 0;
  for (const left of LEVELS) {
    if (!left.every((network) => hasAverages(tensors, network))) break;
    const names = [...tensors.keys()].filter((name) => isCarried(name, left));
    const descriptors = names.map((name) => described(name, tensors.get(name) as Aval));
    const { bytes } = layoutState(contentOf(descriptors, record, left));
    if (bytes <= MAX_CARRY_BYTES) return { left, bytes, names };
    smallest = bytes;
  }
  throw new UsageError(
    `a carry checkpoint of these networks takes ${megabytes(smallest)} MB with their averages alone; ` +
      `at most ${megabytes(MAX_CARRY_BYTES)} MB are allowed: move the file of the last checkpoint instead`,
  );
}

/** Writes a carry checkpoint; it is on the disk when this returns.
 *
 * @throws UsageError when the networks are too large for one, NetworkError when a weight is beyond half precision,
 * StorageError when the system refuses; the file is then as it was.
 */
export async function writeCarry(
  path: string,
  state: TrainingState,
  files: FileOperations = diskFiles,
): Promise<Carried> {
  const { left, bytes, names } = planCarry(state.tensors, state.record);
  const tensors = names.map((name) => {
    const array = state.tensors.get(name) as NdArray;
    return { ...described(name, array), bytes: () => halves(name, array) };
  });
  await writeStateFile(files, path, contentOf(tensors, state.record, left));
  try {
    await files.syncFolder(dirname(resolve(path)));
  } catch (error) {
    throw asStorageError(path, error);
  }
  return { left, bytes };
}

function hasAverages(tensors: ReadonlyMap<string, Aval>, network: string): boolean {
  return [...tensors.keys()].every(
    (name) => !name.startsWith(`${network}/`) || tensors.has(name.replace('/', '_ema/')),
  );
}

function isCarried(name: string, left: readonly string[]): boolean {
  const network = name.slice(0, name.indexOf('/'));
  return network !== 'first' && network !== 'second' && !left.includes(network);
}

function described(name: string, { shape }: Aval): StateTensor {
  return { name, dtype: 'float16', shape, bytes: () => new Uint8Array(0) };
}

/** Moments are not carried, so no parameter has an age. */
function contentOf(
  tensors: readonly StateTensor[],
  record: TrainingState['record'],
  left: StateContent['left'],
): StateContent {
  return { kind: 'carry', record: { ...record, steps: {} }, left, tensors };
}

function halves(name: string, { data }: NdArray): Uint8Array {
  const half = toHalves(data as Float32Array);
  const lost = half.findIndex((bits, i) => (bits & 0x7fff) === 0x7c00 && Number.isFinite(data[i]));
  if (lost >= 0)
    throw new NetworkError(`"${name}" holds ${data[lost]}, which half precision cannot: no carry checkpoint`);
  return new Uint8Array(half.buffer);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
