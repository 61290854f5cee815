import { expect, test } from 'vitest';
import { fromBase64, golden } from '../../test/corpus/golden.ts';
import * as p from '../../test/corpus/pickle-builder.ts';
import { FormatError } from '../errors.ts';
import { readPickle } from './pickle.ts';
import { calleeName, type PickleValue, type PyBytes, type PyDict, type PyObject } from './pickle-types.ts';
import { bytesOf, mappingOf, sequenceOf } from './pickle-values.ts';
import { bytesSource } from './source.ts';

const load = (bytes: Uint8Array) => readPickle(bytesSource(bytes)).value;
const content = (value: PyBytes) => [...value.source.read(value.offset, value.length)];

test.each([0, 1, 2, 3, 4, 5])('reads what CPython writes, protocol %i', (protocol) => {
  const items = sequenceOf(load(fromBase64(golden.values[protocol]))) as PickleValue[];
  const start = [null, true, false, 0, 255, -1, 65535, 65536, -2147483648, 2147483648, 9007199254740993n];
  expect(items.slice(0, 11)).toEqual(start);
  expect(items.slice(11, 16)).toEqual([-(2n ** 70n), 1.5, Number.POSITIVE_INFINITY, 'hé€😀\\u0041\n', '']);
  expect(content(bytesOf(items[16]) as PyBytes)).toEqual([0, 255, 10]);
  expect(items.slice(17, 22).map((item) => sequenceOf(item))).toEqual([
    [],
    [1],
    [1, 2],
    [1, 2, 3],
    [1, 2, 3, 4],
  ]);
  const list = (items[22] as PyDict).entries.get('a') as { items: PickleValue[] };
  expect(list.items[0]).toBe(1);
  expect((list.items[1] as PyDict).entries.get('b')).toBe(2);
});

test.each([0, 1, 2, 3, 4, 5])('shares and records containers, protocol %i', (protocol) => {
  const { entries } = load(fromBase64(golden.containers[protocol])) as PyDict;
  expect(entries.get('x')).toBe(entries.get('y'));
  expect([...(mappingOf(entries.get('od')) as Map<PickleValue, PickleValue>)]).toEqual([['k', 1]]);
  expect(content(bytesOf(entries.get('ba')) as PyBytes)).toEqual([97, 98]);
  expect((entries.get('c') as PyObject).args).toEqual([1, 2]);
  expect(calleeName(entries.get('c') as PyObject)).toMatch(/complex$/);
});

test('python 2 byte strings are bytes as values and texts as keys', () => {
  const bytes = p.pickle(p.join([0x7d, 0x55, 1], p.ascii('k'), [0x55, 2, 0xff, 0x41, 0x73]), 2);
  const { entries } = load(bytes) as PyDict;
  expect(content(entries.get('k') as PyBytes)).toEqual([255, 65]);
});

test('python 2 quoted strings with escapes', () => {
  const value = load(p.ascii(`S'a\\x00\\n\\'\\\\\\101'\n.`)) as PyBytes;
  expect(content(value)).toEqual([97, 0, 10, 39, 92, 65]);
});

test('INST, OBJ, NEWOBJ_EX and BUILD become inert records', () => {
  const inst = load(p.ascii('(I1\nios\nsystem\n.')) as PyObject;
  expect([calleeName(inst), inst.args]).toEqual(['os.system', [1]]);
  const obj = load(p.join(p.ascii('('), p.global('a.b', 'C'), p.int(7), p.ascii('o.'))) as PyObject;
  expect([calleeName(obj), obj.args]).toEqual(['a.b.C', [7]]);
  const piece = p.join(p.global('a', 'C'), p.tuple(p.int(1)), p.dict({ k: p.int(2) }), [0x92]);
  const made = load(p.pickle(p.build(piece, p.dict({ s: p.none })))) as PyObject;
  expect(made.args).toEqual([1]);
  expect((made.kwargs as PyDict).entries.get('k')).toBe(2);
  expect((made.state as PyDict).entries.get('s')).toBe(null);
});

test('large byte strings stay in the file', () => {
  const bytes = p.pickle(p.bytes(new Uint8Array(1 << 20)));
  let read = 0;
  const inner = bytesSource(bytes);
  const source = {
    size: inner.size,
    read: (offset: number, length: number) => {
      read += length;
      return inner.read(offset, length);
    },
  };
  const value = readPickle(source).value as PyBytes;
  expect(value.length).toBe(1 << 20);
  expect(read).toBeLessThan(64 * 1024);
});

test('a truncated byte string says how much is missing', () => {
  const bytes = p.pickle(p.bytes(new Uint8Array(1000))).subarray(0, 500);
  expect(() => load(bytes)).toThrow(/507 are missing/);
});

test('every truncation of a golden pickle is a FormatError', () => {
  for (const text of golden.values) {
    const bytes = fromBase64(text);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => load(bytes.subarray(0, length)), `length ${length}`).toThrow(FormatError);
    }
  }
});

test('errors carry the offset', () => {
  try {
    load(Uint8Array.of(0x80, 4, 0x4e, 0xff));
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).offset).toBe(3);
  }
});
