import { expect, test } from 'vitest';
import { fromBase64, golden } from '../../test/corpus/golden.ts';
import * as p from '../../test/corpus/pickle-builder.ts';
import { toFloat32 } from './elements.ts';
import { type LazyTensor, materialize } from './lazy-tensor.ts';
import { numericFieldOf, numpyArrayOf, numpyScalarOf } from './numpy-records.ts';
import { readPickle } from './pickle.ts';
import { bytesSource } from './source.ts';

const load = (text: string) => readPickle(bytesSource(fromBase64(text))).value;
const array = (text: string) => materialize(numpyArrayOf(load(text)) as LazyTensor);

test.each([0, 1, 2])('arrays as NumPy pickles them (form %i)', (form) => {
  const ramp = [0, 1, 2, 3, 4, 5];
  for (const [name, dtype] of [
    ['float32', 'float32'],
    ['fortran', 'float64'],
    ['big', 'int16'],
    ['half', 'float16'],
  ]) {
    const found = array(golden.arrays[name][form]);
    expect([found.dtype, found.shape], name).toEqual([dtype, [2, 3]]);
    expect([...toFloat32(found)], name).toEqual(ramp);
  }
  expect([...array(golden.arrays.bool[form]).data]).toEqual([0, 0, 0, 1, 1, 1]);
  expect(array(golden.arrays.empty[form])).toMatchObject({ dtype: 'int64', shape: [0, 3] });
  expect(array(golden.arrays.scalar[form])).toMatchObject({ shape: [], data: Uint16Array.of(7) });
});

test.each([0, 1])('scalars as NumPy pickles them (form %i)', (form) => {
  expect(golden.scalars.map((forms) => numpyScalarOf(load(forms[form])))).toEqual([0.1, 0.5, -3, true, 1.5]);
});

test('object arrays are refused', () => {
  expect(() => numpyArrayOf(load(golden.objects))).toThrow(/Python objects, which are not read/);
});

/** A NumPy array piece. */
function numpyArray(code: string, shape: number[], values: ArrayBufferView): p.Piece {
  const dtype = p.build(
    p.callNamed('numpy', 'dtype', p.text(code), p.int(0), p.int(1)),
    p.tuple(p.int(3), p.text('<'), p.none, p.none, p.none, p.int(-1), p.int(-1), p.int(0)),
  );
  const start = p.callNamed(
    'numpy.core.multiarray',
    '_reconstruct',
    p.global('numpy', 'ndarray'),
    p.tuple(p.int(0)),
    p.text('b'),
  );
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return p.build(
    start,
    p.tuple(p.int(1), p.tuple(...shape.map(p.int)), dtype, p.bool(false), p.legacyBytes(raw)),
  );
}

const field = (piece: p.Piece) => numericFieldOf(readPickle(bytesSource(p.pickle(piece, 2))).value);

function sparse(className: string, parts: { indices?: number[]; pointers?: number[] } = {}): p.Piece {
  const state = p.dict({
    _shape: p.tuple(p.int(2), p.int(3)),
    data: numpyArray('f8', [3], Float64Array.of(1, 2, 3)),
    indices: numpyArray('i4', [3], Int32Array.from(parts.indices ?? [1, 0, 1])),
    indptr: numpyArray(
      'i4',
      [(parts.pointers ?? [0, 1, 1, 3]).length],
      Int32Array.from(parts.pointers ?? [0, 1, 1, 3]),
    ),
  });
  return p.build(p.newObject(p.global(`scipy.sparse.${className.slice(0, 3)}`, className)), state);
}

test('sparse matrices become dense', () => {
  expect(field(sparse('csc_matrix'))).toMatchObject({
    shape: [2, 3],
    data: Float64Array.of(0, 0, 2, 1, 0, 3),
  });
  const rows = sparse('csr_matrix', { pointers: [0, 1, 3], indices: [2, 0, 1] });
  expect(field(rows)).toMatchObject({ data: Float64Array.of(0, 0, 1, 2, 3, 0) });
});

test('broken sparse matrices are refused', () => {
  expect(() => field(sparse('csc_matrix', { indices: [1, 0, 9] }))).toThrow(/index 9 of 2/);
  expect(() => field(sparse('csc_matrix', { pointers: [0, 2, 1, 3] }))).toThrow(/do not increase/);
});

test('chumpy values and selections', () => {
  const ch = (x: p.Piece) =>
    p.build(
      p.callNamed(
        'copy_reg',
        '_reconstructor',
        p.global('chumpy.ch', 'Ch'),
        p.global('__builtin__', 'object'),
        p.none,
      ),
      p.dict({ x }),
    );
  const values = ch(numpyArray('f8', [2, 2], Float64Array.of(1, 2, 3, 4)));
  expect(field(values)).toMatchObject({ shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) });
  const select = (index: number) =>
    p.build(
      p.newObject(p.global('chumpy.reordering', 'Select')),
      p.dict({ a: values, idxs: numpyArray('i8', [2], BigInt64Array.of(3n, BigInt(index))) }),
    );
  expect(field(select(0))).toMatchObject({ shape: [2], data: Float64Array.of(4, 1) });
  expect(() => field(select(4))).toThrow(/element 4 of 4/);
});

test('an array whose bytes and shape disagree is refused', () => {
  expect(() => field(numpyArray('f4', [3], Float32Array.of(1, 2)))).toThrow(/needs 12 bytes and has 8/);
});
