import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { largeCheckpoint } from '../../test/corpus/large-checkpoint.ts';
import * as p from '../../test/corpus/pickle-builder.ts';
import { parityFile } from '../../test/parity-files.ts';
import { fromHalfBits } from '../tensor/half.ts';
import type { NetworkName } from './checkpoint.ts';
import { convertCheckpoint } from './convert.ts';
import { openCheckpoint } from './open-checkpoint.ts';

const folder = mkdtempSync(join(tmpdir(), 'convert-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Everything a checkpoint says, comparable. */
function contents(path: string, names: readonly NetworkName[]) {
  const checkpoint = openCheckpoint(path);
  const networks = names.map((name) => {
    const network = checkpoint.networks[name];
    if (!network) throw new Error(`no ${name}`);
    const tensors = [...network.tensors].map(([key, t]) => ({
      key,
      kind: t.kind,
      shape: t.shape,
      data: t.read(),
    }));
    const { className, initKwargs, attributes, moduleAttributes, moduleClasses } = network;
    return { name, className, initKwargs, attributes, moduleAttributes, moduleClasses, tensors };
  });
  checkpoint.close();
  return { networks, trainingSetKwargs: checkpoint.trainingSetKwargs };
}

const small = join(folder, 'small.pkl');
writeFileSync(small, p.smallCheckpoint());

test('the averaged networks go over, with everything they say', () => {
  const out = join(folder, 'small.safetensors');
  const seen: number[] = [];
  const report = convertCheckpoint(small, out, { onProgress: ({ done, total }) => seen.push(done / total) });
  expect(report).toMatchObject({
    path: out,
    networks: ['G_ema', 'D_ema'],
    tensorCount: 4,
    bytes: statSync(out).size,
  });
  expect(report.warnings).toEqual([expect.stringMatching(/SMPL licence/)]);
  expect(seen.at(-1)).toBe(1);
  expect(contents(out, ['G_ema', 'D_ema'])).toEqual(contents(small, ['G_ema', 'D_ema']));
  expect(Object.keys(openCheckpoint(out).networks)).toEqual(['G_ema', 'D_ema']);
});

test('training adds G and D', () => {
  const out = join(folder, 'training.anything');
  expect(convertCheckpoint(small, out, { training: true }).networks).toEqual(['G', 'D', 'G_ema', 'D_ema']);
  const all = ['G', 'D', 'G_ema', 'D_ema'] as const;
  expect(contents(out, all)).toEqual(contents(small, all));
});

test('float16 halves parameters, not buffers and not the body', () => {
  const out = join(folder, 'half.safetensors');
  convertCheckpoint(small, out, { float16: true });
  const { G_ema } = openCheckpoint(out).networks;
  expect([...(G_ema?.tensors ?? [])].map(([name, t]) => [name, t.dtype])).toEqual([
    ['dataset_label_std', 'float32'],
    ['renderer.shaped_smpl', 'float32'],
    ['backbone.weight', 'float16'],
  ]);
  const half = G_ema?.tensors.get('backbone.weight')?.read() as Uint16Array;
  expect(Array.from(half, fromHalfBits)).toEqual([2, 2.125, 2.25, 2.375, 2.5, 2.625]);
});

test('missing networks and numbers beyond half precision are warned of', () => {
  const path = join(folder, 'one.pkl');
  const network = p.persistentModule('X', { parameters: { w: p.tensor([2], [1e6, 1]) } });
  writeFileSync(path, p.pickle(p.dict({ G_ema: network })));
  const report = convertCheckpoint(path, join(folder, 'one.safetensors'), { float16: true });
  expect(report.warnings).toEqual([
    'the checkpoint has no D_ema',
    '1 parameters are beyond half precision and became infinite',
  ]);
});

test('a broken input leaves no output', () => {
  const path = join(folder, 'cut.pkl');
  writeFileSync(path, p.smallCheckpoint().subarray(0, 3000));
  expect(() => convertCheckpoint(path, join(folder, 'cut.safetensors'))).toThrow(/ends early/);
  expect(readdirSync(folder).filter((name) => name.includes('cut.safe') || name.includes('.tmp-'))).toEqual(
    [],
  );
});

test('memory stays below twice the file: 30 MB', () => {
  const path = join(folder, 'large.pkl');
  const size = largeCheckpoint(path, 30);
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  convertCheckpoint(path, join(folder, 'large.safetensors'), {
    onProgress: () => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    },
  });
  // Collected lazily, so that several tensors (1 MB each) may be alive; measured 8 to 25 MB. At 880 MB the
  // whole process grew by 35 MB (test/corpus/large-checkpoint.ts 875).
  expect(peak).toBeLessThan(2 * size);
});

const network = parityFile('tiny/network.pkl');

test.skipIf(!network)('the recorded checkpoint, all 758 tensors', () => {
  const out = join(folder, 'tiny.safetensors');
  const report = convertCheckpoint(network as string, out, { training: true });
  expect(report.tensorCount).toBe(758);
  const all = ['G', 'D', 'G_ema', 'D_ema'] as const;
  expect(contents(out, all)).toEqual(contents(network as string, all));
});
