/** What a file of weights or arrays holds, in words and as data. Node only. */

import { sizeOf } from '../tensor/types.ts';
import { bodyFields, isBody } from './body-file.ts';
import { type Checkpoint, checkpointFromPickle, NETWORK_NAMES } from './checkpoint.ts';
import { openFileSource } from './file-source.ts';
import { openNpy } from './npy.ts';
import { readPickle } from './pickle.ts';
import { describeValue, type PickleValue } from './pickle-types.ts';
import { mappingOf } from './pickle-values.ts';
import { type Json, type JsonObject, setEntry } from './plain.ts';
import { PORTRAIT_FORMAT, readPortraitSafetensors } from './portrait-safetensors.ts';
import { readSafetensors } from './safetensors.ts';
import { notACheckpoint, sniff } from './sniff.ts';
import { type ByteSource, bytesSource } from './source.ts';
import {
  checkpointFromTraining,
  readTrainingSafetensors,
  TRAINING_FORMAT,
  type TrainingFile,
} from './training-safetensors.ts';
import { readZip } from './zip-read.ts';

/** A description of a file. */
export interface FileDescription {
  /** What it is: `checkpoint`, `training`, `body`, `safetensors`, `npz`, `npy`, `zip`, `pickle`, or why it is none of them. */
  readonly kind: string;
  /** Its size in bytes. */
  readonly bytes: number;
  /** Everything found, JSON-able. */
  readonly details: JsonObject;
  /** The same for people. */
  readonly lines: readonly string[];
}

/** Members of a zip beyond this many are only counted. */
const MAX_LISTED = 200;

interface Found {
  readonly kind: string;
  readonly details: JsonObject;
  readonly lines: string[];
}

/** Describes a file by its content, whatever its name.
 *
 * @throws FormatError when the file is one of the known kinds but broken.
 */
export async function describeFile(path: string): Promise<FileDescription> {
  const source = openFileSource(path);
  try {
    const { kind, details, lines } = await describe(path, source);
    return { kind, bytes: source.size, details, lines: [`${kind}, ${source.size} bytes`, ...lines] };
  } finally {
    source.close();
  }
}

async function describe(path: string, source: ByteSource): Promise<Found> {
  const kind = sniff(source);
  switch (kind) {
    case 'pickle':
      return describePickle(readPickle(source).value, source.size);
    case 'safetensors': {
      const file = readSafetensors(source);
      if (file.metadata.get('format') === PORTRAIT_FORMAT)
        return describeCheckpoint(readPortraitSafetensors(source));
      if (file.metadata.get('format') === TRAINING_FORMAT)
        return describeTraining(readTrainingSafetensors(source));
      const found = describeArrays('safetensors', file.tensors);
      for (const [key, value] of file.metadata) found.lines.push(`${key}: ${value.slice(0, 200)}`);
      return { ...found, details: { ...found.details, metadata: Object.fromEntries(file.metadata) } };
    }
    case 'npy':
      return describeArrays('npy', new Map([['array', openNpy(source)]]));
    case 'zip':
      return describeZip(path, source);
    default:
      return { kind, details: {}, lines: [notACheckpoint(kind, source)] };
  }
}

function describePickle(value: PickleValue, size: number): Found {
  const top = mappingOf(value);
  if (top && isBody(top as { has(name: string): boolean }))
    return describeArrays('body', bodyFields(value, size));
  if (!top || NETWORK_NAMES.some((name) => top.has(name)))
    return describeCheckpoint(checkpointFromPickle(value, size));
  const entries: JsonObject = {};
  for (const [key, item] of top)
    setEntry(entries, typeof key === 'string' ? key.slice(0, 200) : '?', describeValue(item));
  return {
    kind: 'pickle',
    details: { entries },
    lines: Object.entries(entries).map(([key, text]) => `${key}: ${text}`),
  };
}

