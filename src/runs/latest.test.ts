/** State files that are not what they say: refused with a type and a reason, whatever their bytes are. */

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generator, mutate } from '../../test/corpus/mutate.ts';
import { smallStateAt } from '../../test/small-run.ts';
import { FormatError, PortraitganError } from '../errors.ts';
import { bytesSource, writeSafetensors } from '../weights/index.ts';
import { DIGEST_OFFSET, NO_DIGEST } from '../weights/training-safetensors.ts';
import { writeCarry } from './carry.ts';
import { writeCheckpoint } from './checkpoints.ts';
import { openCheckpointState } from './latest.ts';
import { digestOf } from './state-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'latest-'));
const path = join(folder, 'hostile.safetensors');
let exact: Uint8Array;
let carry: Uint8Array;

beforeAll(async () => {
  exact = new Uint8Array(readFileSync(await writeCheckpoint(join(folder, 'run'), smallStateAt(2))));
  await writeCarry(path, smallStateAt(2));
  carry = new Uint8Array(readFileSync(path));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a digest that fits, as whoever means harm would. */
function sealed(bytes: Uint8Array): Uint8Array {
  if (bytes.length < DIGEST_OFFSET + NO_DIGEST.length) return bytes;
  const out = bytes.slice();
  out.set(new TextEncoder().encode(digestOf(bytesSource(out))), DIGEST_OFFSET);
  return out;
}

function open(bytes: Uint8Array) {
  writeFileSync(path, bytes);
  return openCheckpointState(path);
}

/** The file with a part of its header replaced by another of the same length. */
function edited(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  expect(text).toContain(from);
  expect(to.length).toBe(from.length);
  return sealed(new Uint8Array(Buffer.from(text.replace(from, to), 'latin1')));
}

test('as written both open; one flipped bit anywhere is noticed', () => {
  expect([open(exact).kind, open(carry).kind]).toEqual(['exact', 'carry']);
  for (const bytes of [exact, carry]) {
    for (let at = 0; at < bytes.length; at += 13) {
      const damaged = bytes.slice();
      damaged[at] ^= 1 << (at % 8);
      expect(() => open(damaged), `byte ${at}`).toThrow(PortraitganError);
    }
  }
});

test('1000 damaged files with digests that fit: read or refused', () => {
  let refused = 0;
  for (let seed = 1; seed <= 1000; seed++) {
    const bytes = seed % 2 === 0 ? exact : carry;
    // Mostly in the header, where the structure is.
    const head = bytes.subarray(0, 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
    const damaged = new Uint8Array([...mutate(head, generator(seed)), ...bytes.subarray(head.length)]);
    try {
      open(sealed(damaged));
    } catch (error) {
      if (!(error instanceof PortraitganError)) throw new Error(`seed ${seed}: ${error}`, { cause: error });
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(400);
  expect(refused).toBeLessThan(1000);
});

test.each([
  ['another kind', '"kind":"exact"', '"kind":"exert"', /of the unknown kind "exert"/],
  ['a later version', '"version":"1"', '"version":"2"', /version 2; this program reads version 1/],
  ['a tensor no run has', '"G/a.bias"', '"H/a.bias"', /holds "H\/a.bias", which no run has/],
  ['no record', '"record":', '"rekord":', /broken JSON/],
  ['no digest', '"sha256":', '"sha265":', /carries no SHA-256/],
  ['other networks left out', '"left":"[]"', '"left":"{}"', /leaves out something else/],
  ['another format', 'portraitgan-training', 'portraitgan-drawings', /not the state of a training run/],
])('%s is refused', (_, from, to, reason) => {
  const attempt = () => open(edited(exact, from, to));
  expect(attempt).toThrow(FormatError);
  expect(attempt).toThrow(reason);
  expect(attempt).toThrow(`"${path}": `);
});

test('half precision in an exact state is refused', () => {
  expect(() => open(edited(carry, '"kind":"carry"', '"kind":"exact"'))).toThrow(/is float16, not float32/);
});

test('sizes beyond all reason are refused before anything is read', () => {
  const long = exact.slice();
  new DataView(long.buffer).setBigUint64(0, 2n ** 40n, true);
  expect(() => open(long)).toThrow(/a header of 1099511627776 bytes; at most/);
  open(exact);
  truncateSync(path, 5e9);
  expect(() => openCheckpointState(path)).toThrow(/a state of 5000000000 bytes; at most 4000000000/);
});

test('networks alone, texts and nothing are no state', () => {
  writeSafetensors(path, [], { format: 'portraitgan' }, () => new Uint8Array(0));
  expect(() => openCheckpointState(path)).toThrow(/networks alone cannot be resumed/);
  expect(() => open(new Uint8Array(0))).toThrow(FormatError);
  expect(() => open(new TextEncoder().encode('<!doctype html>'))).toThrow(FormatError);
  expect(() => openCheckpointState(folder)).toThrow(/is a folder/);
  expect(() => openCheckpointState(join(folder, 'none'))).toThrow(/no such file/);
});
