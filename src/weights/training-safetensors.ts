/**
 * The state of a training run as a file: safetensors with tensors named `G_ema/NAME` or `first/G/NAME` and the
 * rest in the metadata.
 *
 * Metadata: `sha256` (first, at {@link DIGEST_OFFSET}: of the file with this field as zeros), `format` =
 * `portraitgan-training`, `version`, `kind`, `record` = JSON, `left` = JSON list of networks that were left out and
 * are taken from their averages. Its networks read like those of any checkpoint. Browser-safe; `runs` writes and
 * verifies.
 */

import { FormatError } from '../errors.ts';
import type { Checkpoint, NetworkName } from './checkpoint.ts';
import { createCursor } from './cursor.ts';
import { parseStrictJson } from './json-strict.ts';
import type { LazyTensor } from './lazy-tensor.ts';
import type { Network } from './network.ts';
import type { Json, JsonObject } from './plain.ts';
import { networkFromOptions } from './portrait-safetensors.ts';
import { readSafetensors } from './safetensors.ts';
import type { ByteSource } from './source.ts';

/** Value of the metadata entry `format`. */
export const TRAINING_FORMAT = 'portraitgan-training';

/** Version of the layout. */
export const TRAINING_VERSION = '1';

/** Far more than the names and the record of any run take. */
const MAX_HEADER_BYTES = 16_000_000;

/** Where the 64 hexadecimal digits of the digest begin. */
export const DIGEST_OFFSET = 8 + '{"__metadata__":{"sha256":"'.length;

/** The digest's field while it is computed. */
export const NO_DIGEST = '0'.repeat(64);

/** `exact`: goes on bit for bit. `carry`: rounded to half precision and without moments, to move a run. */
export type StateKind = 'exact' | 'carry';

/** A state file whose tensors were not read yet. */
export interface TrainingFile {
  readonly kind: StateKind;
  /** SHA-256 of the file with this field as zeros, as the file itself says. */
  readonly digest: string;
  readonly record: JsonObject;
  /** Networks that were left out: `G` is to be taken from `G_ema`. */
  readonly left: readonly ('G' | 'D')[];
  readonly tensors: ReadonlyMap<string, LazyTensor>;
}

/** Reads the structure of a state file.
 *
 * @throws FormatError when it is broken or something else.
 */
export function readTrainingSafetensors(source: ByteSource): TrainingFile {
  const headerBytes = createCursor(source).u64('header length');
  if (headerBytes > MAX_HEADER_BYTES)
    throw new FormatError(`a header of ${headerBytes} bytes; at most ${MAX_HEADER_BYTES} are read`, 0);
  const { tensors, metadata } = readSafetensors(source);
  if (metadata.get('format') !== TRAINING_FORMAT) {
    throw new FormatError(
      'not the state of a training run (its metadata has no "format": "portraitgan-training"); ' +
        'networks alone cannot be resumed',
    );
  }
  const version = metadata.get('version');
  if (version !== TRAINING_VERSION) {
    throw new FormatError(
      `training state of version ${version}; this program reads version ${TRAINING_VERSION}: ` +
        'use the program that wrote it',
    );
  }
  const kind = metadata.get('kind');
  if (kind !== 'exact' && kind !== 'carry')
    throw new FormatError(`training state of the unknown kind ${JSON.stringify(kind)?.slice(0, 40)}`);
  const digest = metadata.get('sha256') ?? '';
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new FormatError('the training state carries no SHA-256');
  const left = parseStrictJson(metadata.get('left') ?? '[]');
  if (!Array.isArray(left) || !left.every((name) => name === 'G' || name === 'D'))
    throw new FormatError('the training state leaves out something else than G and D');
  return { kind, digest, record: recordOf(metadata.get('record')), left, tensors };
}

function recordOf(text: string | undefined): JsonObject {
  const record = parseStrictJson(text ?? '');
  if (!isObject(record)) throw new FormatError('the record of the training state is not an object');
  return record;
}

/** The networks of a state file as a checkpoint. */
export function checkpointFromTraining({ record, tensors }: TrainingFile): Checkpoint {
  const all = isObject(record.networks) ? record.networks : undefined;
  if (all === undefined) throw new FormatError('the training state does not say what its networks are');
  const networks: Partial<Record<NetworkName, Network>> = {};
  for (const name of ['G', 'D', 'G_ema', 'D_ema'] as const) {
    const own = new Map<string, LazyTensor>();
    for (const [full, tensor] of tensors)
      if (full.startsWith(`${name}/`)) own.set(full.slice(name.length + 1), tensor);
    if (own.size > 0) networks[name] = quiet(networkFromOptions(name, all[name[0]], own));
  }
  return { format: 'safetensors', networks, trainingSetKwargs: null };
}

/** Noise on densities belongs to training: whoever renders with the network must not add any. */
function quiet(network: Network): Network {
  const silence = (options: JsonObject): JsonObject =>
    isObject(options.rendering_kwargs)
      ? { ...options, rendering_kwargs: { ...options.rendering_kwargs, density_noise: 0 } }
      : options;
  return { ...network, initKwargs: silence(network.initKwargs), attributes: silence(network.attributes) };
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