async function describeZip(path: string, source: ByteSource): Promise<Found> {
  return readZip(path, {}, async (members) => {
    if (members.length > 0 && members.every((member) => member.name.endsWith('.npy'))) {
      const arrays = new Map<string, { dtype: string; shape: readonly number[] }>();
      for (const member of members) {
        // Only the description is kept: the values go before the next member comes.
        const { dtype, shape } = openNpy(bytesSource(await member.read()));
        arrays.set(member.name.slice(0, -4), { dtype, shape });
      }
      return describeArrays(isBody(arrays) ? 'body' : 'npz', arrays);
    }
    const listed = members.slice(0, MAX_LISTED);
    const lines = [
      notACheckpoint('zip', source),
      ...listed.map(({ name, size }) => `${name}  ${size} bytes`),
    ];
    if (members.length > listed.length) lines.push(`... and ${members.length - listed.length} more`);
    const details = {
      memberCount: members.length,
      members: listed.map(({ name, size }) => ({ name, bytes: size })),
    };
    return { kind: 'zip', details, lines };
  });
}

function describeArrays(
  kind: string,
  arrays: ReadonlyMap<string, { dtype: string; shape: readonly number[] }>,
): Found {
  const list = [...arrays].map(([name, { dtype, shape }]) => ({ name, dtype, shape: [...shape] }));
  return { kind, details: { arrays: list }, lines: list.map((array) => arrayLine(array.name, array)) };
}

function arrayLine(name: string, array: { dtype: string; shape: readonly number[] }): string {
  return `${name}  ${array.dtype} [${array.shape.join(', ')}]`;
}

function describeTraining(file: TrainingFile): Found {
  const { kind, record, left } = file;
  const found = describeCheckpoint(checkpointFromTraining(file));
  const { seen = null, iteration = null, settings = null } = record;
  return {
    kind: 'training',
    details: { ...found.details, training: { kind, seen, iteration, left: [...left], settings } },
    lines: [`state of a run (${kind}) after ${seen} images, ${iteration} iterations`, ...found.lines],
  };
}

function describeCheckpoint(checkpoint: Checkpoint): Found {
  const networks: JsonObject = {};
  const lines: string[] = [`format: ${checkpoint.format}`];
  for (const name of NETWORK_NAMES) {
    const network = checkpoint.networks[name];
    if (!network) continue;
    const perModule = new Map<string, number>();
    let parameters = 0;
    const tensors: Json[] = [];
    for (const [tensorName, tensor] of network.tensors) {
      const count = tensor.kind === 'parameter' ? sizeOf(tensor.shape) : 0;
      const module = tensorName.includes('.') ? tensorName.slice(0, tensorName.indexOf('.')) : '(itself)';
      perModule.set(module, (perModule.get(module) ?? 0) + count);
      parameters += count;
      tensors.push({ name: tensorName, kind: tensor.kind, dtype: tensor.dtype, shape: [...tensor.shape] });
    }
    lines.push(
      '',
      `${name}: ${network.className}, ${network.tensors.size} tensors, ${parameters} parameters`,
    );
    for (const [module, count] of perModule) lines.push(`  ${module}: ${count} parameters`);
    for (const [key, value] of Object.entries(network.attributes))
      lines.push(`  ${key} = ${JSON.stringify(value)}`);
    for (const [tensorName, tensor] of network.tensors) {
      lines.push(`    ${arrayLine(tensorName, tensor)}${tensor.kind === 'buffer' ? '  (buffer)' : ''}`);
    }
    networks[name] = {
      className: network.className,
      parameters,
      parametersPerModule: Object.fromEntries(perModule),
      initKwargs: network.initKwargs,
      attributes: network.attributes,
      tensors,
    };
  }
  if (checkpoint.trainingSetKwargs)
    lines.push('', `data set: ${JSON.stringify(checkpoint.trainingSetKwargs)}`);
  return {
    kind: 'checkpoint',
    details: { format: checkpoint.format, networks, trainingSetKwargs: checkpoint.trainingSetKwargs },
    lines,
  };
}
