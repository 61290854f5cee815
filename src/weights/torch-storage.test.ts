import { expect, test } from 'vitest';
import * as p from '../../test/corpus/pickle-builder.ts';
import type { ElementType } from './elements.ts';
import type { LazyTensor } from './lazy-tensor.ts';
import { readPickle } from './pickle.ts';
import { bytesSource } from './source.ts';
import { createTensorReader } from './torch-storage.ts';

const read = (piece: p.Piece) =>
  createTensorReader().tensorOf(readPickle(bytesSource(p.pickle(piece))).value) as LazyTensor;
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

test('a contiguous parameter', () => {
  const tensor = read(p.parameter(p.tensor([2, 2], [1, 2, 3, 4])));
  expect(tensor).toMatchObject({ dtype: 'float32', shape: [2, 2], strides: [2, 1], byteLength: 16 });
  expect(tensor.read()).toEqual(Float32Array.of(1, 2, 3, 4));
});

test('strides and offsets are honoured', () => {
  const over = p.storage({ data: floats(0, 1, 2, 3, 4, 5, 6) });
  expect(read(p.view(over, 1, [2, 3], [1, 2])).read()).toEqual(Float32Array.of(1, 3, 5, 2, 4, 6));
  expect(read(p.view(over, 6, [], [])).read()).toEqual(Float32Array.of(6));
  expect(read(p.view(over, 2, [2, 3], [0, 1])).read()).toEqual(Float32Array.of(2, 3, 4, 2, 3, 4));
  expect(read(p.view(over, 0, [0, 3], [3, 1])).read()).toEqual(new Float32Array(0));
});

test.each<[string, ElementType, ArrayBufferView]>([
  ['DoubleStorage', 'float64', Float64Array.of(1.5, -2)],
  ['HalfStorage', 'float16', Uint16Array.of(0x3c00, 1)],
  ['BFloat16Storage', 'bfloat16', Uint16Array.of(0x3f80, 1)],
  ['CharStorage', 'int8', Int8Array.of(-1, 2)],
  ['ShortStorage', 'int16', Int16Array.of(-1, 2)],
  ['IntStorage', 'int32', Int32Array.of(-1, 2)],
  ['LongStorage', 'int64', BigInt64Array.of(-1n, 2n)],
  ['ByteStorage', 'uint8', Uint8Array.of(255, 2)],
  ['BoolStorage', 'bool', Uint8Array.of(1, 0)],
])('%s', (type, dtype, values) => {
  const data = new Uint8Array(values.buffer);
  const tensor = read(p.view(p.storage({ type, data, stored: 2 }), 0, [2], [1]));
  expect(tensor.dtype).toBe(dtype);
  expect(tensor.read()).toEqual(values);
});

test.each<[string, () => p.Piece, RegExp]>([
  ['stride beyond', () => p.view(p.storage({ data: floats(1, 2) }), 0, [2], [2]), /beyond its storage of 2/],
  ['offset beyond', () => p.view(p.storage({ data: floats(1, 2) }), 2, [1], [1]), /beyond its storage/],
  ['negative stride', () => p.view(p.storage({ data: floats(1, 2) }), 1, [2], [-1]), /stride -1/],
  ['negative offset', () => p.view(p.storage({ data: floats(1, 2) }), -1, [1], [1]), /beyond its storage/],
  ['axes disagree', () => p.view(p.storage({ data: floats(1, 2) }), 0, [2], [1, 1]), /1 axes has 2 strides/],
  ['negative extent', () => p.view(p.storage({ data: floats(1) }), 0, [-5], [1]), /impossible extent/],
  ['absurd extents', () => p.view(p.storage({ data: floats(1) }), 0, [2e9, 2e9, 0], [0, 0, 0]), /too large/],
  [
    'repetition bomb',
    () => p.view(p.storage({ data: floats(1) }), 0, [2e9], [0]),
    /repeats 1 stored elements/,
  ],
  [
    'count mismatch',
    () => p.view(p.storage({ data: floats(1), declared: 5 }), 0, [1], [1]),
    /declares 5 elements and stores 1/,
  ],
  [
    'missing elements',
    () => p.view(p.storage({ data: floats(1), stored: 9 }), 0, [1], [1]),
    /need 32 bytes more/,
  ],
  [
    'bytes left over',
    () => p.view(p.storage({ data: floats(1, 2), stored: 1 }), 0, [1], [1]),
    /4 bytes follow/,
  ],
  [
    'unknown class',
    () => p.view(p.storage({ type: 'QInt8Storage', data: floats(1) }), 0, [1], [1]),
    /unknown element class/,
  ],
  [
    'wrong magic',
    () => p.view(p.storage({ data: floats(1), magic: p.int(1) }), 0, [1], [1]),
    /no torch.save magic/,
  ],
  [
    'zip form',
    () =>
      p.view(
        p.callNamed('torch.storage', '_load_from_bytes', p.bytes(p.ascii('PK\x03\x04abc'))),
        0,
        [1],
        [1],
      ),
    /newer ZIP form/,
  ],
  [
    'no storage',
    () => p.view(p.callNamed('torch', 'load', p.text('x')), 0, [1], [1]),
    /an object made by torch.load/,
  ],
])('refuses: %s', (_name, piece, message) => {
  expect(() => read(piece())).toThrow(message);
});
