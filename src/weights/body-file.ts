/**
 * Body model files: the SMPL pickle layout and its `.npz` form, as named dense arrays. Node only.
 *
 * Spec page 3.7. Only numbers are taken: arrays, sparse matrices (made dense), chumpy values. What the numbers
 * mean is the business of `src/body`.
 */

import { FormatError } from '../errors.ts';
import { openFileSource } from './file-source.ts';
import type { NpyArray, NpyType } from './npy.ts';
import { readNpz } from './npz.ts';
import { numericFieldOf } from './numpy-records.ts';
import { readPickle } from './pickle.ts';
import { describeValue, type PickleValue } from './pickle-types.ts';
import { mappingOf } from './pickle-values.ts';
import { sniff } from './sniff.ts';
import { type ByteSource, bytesSource } from './source.ts';

/** A body file needs at least these fields. */
export const BODY_FIELDS = [
  'v_template',
  'f',
  'weights',
  'J_regressor',
  'kintree_table',
  'posedirs',
  'shapedirs',
];

/** Whether the names are those of a body model. */
export function isBody(names: { has(name: string): boolean }): boolean {
  return BODY_FIELDS.every((name) => names.has(name));
}

/** Reads every numeric field of a body file, told apart by content: SMPL pickle or `.npz`.
 *
 * @throws FormatError when the file is neither, or lacks one of {@link BODY_FIELDS}.
 */
export async function readBodyFile(file: string | Uint8Array): Promise<Map<string, NpyArray>> {
  const source = typeof file === 'string' ? openFileSource(file) : undefined;
  try {
    return await readFields(file, source ?? bytesSource(file as Uint8Array));
  } finally {
    source?.close();
  }
}

async function readFields(file: string | Uint8Array, source: ByteSource): Promise<Map<string, NpyArray>> {
  const kind = sniff(source);
  if (kind !== 'pickle' && kind !== 'zip') {
    throw new FormatError(`a body model is a pickle (.pkl) or an archive (.npz); this file is: ${kind}`);
  }
  const fields = kind === 'zip' ? await readNpz(file) : bodyFields(readPickle(source).value, source.size);
  if (!isBody(fields)) {
    const missing = BODY_FIELDS.filter((name) => !fields.has(name));
    throw new FormatError(`the file is not a body model: it has no ${missing.join(', ')}`);
  }
  return fields;
}

/** Shared arrays and sparse matrices may add up to this much more than the file holds. */
const EXPANSION_FLOOR = 64 * 1024 * 1024;

/** The numeric fields of a body pickle; others are left out.
 *
 * @param fileSize  bytes of the file, which bounds what its arrays may add up to.
 */
export function bodyFields(value: PickleValue, fileSize: number): Map<string, NpyArray> {
  const mapping = mappingOf(value);
  if (!mapping) throw new FormatError(`the pickle holds ${describeValue(value)}, not a body dictionary`);
  const fields = new Map<string, NpyArray>();
  let total = 0;
  for (const [key, item] of mapping) {
    if (typeof key !== 'string') continue;
    const array = numericFieldOf(item);
    total += array?.data.byteLength ?? 0;
    if (total > 4 * fileSize + EXPANSION_FLOOR) {
      throw new FormatError('the arrays add up to far more bytes than the file has');
    }
    if (array) fields.set(key, { dtype: array.dtype as NpyType, shape: array.shape, data: array.data });
  }
  return fields;
}
