import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { initialNetworks } from '../load.ts';
import { networkOptions, PORTRAIT_FORMAT, PORTRAIT_VERSION } from './portrait-safetensors.ts';
import { writeSafetensors } from './safetensors-write.ts';
import { findBadValues } from './values.ts';

it('finds NaN and infinities by network, tensor and element', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portraitgan-values-'));
  const file = join(folder, 'bad.safetensors');
  const { record, read } = initialNetworks('tiny').generator;
  const name = 'decoder.net.2.weight';
  const spoiled = Float32Array.from(read(name).data);
  spoiled[7] = Number.NaN;
  spoiled[9] = Number.POSITIVE_INFINITY;
  const names = [...record.shapes.keys()];
  const descriptors = names.map((key) => ({
    name: `G_ema.${key}`,
    dtype: 'float32' as const,
    shape: record.shapes.get(key)!.shape,
  }));
  const network = {
    className: 'TriPlaneGenerator',
    tensors: new Map(),
    initKwargs: record.initKwargs,
    attributes: record.attributes,
    moduleAttributes: new Map(),
    moduleClasses: new Map(),
  };
  const options = JSON.stringify({
    networks: { G_ema: networkOptions(network as never) },
    trainingSetKwargs: null,
  });
  const metadata = { format: PORTRAIT_FORMAT, version: PORTRAIT_VERSION, options };
  writeSafetensors(file, descriptors, metadata, (descriptor) => {
    const key = descriptor.name.slice('G_ema.'.length);
    const { buffer, byteOffset, byteLength } = key === name ? spoiled : read(key).data;
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  const { bad } = findBadValues(file);
  expect(bad).toEqual([{ name: `G_ema.${name}`, nan: 1, infinite: 1, first: 7 }]);
  rmSync(folder, { recursive: true });
});
