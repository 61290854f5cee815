import { expect, test } from 'vitest';
import { fromBase64, golden } from '../../test/corpus/golden.ts';
import * as p from '../../test/corpus/pickle-builder.ts';
import { FormatError } from '../errors.ts';
import { toFloat32, toNdArray } from './elements.ts';
import { encodeNpy, type NpyType, readNpy } from './npy.ts';

const golds: [string, NpyType, number[]][] = [
  ['float32', 'float32', [2, 3]],
  ['fortran', 'float64', [2, 3]],
  ['big', 'int16', [2, 3]],
  ['half', 'float16', [2, 3]],
  ['bool', 'bool', [2, 3]],
  ['empty', 'int64', [0, 3]],
  ['scalar', 'uint16', []],
];

test.each(golds)('reads what NumPy writes: %s', (name, dtype, shape) => {
  const array = readNpy(fromBase64(golden.npy[name]));
  expect([array.dtype, array.shape]).toEqual([dtype, shape]);
  const expected = { bool: [0, 0, 0, 1, 1, 1], empty: [], scalar: [7] }[name] ?? [0, 1, 2, 3, 4, 5];
  expect([...toFloat32(array)]).toEqual(expected);
});

test('versions 2 and 3 of the header', () => {
  for (const text of [golden.npy2, golden.npy3]) {
    expect(readNpy(fromBase64(text))).toMatchObject({ dtype: 'float32', shape: [2, 3] });
  }
});

test.each(['float32', 'half', 'bool', 'empty', 'scalar'])('writes the bytes NumPy writes: %s', (name) => {
  const bytes = fromBase64(golden.npy[name]);
  expect(encodeNpy(readNpy(bytes))).toEqual(bytes);
});

test('object arrays are refused', () => {
  expect(() => readNpy(fromBase64(golden.npyObjects))).toThrow(/Python objects, which are not read/);
});

function npy(header: string, data: number, version = 1): Uint8Array {
  const text = p.ascii(`${header}\n`);
  const length = version === 1 ? [text.length & 255, text.length >> 8] : p.le32(text.length);
  return p.join([0x93], p.ascii('NUMPY'), [version, 0], length, text, new Uint8Array(data));
}
const header = (descr: string, shape: string, order = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

test.each<[string, Uint8Array, RegExp]>([
  ['not npy', p.ascii('NUMPY12345'), /not a .npy file/],
  ['version 9', npy(header("'|u1'", '(2,)'), 2, 9), /version 9/],
  [
    'a header of 4 GB',
    p.join([0x93], p.ascii('NUMPY'), [2, 0, 255, 255, 255, 255]),
    /header of 4294967295 bytes/,
  ],
  ['a header that is cut', fromBase64(golden.npy.float32).subarray(0, 60), /ends early/],
  ['missing values', npy(header("'<f4'", '(2,)'), 7), /takes 8 bytes; 1 are missing/],
  ['too many values', npy(header("'<f4'", '(2,)'), 9), /1 are too many/],
  ['structures', npy(header("[('a', '<f4')]", '(2,)'), 8), /structured arrays/],
  ['texts', npy(header("'<U4'", '(2,)'), 32), /"<U4" are not supported/],
  ['no tuple', npy(header("'|u1'", '(2)'), 2), /no tuple/],
  ['a negative extent', npy(header("'|u1'", '(-2,)'), 2), /broken .npy header/],
  ['an absurd shape', npy(header("'|u1'", '(4294967296, 4294967296, 0)'), 0), /too large/],
  ['code', npy(header('__import__("os")', '(2,)'), 2), /broken .npy header/],
  [
    'a key twice',
    npy("{'descr': '|u1', 'descr': '|i1', 'fortran_order': False, 'shape': ()}", 1),
    /occurs twice/,
  ],
  ['a key missing', npy("{'descr': '|u1', 'shape': ()}", 1), /needs descr/],
  ['text after it', npy(`${header("'|u1'", '()')} + 1`, 1), /not a dictionary/],
])('refuses: %s', (_name, bytes, message) => {
  expect(() => readNpy(bytes)).toThrow(message);
  expect(() => readNpy(bytes)).toThrow(FormatError);
});

test('toNdArray narrows what fits and refuses what does not', () => {
  const shape = [2];
  expect(toNdArray({ dtype: 'int64', shape, data: BigInt64Array.of(-1n, 5n) })).toEqual({
    dtype: 'int32',
    shape,
    data: Int32Array.of(-1, 5),
  });
  expect(toNdArray({ dtype: 'float64', shape, data: Float64Array.of(0.5, 2) }).data).toEqual(
    Float32Array.of(0.5, 2),
  );
  expect(() => toNdArray({ dtype: 'uint32', shape, data: Uint32Array.of(0, 4294967295) })).toThrow(
    /4294967295 at index 1/,
  );
  expect(toFloat32({ dtype: 'bfloat16', shape, data: Uint16Array.of(0x3f80, 0xc000) })).toEqual(
    Float32Array.of(1, -2),
  );
});
