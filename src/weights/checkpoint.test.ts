import { expect, test } from 'vitest';
import * as p from '../../test/corpus/pickle-builder.ts';
import { parityFile } from '../../test/parity-files.ts';
import { FormatError, NetworkError } from '../errors.ts';
import { readCheckpoint } from './checkpoint.ts';
import { openCheckpoint } from './open-checkpoint.ts';
import { bytesSource } from './source.ts';

const load = (bytes: Uint8Array) => readCheckpoint(bytesSource(bytes));

test('a small checkpoint: networks, tensors in registration order, settings', () => {
  const checkpoint = load(p.smallCheckpoint());
  expect(Object.keys(checkpoint.networks)).toEqual(['G', 'D', 'G_ema', 'D_ema']);
  expect(checkpoint.trainingSetKwargs).toEqual({
    class_name: 'training.dataset.MaskLabeledDataset',
    resolution: 128,
  });
  const generator = checkpoint.networks.G_ema;
  expect(generator?.className).toBe('TriPlaneGenerator');
  expect([...(generator?.tensors ?? [])].map(([name, tensor]) => [name, tensor.kind, tensor.shape])).toEqual([
    ['dataset_label_std', 'buffer', [2]],
    ['renderer.shaped_smpl', 'buffer', [2, 2, 3]],
    ['backbone.weight', 'parameter', [3, 2]],
  ]);
  expect(generator?.tensors.get('backbone.weight')?.read()[0]).toBe(2);
  expect(generator?.initKwargs).toEqual({ z_dim: 16, sr_kwargs: { channel_max: 8 }, conv_clamp: null });
  expect(generator?.attributes).toEqual({
    z_dim: 16,
    explicitly_symmetry: true,
    rendering_kwargs: { ray_start: 2.25, box_warp: 1 },
    'renderer.thickness': 0.25,
  });
  expect(generator?.moduleAttributes.get('backbone')).toEqual({
    in_features: 2,
    weight_gain: 0.25,
    activation: 'lrelu',
  });
  expect(generator?.moduleClasses.get('renderer')).toBe('ImportanceRenderer');
  expect(checkpoint.networks.D_ema?.attributes).toEqual({
    block_resolutions: [16, 8],
    img_channels: 7,
    'b4.mbstd.group_size': 4,
    'b4.mbstd.num_channels': 1,
  });
});

const network = parityFile('tiny/network.pkl');

test.skipIf(!network)('the recorded checkpoint: 758 tensors in four networks', () => {
  const checkpoint = openCheckpoint(network as string);
  const counts = Object.values(checkpoint.networks).map((item) => item.tensors.size);
  expect(counts).toEqual([295, 84, 295, 84]);
  const generator = checkpoint.networks.G_ema;
  const discriminator = checkpoint.networks.D_ema;
  expect(generator?.attributes).toMatchObject({
    neural_rendering_resolution: 32,
    batch_size: 4,
    c_dim: 25,
    w_dim: 32,
  });
  expect(generator?.attributes['renderer.thickness']).toBe(0.25);
  expect(generator?.initKwargs.mapping_kwargs).toEqual({ num_layers: 2 });
  expect(discriminator?.attributes).toMatchObject({
    block_resolutions: [128, 64, 32, 16, 8],
    'b4.mbstd.group_size': 4,
  });
  expect(discriminator?.moduleAttributes.get('b128.conv0')).toMatchObject({
    conv_clamp: 256,
    weight_gain: 1 / 6,
  });
  const regressor = generator?.tensors.get('renderer.aligned_SMPL.model.J_regressor');
  expect(regressor?.strides).toEqual([1, 24]);
  // Each row of the joint regressor sums to one; a reader that ignores the strides gets other sums.
  const values = regressor?.read() as Float32Array;
  for (let row = 0; row < 24; row++) {
    const sum = values.subarray(row * 170, row * 170 + 170).reduce((a, b) => a + b, 0);
    expect(sum).toBeCloseTo(1, 5);
  }
  let bytes = 0;
  for (const item of Object.values(checkpoint.networks))
    for (const tensor of item.tensors.values()) bytes += tensor.read().byteLength;
  expect(bytes).toBeGreaterThan(3e6);
  checkpoint.close();
  expect(() => regressor?.read()).toThrow(/was closed/);
});

test.each<[string, Uint8Array, RegExp]>([
  ['an empty file', new Uint8Array(0), /is empty/],
  ['a gzip file', Uint8Array.of(0x1f, 0x8b, 8, 0), /gzip/],
  ['a web page', p.ascii('<!DOCTYPE html><html>'), /web page/],
  [
    'a Git LFS pointer',
    p.ascii('version https://git-lfs.github.com/spec/v1\noid sha256:0\n'),
    /Git LFS pointer/,
  ],
  [
    'a PyTorch zip',
    p.join(p.ascii('PK\x03\x04'), new Array(22).fill(0), [16, 0, 0, 0], p.ascii('archive/data.pkl')),
    /PyTorch ZIP/,
  ],
  [
    'some zip',
    p.join(p.ascii('PK\x03\x04'), new Array(22).fill(0), [5, 0, 0, 0], p.ascii('a.txt')),
    /zip archive/,
  ],
  ['a picture', Uint8Array.of(0x89, 0x50, 0x4e, 0x47), /picture/],
  ['noise', Uint8Array.of(1, 2, 3), /neither a pickle/],
  ['JSON', p.ascii('{"a": 1}'), /JSON/],
  ['a list', p.pickle(p.list()), /a list of 0, not a checkpoint/],
  ['a call', p.pickle(p.callNamed('os', 'system', p.text('true'))), /made by os.system, not a checkpoint/],
  [
    'a TensorFlow pickle',
    p.pickle(
      p.tuple(p.build(p.newObject(p.global('dnnlib.tflib.network', 'Network')), p.dict({})), p.none, p.none),
    ),
    /TensorFlow StyleGAN2 pickle/,
  ],
])('says what it is: %s', (_name, bytes, message) => {
  expect(() => load(bytes)).toThrow(message);
  expect(() => load(bytes)).toThrow(FormatError);
});

test.each<[string, p.Piece, RegExp]>([
  ['no networks', p.dict({ a: p.int(1) }), /holds no network .* only: a$/],
  ['a number for a network', p.dict({ G_ema: p.int(1) }), /G_ema is the number 1, not a network/],
  [
    'an object for a tensor',
    p.dict({ G_ema: p.persistentModule('X', { buffers: { b: p.callNamed('os', 'system') } }) }),
    /G_ema.b is an object made by os.system/,
  ],
])('refuses: %s', (_name, piece, message) => {
  expect(() => load(p.pickle(piece))).toThrow(message);
  expect(() => load(p.pickle(piece))).toThrow(NetworkError);
});

test('a missing path and a folder are named', () => {
  expect(() => openCheckpoint('no/such/file.pkl')).toThrow(/no such file/);
  expect(() => openCheckpoint('.')).toThrow(/is a folder/);
});
