/**
 * Reads safetensors files: a length, a JSON header, one buffer of tensors.
 *
 * As strict as the format's own readers, so that no two readers see different tensors: the header is bounded,
 * offsets cover the buffer without holes or overlaps, shapes agree with lengths, keys occur once.
 */

import { FormatError } from '../errors.ts';
import { createCursor } from './cursor.ts';
import { checkedSize, ELEMENT_BYTES, type ElementType } from './elements.ts';
import { parseStrictJson } from './json-strict.ts';
import { contiguousView, type LazyTensor } from './lazy-tensor.ts';
import { utf8Text } from './pickle-text.ts';
import type { Json } from './plain.ts';
import type { ByteSource } from './source.ts';

/** Longest header, as the format's own readers have it. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The format's names of element types. */
export const SAFETENSORS_TYPES: Readonly<Record<string, ElementType>> = {
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
  I8: 'int8',
  I16: 'int16',
  I32: 'int32',
  I64: 'int64',
  U8: 'uint8',
  U16: 'uint16',
  U32: 'uint32',
  U64: 'uint64',
  BOOL: 'bool',
};

/** What a safetensors file holds. */
export interface Safetensors {
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, LazyTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Reads the header of a safetensors file; tensors stay in the file.
 *
 * @throws FormatError when anything is not exactly as the format demands.
 */
export function readSafetensors(source: ByteSource): Safetensors {
  const headerLength = createCursor(source).u64('header length');
  if (headerLength > MAX_HEADER_BYTES) {
    throw new FormatError(`a header of ${headerLength} bytes; at most ${MAX_HEADER_BYTES} are allowed`, 0);
  }
  const missing = 8 + headerLength - source.size;
  if (missing > 0)
    throw new FormatError(`the file ends early: ${missing} bytes of its header are missing`, source.size);
  const header = parseStrictJson(utf8Text(source.read(8, headerLength), 8), 8);
  if (!isObject(header)) throw new FormatError('the header is not a JSON object', 8);

  const start = 8 + headerLength;
  const metadata = new Map<string, string>();
  const tensors = new Map<string, LazyTensor>();
  const ranges: { name: string; begin: number; end: number }[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isObject(entry)) throw new FormatError('__metadata__ is not an object', 8);
      for (const [key, value] of Object.entries(entry)) {
        if (typeof value !== 'string')
          throw new FormatError(`metadata ${JSON.stringify(key)} is not a text`, 8);
        metadata.set(key, value);
      }
      continue;
    }
    const { dtype, shape, begin, end } = describeTensor(name, entry);
    ranges.push({ name, begin, end });
    if (start + end <= source.size) {
      const storage = {
        dtype,
        source,
        byteOffset: start + begin,
        length: (end - begin) / ELEMENT_BYTES[dtype],
      };
      tensors.set(name, contiguousView({ ...storage, bigEndian: false }, shape, 8));
    }
  }
  checkCover(ranges, source.size - start, start);
  return { tensors, metadata };
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function describeTensor(name: string, entry: Json) {
  const label = `tensor ${JSON.stringify(name.slice(0, 100))}`;
  if (!isObject(entry)) throw new FormatError(`${label} is not described by an object`, 8);
  const { dtype: typeName, shape, data_offsets: offsets, ...others } = entry;
  if (Object.keys(others).length > 0)
    throw new FormatError(`${label} has fields that the format does not know`, 8);
  const dtype =
    typeof typeName === 'string' && Object.hasOwn(SAFETENSORS_TYPES, typeName)
      ? SAFETENSORS_TYPES[typeName]
      : undefined;
  if (!dtype)
    throw new FormatError(`${label} has the unknown type ${JSON.stringify(typeName)?.slice(0, 40)}`, 8);
  if (!isNumbers(shape)) throw new FormatError(`${label} has no shape`, 8);
  if (
    !isNumbers(offsets) ||
    offsets.length !== 2 ||
    !offsets.every((o) => Number.isSafeInteger(o) && o >= 0)
  ) {
    throw new FormatError(`${label} has no data_offsets`, 8);
  }
  const [begin, end] = offsets;
  const bytes = checkedSize(shape, 8) * ELEMENT_BYTES[dtype];
  if (end - begin !== bytes) {
    throw new FormatError(
      `${label} is ${typeName} [${shape.join(', ')}] = ${bytes} bytes but has ${end - begin}`,
      8,
    );
  }
  return { dtype, shape, begin, end };
}

function isNumbers(value: Json | undefined): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

/** The ranges must fill the buffer one after another. */
function checkCover(
  ranges: { name: string; begin: number; end: number }[],
  bufferLength: number,
  start: number,
): void {
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let next = 0;
  for (const { name, begin, end } of ranges) {
    if (begin !== next) {
      const what = begin < next ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw new FormatError(
        `tensor ${JSON.stringify(name.slice(0, 100))} ${what}`,
        start + Math.min(begin, next),
      );
    }
    next = end;
  }
  if (next > bufferLength) {
    throw new FormatError(
      `the file ends early: ${next - bufferLength} bytes of its tensors are missing`,
      start + bufferLength,
    );
  }
  if (next < bufferLength)
    throw new FormatError(`${bufferLength - next} bytes belong to no tensor`, start + next);
}
