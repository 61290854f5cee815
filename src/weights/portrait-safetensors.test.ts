import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { FormatError } from '../errors.ts';
import { readCheckpoint } from './checkpoint.ts';
import { writeSafetensors } from './safetensors-write.ts';
import { bytesSource } from './source.ts';

const folder = mkdtempSync(join(tmpdir(), 'portrait-'));
afterAll(() => rmSync(folder, { recursive: true }));

const network = {
  className: 'TriPlaneGenerator',
  initKwargs: {},
  attributes: { z_dim: 16 },
  moduleAttributes: { '': { z_dim: 16 } },
  moduleClasses: { '': 'TriPlaneGenerator' },
  buffers: ['b'],
};

function load(metadata: Record<string, string>, names = ['G_ema.w', 'G_ema.b']) {
  const path = join(folder, 'file');
  const descriptors = names.map((name) => ({ name, dtype: 'uint8' as const, shape: [1] }));
  writeSafetensors(path, descriptors, metadata, () => new Uint8Array(1));
  return readCheckpoint(bytesSource(new Uint8Array(readFileSync(path))));
}

function metadata(networks: unknown, trainingSetKwargs: unknown = null) {
  return { format: 'portraitgan', version: '1', options: JSON.stringify({ networks, trainingSetKwargs }) };
}

test('reads networks, kinds and settings', () => {
  const checkpoint = load(metadata({ G_ema: network }, { resolution: 128 }));
  expect(checkpoint).toMatchObject({ format: 'safetensors', trainingSetKwargs: { resolution: 128 } });
  const kinds = [...(checkpoint.networks.G_ema?.tensors ?? [])].map(([name, tensor]) => [name, tensor.kind]);
  expect(kinds).toEqual([
    ['w', 'parameter'],
    ['b', 'buffer'],
  ]);
});

test.each<[string, () => unknown, RegExp]>([
  ['other safetensors', () => load({}), /not a portraitgan checkpoint/],
  [
    'a later version',
    () => load({ ...metadata({}), version: '9' }),
    /version 9; this program reads version 1/,
  ],
  ['no options', () => load({ format: 'portraitgan', version: '1' }), /broken JSON/],
  ['options that are no object', () => load({ ...metadata({}), options: '[]' }), /options is not an object/],
  ['an unknown network', () => load(metadata({ H: network })), /unknown network "H"/],
  [
    'tensors of no network',
    () => load(metadata({ G_ema: network }), ['G.w']),
    /1 tensors belong to no network/,
  ],
  [
    'a network without a class',
    () => load(metadata({ G_ema: { ...network, className: 1 } })),
    /className is not a text/,
  ],
  [
    'a table of lists',
    () => load(metadata({ G_ema: { ...network, moduleAttributes: { '': { a: [] } } } })),
    /no scalar/,
  ],
  [
    'buffers that are no list',
    () => load(metadata({ G_ema: { ...network, buffers: {} } })),
    /buffers is not a list/,
  ],
])('refuses: %s', (_name, action, message) => {
  expect(action).toThrow(message);
  expect(action).toThrow(FormatError);
});
