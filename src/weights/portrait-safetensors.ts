/**
 * Our own checkpoints: safetensors with tensors named `G_ema.backbone...` and everything else in the metadata.
 *
 * Metadata: `format` = `portraitgan`, `version`, `options` = JSON of {@link PortraitOptions}.
 */

import { FormatError } from '../errors.ts';
import type { Checkpoint, NetworkName } from './checkpoint.ts';
import { parseStrictJson } from './json-strict.ts';
import type { LazyTensor } from './lazy-tensor.ts';
import type { Network, NetworkTensor } from './network.ts';
import type { Json, JsonObject, Scalar } from './plain.ts';
import { readSafetensors } from './safetensors.ts';
import type { ByteSource } from './source.ts';

/** Value of the metadata entry `format`. */
export const PORTRAIT_FORMAT = 'portraitgan';

/** Version of the layout of `options`. */
export const PORTRAIT_VERSION = '1';

/** The part of a checkpoint that is not tensors. */
export interface PortraitOptions {
  readonly networks: { readonly [name: string]: NetworkOptions };
  readonly trainingSetKwargs: JsonObject | null;
}

/** The part of a network that is not tensors. A type, not an interface, so that it counts as JSON. */
export type NetworkOptions = {
  readonly className: string;
  readonly initKwargs: JsonObject;
  readonly attributes: JsonObject;
  readonly moduleAttributes: { readonly [path: string]: Readonly<Record<string, Scalar>> };
  readonly moduleClasses: { readonly [path: string]: string };
  /** Names of the tensors that are buffers; the others are parameters. */
  readonly buffers: readonly string[];
};

/** The options of a network, to be written. */
export function networkOptions(network: Network): NetworkOptions {
  return {
    className: network.className,
    initKwargs: network.initKwargs,
    attributes: network.attributes,
    moduleAttributes: Object.fromEntries(network.moduleAttributes),
    moduleClasses: Object.fromEntries(network.moduleClasses),
    buffers: [...network.tensors].filter(([, tensor]) => tensor.kind === 'buffer').map(([name]) => name),
  };
}

/** Reads a checkpoint that `convertCheckpoint` or the trainer wrote.
 *
 * @throws FormatError when the file is broken or is a safetensors file of something else.
 */
export function readPortraitSafetensors(source: ByteSource): Checkpoint {
  const { tensors, metadata } = readSafetensors(source);
  if (metadata.get('format') !== PORTRAIT_FORMAT) {
    throw new FormatError(
      'the safetensors file is not a portraitgan checkpoint (its metadata has no "format": "portraitgan"); ' +
        'make one from a published .pkl with the command "convert"',
    );
  }
  const version = metadata.get('version');
  if (version !== PORTRAIT_VERSION) {
    throw new FormatError(
      `portraitgan checkpoint of version ${version}; this program reads version ${PORTRAIT_VERSION}`,
    );
  }
  const options = asObject(parseStrictJson(metadata.get('options') ?? '', 8), 'options');
  const networks: Partial<Record<NetworkName, Network>> = {};
  let used = 0;
  for (const [name, value] of Object.entries(asObject(options.networks, 'options.networks'))) {
    if (name !== 'G' && name !== 'D' && name !== 'G_ema' && name !== 'D_ema') {
      throw new FormatError(`options name the unknown network ${JSON.stringify(name.slice(0, 40))}`);
    }
    const own = new Map<string, LazyTensor>();
    for (const [fullName, tensor] of tensors) {
      if (fullName.startsWith(`${name}.`)) own.set(fullName.slice(name.length + 1), tensor);
    }
    used += own.size;
    networks[name] = networkFromOptions(name, value, own);
  }
  if (used !== tensors.size)
    throw new FormatError(`${tensors.size - used} tensors belong to no network of the options`);
  const settings = options.trainingSetKwargs;
  return {
    format: 'safetensors',
    networks,
    trainingSetKwargs: settings === null ? null : asObject(settings, 'trainingSetKwargs'),
  };
}

/** A network of its stored options and its tensors.
 *
 * @param label  what it is called in its file.
 * @throws FormatError naming the option that is not what it should be.
 */
export function networkFromOptions(
  label: string,
  options: Json | undefined,
  tensors: ReadonlyMap<string, LazyTensor>,
): Network {
  const entry = asObject(options, label);
  const buffers = new Set(asTexts(entry.buffers, `${label}.buffers`));
  const own = new Map<string, NetworkTensor>();
  for (const [name, tensor] of tensors)
    own.set(name, { ...tensor, kind: buffers.has(name) ? 'buffer' : 'parameter' });
  return {
    className: asText(entry.className, `${label}.className`),
    tensors: own,
    initKwargs: asObject(entry.initKwargs, `${label}.initKwargs`),
    attributes: asObject(entry.attributes, `${label}.attributes`),
    moduleAttributes: scalarTables(entry.moduleAttributes, `${label}.moduleAttributes`),
    moduleClasses: new Map(
      Object.entries(asObject(entry.moduleClasses, `${label}.moduleClasses`)).map(([path, item]) => [
        path,
        asText(item, path),
      ]),
    ),
  };
}

function scalarTables(value: Json | undefined, what: string): Map<string, Record<string, Scalar>> {
  const out = new Map<string, Record<string, Scalar>>();
  for (const [path, table] of Object.entries(asObject(value, what))) {
    const entries = asObject(table, what);
    for (const item of Object.values(entries)) {
      if (item !== null && typeof item === 'object')
        throw new FormatError(`${what} has a value that is no scalar`);
    }
    out.set(path, entries as Record<string, Scalar>);
  }
  return out;
}

function asObject(value: Json | undefined, what: string): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new FormatError(`the checkpoint's ${what} is not an object`);
  }
  return value;
}

function asText(value: Json | undefined, what: string): string {
  if (typeof value !== 'string') throw new FormatError(`the checkpoint's ${what} is not a text`);
  return value;
}

function asTexts(value: Json | undefined, what: string): string[] {
  if (!Array.isArray(value)) throw new FormatError(`the checkpoint's ${what} is not a list`);
  return value.map((item) => asText(item, what));
}
