import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Hostile, hostilePickles } from '../../test/corpus/hostile-pickles.ts';
import * as p from '../../test/corpus/pickle-builder.ts';
import { FormatError, PortraitganError } from '../errors.ts';
import { readCheckpoint } from './checkpoint.ts';
import { readPickle } from './pickle.ts';
import { calleeName, type PyObject } from './pickle-types.ts';
import { bytesSource } from './source.ts';

const checkpoint = (bytes: Uint8Array) => readCheckpoint(bytesSource(bytes));

function check({ bytes, record, error }: Hostile): void {
  if (error) {
    expect(() => readPickle(bytesSource(bytes))).toThrow(error);
    expect(() => readPickle(bytesSource(bytes))).toThrow(FormatError);
  } else {
    const value = readPickle(bytesSource(bytes)).value as PyObject;
    expect([value.kind, calleeName(value)]).toEqual(['object', record]);
  }
  expect(() => checkpoint(bytes)).toThrow(PortraitganError);
}

describe.each(Object.entries(hostilePickles))('%s', (_class, entries) => {
  test.each(entries.map((entry) => [entry.name, entry] as const))('%s', (_name, entry) => check(entry));
});

test('the same calls deep inside a checkpoint stay records, and the checkpoint opens', () => {
  const calls = Object.values(hostilePickles)
    .flat()
    .filter((entry) => entry.record && entry.bytes[0] === 0x80)
    .map((entry) => entry.bytes.subarray(2, -1));
  const attributes = Object.fromEntries(calls.map((piece, i) => [`attack${i}`, piece]));
  const network = p.persistentModule('X', { parameters: { w: p.tensor([1], [5]) }, attributes });
  const opened = checkpoint(p.pickle(p.dict({ G_ema: network }))).networks.G_ema;
  expect(opened?.tensors.get('w')?.read()).toEqual(Float32Array.of(5));
  expect(opened?.attributes).toEqual({});
  expect(existsSync('hostile-was-here')).toBe(false);
});

/** A list that doubles `levels` times through the memo. */
function doubling(levels: number): p.Piece {
  let piece = p.put(p.list(p.int(1)), 1000);
  for (let level = 1; level <= levels; level++) {
    piece = p.put(p.list(piece, p.get(1000 + level - 1)), 1000 + level);
  }
  return piece;
}

const network = (parts: p.ModuleParts) => p.pickle(p.dict({ G_ema: p.persistentModule('X', parts) }));

test('doubling through the memo is shared in the pickle and bounded as settings', () => {
  expect(() => readPickle(bytesSource(p.pickle(doubling(2000))))).not.toThrow();
  expect(() => checkpoint(network({ attributes: { a: doubling(25) } }))).toThrow(
    /far more values than a checkpoint/,
  );
  expect(() => checkpoint(network({ attributes: { a: doubling(40) } }))).toThrow(FormatError);
});

test('long texts shared many times are bounded', () => {
  const long = p.put(p.text('x'.repeat(100_000)), 5);
  const attributes = { a: p.list(long, ...Array.from({ length: 500 }, () => p.get(5))) };
  expect(() => checkpoint(network({ attributes }))).toThrow(/far more values/);
});

test('deep nesting neither overflows the stack nor passes as settings', () => {
  const depth = 100_000;
  const deep = p.join(new Uint8Array(depth).fill(0x5d), new Uint8Array(depth - 1).fill(0x61));
  expect(() => readPickle(bytesSource(p.pickle(deep)))).not.toThrow();
  expect(() => checkpoint(network({ attributes: { a: deep } }))).toThrow(/nest more than/);
});

test('a list that holds itself is refused as settings', () => {
  const cyclic = p.join(p.put(p.list(), 5), p.get(5), [0x61]);
  expect(() => checkpoint(network({ attributes: { a: cyclic } }))).toThrow(/nest more than/);
});

test('modules that hold themselves or double are bounded', () => {
  const tables = (modules: p.Piece) => p.dict({ _parameters: p.dict({}), _modules: modules });
  const self = p.build(
    p.put(p.newObject(p.global('a', 'B')), 9),
    tables(p.join([0x7d], p.text('again'), p.get(9), [0x73])),
  );
  expect(() => checkpoint(p.pickle(p.dict({ G_ema: self })))).toThrow(/nest more than 64/);
  let twice = p.put(p.plainModule('a', 'B', {}), 100);
  for (let level = 1; level <= 30; level++) {
    twice = p.put(p.plainModule('a', 'B', { modules: { x: twice, y: p.get(100 + level - 1) } }), 100 + level);
  }
  expect(() => checkpoint(p.pickle(p.dict({ G_ema: twice })))).toThrow(PortraitganError);
});

test('one storage shown as many tensors does not add up without end', () => {
  const data = new Uint8Array(1 << 20);
  const shown = p.put(p.tensor([1 << 18], new Float32Array(data.buffer)), 3);
  const parameters = Object.fromEntries(
    Array.from({ length: 100 }, (_, i) => [`w${i}`, i === 0 ? shown : p.get(3)]),
  );
  expect(() => checkpoint(network({ parameters }))).toThrow(/far more bytes than the file has/);
});

test('a parameter table shared by many modules is bounded', () => {
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`p${i}`, p.none]));
  const table = p.put(p.dict(many), 1);
  const child = (first: boolean) =>
    p.build(
      p.newObject(p.global('a', 'B')),
      p.dict({ _parameters: first ? table : p.get(1), _modules: p.dict({}) }),
    );
  const modules = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`m${i}`, child(i === 0)]));
  expect(() => checkpoint(network({ modules }))).toThrow(/far more values/);
});

test('a storage that hides another pickle is not followed', () => {
  const inner = p.pickle(p.callNamed('os', 'system', p.text('touch hostile-was-here')));
  const over = p.callNamed('torch.storage', '_load_from_bytes', p.bytes(inner));
  const bytes = network({ parameters: { w: p.view(over, 0, [1], [1]) } });
  expect(() => checkpoint(bytes)).toThrow(/no torch.save magic number/);
});

test('attribute names that mean something to JavaScript are only names', () => {
  const attributes = { constructor: p.int(1), toString: p.int(2), __private: p.int(3) };
  const opened = checkpoint(network({ attributes })).networks.G_ema;
  expect(Object.keys(opened?.attributes ?? {})).toEqual(['constructor', 'toString']);
  const kwargs = p.join([0x7d], p.text('__proto__'), p.dict({ polluted: p.int(1) }), [0x73]);
  const made = checkpoint(network({ attributes: { _init_kwargs: kwargs } })).networks.G_ema;
  expect(Object.keys(made?.initKwargs ?? {})).toEqual(['__proto__']);
  expect(({} as Record<string, unknown>).polluted).toBe(undefined);
});
