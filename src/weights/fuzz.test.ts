import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fromBase64, golden } from '../../test/corpus/golden.ts';
import { generator, mutate } from '../../test/corpus/mutate.ts';
import * as p from '../../test/corpus/pickle-builder.ts';
import { PortraitganError } from '../errors.ts';
import { bodyFields } from './body-file.ts';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { convertCheckpoint } from './convert.ts';
import { readNpy } from './npy.ts';
import { readNpz } from './npz.ts';
import { readPickle } from './pickle.ts';
import { bytesSource } from './source.ts';

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Reads every tensor, as a user of the file would. */
function use(checkpoint: Checkpoint): void {
  for (const network of Object.values(checkpoint.networks)) {
    for (const tensor of network.tensors.values()) tensor.read();
    JSON.stringify(network.attributes);
  }
}

function readAll(bytes: Uint8Array): void {
  use(readCheckpoint(bytesSource(bytes)));
}

const pkl = p.smallCheckpoint();
const pklPath = join(folder, 'a.pkl');
writeFileSync(pklPath, pkl);
convertCheckpoint(pklPath, join(folder, 'a.safetensors'), { training: true });
const safetensors = new Uint8Array(readFileSync(join(folder, 'a.safetensors')));

/** Runs `read` on damaged copies; anything but success or our own errors fails, with the seed. */
async function attack(bytes: Uint8Array, count: number, read: (bytes: Uint8Array) => unknown) {
  const outcomes = { valid: 0, refused: 0 };
  for (let seed = 1; seed <= count; seed++) {
    let damaged = mutate(bytes, generator(seed));
    if (seed % 3 === 0) damaged = damaged.length > 0 ? mutate(damaged, generator(seed + 1e6)) : damaged;
    try {
      await read(damaged);
      outcomes.valid++;
    } catch (error) {
      if (!(error instanceof PortraitganError)) throw new Error(`seed ${seed}: ${error}`, { cause: error });
      outcomes.refused++;
    }
  }
  return outcomes;
}

test('5000 damaged pickles: read or refused, memory bounded', async () => {
  const before = process.memoryUsage();
  const outcomes = await attack(pkl, 5000, readAll);
  expect(outcomes.refused).toBeGreaterThan(1000);
  expect(outcomes.valid).toBeGreaterThan(100);
  const after = process.memoryUsage();
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(200e6);
});

test('5000 damaged safetensors', async () => {
  const outcomes = await attack(safetensors, 5000, readAll);
  expect(outcomes.refused).toBeGreaterThan(1000);
});

test('1500 damaged npz', async () => {
  const outcomes = await attack(fromBase64(golden.npz), 1500, (bytes) =>
    readNpz(bytes, { maxTotalBytes: 1 << 20 }),
  );
  expect(outcomes.refused).toBeGreaterThan(500);
});

test('3000 damaged npy', async () => {
  for (const text of [golden.npy.float32, golden.npy2]) await attack(fromBase64(text), 1500, readNpy);
});

test('damaged golden pickles of every protocol, as pickles and as bodies', async () => {
  const texts = [...golden.values, ...golden.containers, ...Object.values(golden.arrays).flat()];
  for (const text of texts) {
    await attack(fromBase64(text), 150, (bytes) => {
      const { value } = readPickle(bytesSource(bytes));
      bodyFields({ kind: 'dict', entries: new Map([['x', value]]) }, bytes.length);
    });
  }
});
