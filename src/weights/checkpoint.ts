/**
 * Checkpoints: the published pickles and our own safetensors files behind one face.
 *
 * Browser-safe: works on any byte source. `open-checkpoint.ts` opens paths.
 */

import { FormatError, NetworkError } from '../errors.ts';
import { type Network, readNetwork } from './network.ts';
import { readPickle } from './pickle.ts';
import { calleeName, describeValue, type PickleValue } from './pickle-types.ts';
import { isObject, mappingOf, sequenceOf } from './pickle-values.ts';
import { createBudget, type JsonObject, plainOf } from './plain.ts';
import { readPortraitSafetensors } from './portrait-safetensors.ts';
import { readSafetensors } from './safetensors.ts';
import { notACheckpoint, sniff } from './sniff.ts';
import type { ByteSource } from './source.ts';
import { createTensorReader } from './torch-storage.ts';
import { checkpointFromTraining, readTrainingSafetensors, TRAINING_FORMAT } from './training-safetensors.ts';

/** The networks a checkpoint can hold, in the order they are written. */
export const NETWORK_NAMES = ['G', 'D', 'G_ema', 'D_ema'] as const;

/** Name of a network in a checkpoint. `_ema` are the averaged ones, which generate and predict. */
export type NetworkName = (typeof NETWORK_NAMES)[number];

/** An opened checkpoint. Tensors stay in the file until read. */
export interface Checkpoint {
  readonly format: 'pickle' | 'safetensors';
  readonly networks: Readonly<Partial<Record<NetworkName, Network>>>;
  /** Settings of the data set it was trained on. */
  readonly trainingSetKwargs: JsonObject | null;
}

/** Tensors may add up to this many times the file's size; networks that share tensors count them twice. */
const MAX_EXPANSION = 4;

/** Small files may hold tiny broadcast tensors beyond {@link MAX_EXPANSION}. */
const EXPANSION_FLOOR = 1024 * 1024;

/** Reads the structure of a checkpoint.
 *
 * @throws FormatError that says what the file is when it is not a checkpoint, or where it is broken.
 * @throws NetworkError when it holds no network, or something else in place of one.
 */
export function readCheckpoint(source: ByteSource): Checkpoint {
  const kind = sniff(source);
  if (kind === 'safetensors') {
    const { metadata } = readSafetensors(source);
    return metadata.get('format') === TRAINING_FORMAT
      ? checkpointFromTraining(readTrainingSafetensors(source))
      : readPortraitSafetensors(source);
  }
  if (kind !== 'pickle') throw new FormatError(notACheckpoint(kind, source));
  return checkpointFromPickle(readPickle(source).value, source.size);
}

/** Makes sense of the value of a checkpoint pickle.
 *
 * @param fileSize  bytes of the file, which bounds what its tensors may add up to.
 */
export function checkpointFromPickle(value: PickleValue, fileSize: number): Checkpoint {
  refuseTensorFlow(value);
  const top = mappingOf(value);
  if (!top) throw new FormatError(`the pickle holds ${describeValue(value)}, not a checkpoint dictionary`);
  const tensorReader = createTensorReader();
  const budget = createBudget();
  const networks: Partial<Record<NetworkName, Network>> = {};
  let total = 0;
  for (const name of NETWORK_NAMES) {
    const record = top.get(name);
    if (record === undefined || record === null) continue;
    const network = readNetwork(record, name, tensorReader, budget);
    for (const tensor of network.tensors.values()) total += tensor.byteLength;
    if (total > MAX_EXPANSION * fileSize + EXPANSION_FLOOR) {
      throw new FormatError('the tensors add up to far more bytes than the file has');
    }
    networks[name] = network;
  }
  if (Object.keys(networks).length === 0) {
    const keys = [...top.keys()].slice(0, 8).map((key) => (typeof key === 'string' ? key.slice(0, 40) : '?'));
    throw new NetworkError(
      `the pickle holds no network (G, D, G_ema or D_ema), only: ${keys.join(', ') || 'nothing'}` +
        (top.has('v_template') ? '; it is a body model' : ''),
    );
  }
  const settings = plainOf(top.get('training_set_kwargs'), budget);
  const isSettings = settings !== null && typeof settings === 'object' && !Array.isArray(settings);
  return { format: 'pickle', networks, trainingSetKwargs: isSettings ? settings : null };
}

function refuseTensorFlow(value: PickleValue): void {
  const items = sequenceOf(value);
  if (!items?.some((item) => isObject(item) && /^dnnlib\.tflib\b/.test(calleeName(item)))) return;
  throw new FormatError(
    'the file is a TensorFlow StyleGAN2 pickle (G, D, Gs as dnnlib.tflib networks), not a 3DPortraitGAN checkpoint; ' +
      'use one of the published 3DPortraitGAN .pkl files',
  );
}
