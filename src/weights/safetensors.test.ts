import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import * as p from '../../test/corpus/pickle-builder.ts';
import { FormatError } from '../errors.ts';
import { bytesOfElements, ELEMENT_BYTES, type ElementType } from './elements.ts';
import { readSafetensors } from './safetensors.ts';
import { writeSafetensors } from './safetensors-write.ts';
import { sniff } from './sniff.ts';
import { bytesSource } from './source.ts';

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(header: string, data = new Uint8Array(0)): Uint8Array {
  const text = p.ascii(header);
  return p.join(p.le64(text.length), text, data);
}
const read = (header: string, length = 0) =>
  readSafetensors(bytesSource(file(header, new Uint8Array(length))));

test('what is written is read: every type, any shapes', () => {
  const types = Object.keys(ELEMENT_BYTES) as ElementType[];
  const tensor = fc.record({
    dtype: fc.constantFrom(...types),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(
      fc.array(tensor, { maxLength: 5 }),
      fc.dictionary(fc.string(), fc.string()),
      (list, metadata) => {
        const path = join(folder, 'round.safetensors');
        const descriptors = list.map((item, i) => ({ ...item, name: `t.${i}` }));
        const bytesFor = (name: string, length: number) =>
          Uint8Array.from({ length }, (_, i) => i * 7 + name.charCodeAt(2));
        const lengthOf = (item: (typeof descriptors)[number]) =>
          item.shape.reduce((a, b) => a * b, 1) * ELEMENT_BYTES[item.dtype];
        writeSafetensors(path, descriptors, metadata, (item) => bytesFor(item.name, lengthOf(item)));
        const found = readSafetensors(bytesSource(new Uint8Array(readFileSync(path))));
        expect(Object.fromEntries(found.metadata)).toEqual({ ...metadata });
        expect([...found.tensors.keys()]).toEqual(descriptors.map((item) => item.name));
        for (const item of descriptors) {
          const tensor = found.tensors.get(item.name);
          expect([tensor?.dtype, tensor?.shape]).toEqual([item.dtype, item.shape]);
          expect(bytesOfElements(tensor?.read() as Uint8Array)).toEqual(bytesFor(item.name, lengthOf(item)));
        }
      },
    ),
    { numRuns: 60, seed: 1 },
  );
});

const one = '{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}';

test.each<[string, () => unknown, RegExp]>([
  [
    'a header beyond the limit',
    () => readSafetensors(bytesSource(p.join(p.le64(100_000_001), [123]))),
    /at most 100000000/,
  ],
  [
    'a header of 2^63 bytes',
    () => readSafetensors(bytesSource(p.join([0, 0, 0, 0, 0, 0, 0, 0x80], [123]))),
    /2\^53/,
  ],
  [
    'a header that is cut',
    () => readSafetensors(bytesSource(p.join(p.le64(50), p.ascii('{}')))),
    /48 bytes of its header are missing/,
  ],
  ['no header', () => readSafetensors(bytesSource(Uint8Array.of(1))), /ends early/],
  ['broken JSON', () => read('{"a":'), /broken JSON/],
  ['not an object', () => read('[]'), /not a JSON object/],
  ['not UTF-8', () => readSafetensors(bytesSource(p.join(p.le64(3), [0x7b, 0xff, 0x7d]))), /UTF-8/],
  [
    'duplicate names',
    () => read(`${one.slice(0, -1)},"a":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}`, 4),
    /"a" occurs twice/,
  ],
  [
    'duplicate names by escapes',
    () => read(`${one.slice(0, -1)},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}`, 4),
    /"a" occurs twice/,
  ],
  [
    'duplicate fields',
    () => read('{"a":{"dtype":"U8","dtype":"F32","shape":[4],"data_offsets":[0,4]}}', 4),
    /"dtype" occurs twice/,
  ],
  ['a hole', () => read('{"a":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}}', 5), /leaves a hole/],
  [
    'an overlap',
    () =>
      read(
        '{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}',
        6,
      ),
    /overlaps/,
  ],
  ['bytes that belong to none', () => read(one, 5), /1 bytes belong to no tensor/],
  ['missing bytes', () => read(one, 3), /1 bytes of its tensors are missing/],
  [
    'shape and length disagree',
    () => read('{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}}', 4),
    /= 16 bytes but has 4/,
  ],
  [
    'an unknown type',
    () => read('{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,4]}}', 4),
    /unknown type "F4"/,
  ],
  [
    'a type from the prototype',
    () => read('{"a":{"dtype":"toString","shape":[4],"data_offsets":[0,4]}}', 4),
    /unknown type/,
  ],
  [
    'negative extents',
    () => read('{"a":{"dtype":"U8","shape":[-2,-2],"data_offsets":[0,4]}}', 4),
    /impossible extent/,
  ],
  [
    'an overflowing shape',
    () => read('{"a":{"dtype":"U8","shape":[4294967296,4294967296,4294967296,0],"data_offsets":[0,0]}}'),
    /too large/,
  ],
  [
    'fractional offsets',
    () => read('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4.5]}}', 5),
    /no data_offsets/,
  ],
  ['reversed offsets', () => read('{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}', 4), /but has -4/],
  [
    'extra fields',
    () => read('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}'),
    /does not know/,
  ],
  ['metadata that is no text', () => read('{"__metadata__":{"a":1}}'), /metadata "a" is not a text/],
  ['deep nesting', () => read(`{"a":${'['.repeat(5000)}`), /nests more than/],
  ['a null tensor', () => read('{"a":null}'), /not described by an object/],
])('refuses: %s', (_name, action, message) => {
  expect(action).toThrow(message);
  expect(action).toThrow(FormatError);
});

test('a tensor may be called __proto__', () => {
  const found = read('{"__proto__":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}', 2);
  expect([...found.tensors.keys()]).toEqual(['__proto__']);
});

test('a failed write leaves the old file and no temporary one', () => {
  const path = join(folder, 'kept.safetensors');
  writeFileSync(path, 'old');
  const descriptors = [
    { name: 'a', dtype: 'uint8' as const, shape: [2] },
    { name: 'b', dtype: 'uint8' as const, shape: [2] },
  ];
  const failing = (item: { name: string }) => {
    if (item.name === 'b') throw new FormatError('disk full');
    return new Uint8Array(2);
  };
  expect(() => writeSafetensors(path, descriptors, {}, failing)).toThrow(/disk full/);
  expect(() => writeSafetensors(path, descriptors, {}, () => new Uint8Array(1))).toThrow(
    /gave 1 bytes where 2/,
  );
  expect(() => writeSafetensors(path, [...descriptors, descriptors[0]], {}, () => new Uint8Array(2))).toThrow(
    /twice/,
  );
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder).filter((name) => name.includes('.tmp-'))).toEqual([]);
  expect(() =>
    writeSafetensors(join(folder, 'no/such.st'), descriptors, {}, () => new Uint8Array(2)),
  ).toThrow(/cannot write/);
  expect(existsSync(join(folder, 'no'))).toBe(false);
});

test('a header whose length begins like a pickle is still one of safetensors', () => {
  const header = '{"__metadata__":{"a":""}}'.padEnd(0x280);
  expect(sniff(bytesSource(file(header)))).toBe('safetensors');
});
