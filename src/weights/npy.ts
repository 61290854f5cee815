/**
 * NumPy's `.npy` files, both ways: versions 1.0 to 3.0, plain numbers, both byte orders, both memory orders.
 *
 * Browser-safe. Object arrays hold pickles and are refused.
 */

import { FormatError } from '../errors.ts';
import { sizeOf, stridesOf } from '../tensor/types.ts';
import {
  bytesOfElements,
  checkedSize,
  ELEMENT_BYTES,
  type ElementArray,
  type ElementType,
} from './elements.ts';
import { type LazyTensor, type Storage, stridedView } from './lazy-tensor.ts';
import { elementTypeOf, fortranStrides } from './numpy-records.ts';
import { latin1 } from './pickle-text.ts';
import { type ByteSource, bytesSource } from './source.ts';

/** Element types that NumPy knows. */
export type NpyType = Exclude<ElementType, 'bfloat16'>;

/** An array as `.npy` stores it, row-major. */
export interface NpyArray {
  readonly dtype: NpyType;
  readonly shape: readonly number[];
  /** `float16` holds raw 16-bit patterns, `bool` one byte each. */
  readonly data: ElementArray;
}

/** Longest header; NumPy itself warns above 10,000. */
const MAX_HEADER_BYTES = 65536;

const MAGIC = '\x93NUMPY';

const TYPE_CODES: Readonly<Record<NpyType, string>> = {
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
  bool: '|b1',
};

/** Reads the header of a `.npy` file; the values stay where they are until `read`.
 *
 * @throws FormatError when it is not one, holds objects or structures, or has another length than its shape.
 */
export function openNpy(source: ByteSource): LazyTensor {
  if (source.size < 10 || latin1(source.read(0, 6)) !== MAGIC) throw new FormatError('not a .npy file', 0);
  const major = source.read(6, 1)[0];
  if (major < 1 || major > 3) throw new FormatError(`.npy version ${major}; 1 to 3 are known`, 6);
  const wide = major >= 2;
  const b = source.read(8, wide ? 4 : 2);
  const length = wide ? (b[0] | (b[1] << 8) | (b[2] << 16) | (b[3] << 24)) >>> 0 : b[0] | (b[1] << 8);
  const start = wide ? 12 : 10;
  if (length > MAX_HEADER_BYTES) throw new FormatError(`a .npy header of ${length} bytes`, 8);
  const { descr, fortran, shape } = parseHeader(latin1(source.read(start, length)), start);
  const { dtype, bigEndian } = elementTypeOf(descr, start);
  const count = checkedSize(shape, start);
  const bytes = count * ELEMENT_BYTES[dtype];
  const stored = source.size - start - length;
  if (stored !== bytes) {
    const difference = stored < bytes ? `${bytes - stored} are missing` : `${stored - bytes} are too many`;
    throw new FormatError(
      `an array of ${dtype} [${shape.join(', ')}] takes ${bytes} bytes; ${difference}`,
      start + length,
    );
  }
  const storage: Storage = { dtype, source, byteOffset: start + length, length: count, bigEndian };
  return stridedView(storage, 0, shape, fortran ? fortranStrides(shape) : stridesOf(shape), start);
}

/** Reads a whole `.npy` file. */
export function readNpy(bytes: Uint8Array | ByteSource): NpyArray {
  const tensor = openNpy(bytes instanceof Uint8Array ? bytesSource(bytes) : bytes);
  return { dtype: tensor.dtype as NpyType, shape: tensor.shape, data: tensor.read() };
}

/** The header is a Python dictionary literal with exactly three keys, in any order. */
function parseHeader(text: string, at: number) {
  const broken = (what: string) => new FormatError(`broken .npy header: ${what}`, at);
  const inner = /^\s*\{(.*)\}\s*$/s.exec(text);
  if (!inner) throw broken('not a dictionary');
  const found = new Map<string, string>();
  const entry = /\s*(['"])(\w+)\1\s*:\s*('[^']*'|"[^"]*"|True|False|\([0-9L,\s]*\)|\[.*\])\s*(,|$)/sy;
  while (entry.lastIndex < inner[1].length) {
    const from = entry.lastIndex;
    const match = entry.exec(inner[1]);
    if (!match) {
      if (inner[1].slice(from).trim() === '') break;
      throw broken(`cannot read ${JSON.stringify(inner[1].slice(from, from + 40))}`);
    }
    if (found.has(match[2])) throw broken(`${match[2]} occurs twice`);
    found.set(match[2], match[3]);
  }
  const descr = found.get('descr');
  const order = found.get('fortran_order');
  const shapeText = found.get('shape');
  if (found.size !== 3 || !descr || !order || !shapeText)
    throw broken('it needs descr, fortran_order and shape');
  if (descr.startsWith('[')) throw new FormatError('structured arrays are not supported', at);
  if (!/^['"]/.test(descr) || (order !== 'True' && order !== 'False'))
    throw broken('a value of the wrong kind');
  return { descr: descr.slice(1, -1), fortran: order === 'True', shape: parseShape(shapeText, broken) };
}

function parseShape(text: string, broken: (what: string) => FormatError): number[] {
  if (!text.startsWith('(')) throw broken('the shape is no tuple');
  const inner = text.slice(1, -1).trim();
  if (inner === '') return [];
  const parts = inner.split(',').map((part) => part.trim());
  if (parts.length === 1) throw broken('the shape is no tuple');
  if (parts[parts.length - 1] === '') parts.pop();
  return parts.map((part) => {
    if (!/^[0-9]{1,16}L?$/.test(part)) throw broken(`the extent ${JSON.stringify(part.slice(0, 20))}`);
    return Number(part.replace('L', ''));
  });
}

/** The bytes of a `.npy` file, version 1.0, as NumPy writes it.
 *
 * @throws FormatError when shape and data disagree.
 */
export function encodeNpy(array: NpyArray): Uint8Array {
  const { dtype, shape, data } = array;
  if (sizeOf(shape) !== data.length || data.BYTES_PER_ELEMENT !== ELEMENT_BYTES[dtype]) {
    throw new FormatError(`internal: ${data.length} elements for ${dtype} [${shape.join(', ')}]`);
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dictionary = `{'descr': '${TYPE_CODES[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const total = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const header = `${dictionary.padEnd(total - 11, ' ')}\n`;
  const bytes = new Uint8Array(total + data.byteLength);
  for (let i = 0; i < 6; i++) bytes[i] = MAGIC.charCodeAt(i);
  bytes[6] = 1;
  bytes[8] = header.length & 255;
  bytes[9] = header.length >>> 8;
  for (let i = 0; i < header.length; i++) bytes[10 + i] = header.charCodeAt(i);
  bytes.set(bytesOfElements(data), total);
  return bytes;
}
