/**
 * Networks as trees of modules, walked out of pickle records: tensors under their official dotted names,
 * constructor arguments and plain attributes.
 *
 * The rules are those of spec page 7.3: persistent records and plain modules keep `_parameters`, `_buffers`
 * and `_modules` in their state. The walk is iterative and bounded, so shared or cyclic modules cannot
 * unfold without end.
 */

import { NetworkError } from '../errors.ts';
import type { LazyTensor } from './lazy-tensor.ts';
import { className } from './numpy-records.ts';
import { calleeName, describeValue, type PickleValue } from './pickle-types.ts';
import { isObject, mappingOf, textOf } from './pickle-values.ts';
import {
  type Budget,
  checkedKey,
  type Json,
  type JsonObject,
  plainOf,
  type Scalar,
  scalarOf,
  setEntry,
  spend,
} from './plain.ts';
import type { TensorReader } from './torch-storage.ts';

/** A parameter or buffer of a network, still in its file. */
export interface NetworkTensor extends LazyTensor {
  readonly kind: 'parameter' | 'buffer';
}

/** A network of a checkpoint. */
export interface Network {
  /** Name of the Python class, without its module. */
  readonly className: string;
  /** Full official name to tensor, in registration order: of each module parameters, buffers, then children. */
  readonly tensors: ReadonlyMap<string, NetworkTensor>;
  /** Arguments the network was constructed with. Empty for classes that do not record them. */
  readonly initKwargs: JsonObject;
  /** Plain attributes of the network itself, and `renderer.thickness` and `b4.mbstd.*` by dotted name. */
  readonly attributes: JsonObject;
  /** Scalar attributes of each module by its path; the path of the network itself is ''. */
  readonly moduleAttributes: ReadonlyMap<string, Readonly<Record<string, Scalar>>>;
  /** Class name of each module by its path. */
  readonly moduleClasses: ReadonlyMap<string, string>;
}

const MAX_MODULES = 20_000;
const MAX_TENSORS = 50_000;
const MAX_NESTING = 64;

/** Attributes of inner modules that callers look for on the network. */
const DOTTED_ATTRIBUTES: readonly [path: string, name: string][] = [
  ['renderer', 'thickness'],
  ['b4.mbstd', 'group_size'],
  ['b4.mbstd', 'num_channels'],
];

interface Visit {
  readonly path: string;
  readonly depth: number;
  readonly value: PickleValue;
}

/** The class and attributes of a module record, or `undefined` when the value is no module. */
export function moduleOf(value: PickleValue | undefined) {
  if (!isObject(value)) return undefined;
  if (calleeName(value) === 'torch_utils.persistence._reconstruct_persistent_obj') {
    const meta = mappingOf(value.args[0]);
    const state = mappingOf(meta?.get('state'));
    if (!meta || !state) return undefined;
    return { className: textOf(meta.get('class_name')) ?? '?', state };
  }
  const state = mappingOf(value.state);
  if (!state?.has('_modules') && !state?.has('_parameters')) return undefined;
  return { className: className(value).split('.').pop() ?? '?', state };
}

/** Reads a network out of its record.
 *
 * @param label  what the network is called in its file, for errors.
 * @throws NetworkError when the record is not a tree of modules; FormatError when a tensor is broken.
 */
export function readNetwork(
  root: PickleValue,
  label: string,
  tensorReader: TensorReader,
  budget: Budget,
): Network {
  const top = moduleOf(root);
  if (!top) throw new NetworkError(`${label} is ${describeValue(root)}, not a network`);
  const tensors = new Map<string, NetworkTensor>();
  const moduleAttributes = new Map<string, Record<string, Scalar>>();
  const moduleClasses = new Map<string, string>();
  const pending: Visit[] = [{ path: '', depth: 0, value: root }];

  while (pending.length > 0) {
    const { path, depth, value } = pending.pop() as Visit;
    const found = moduleOf(value);
    if (!found) throw new NetworkError(`${label}.${path} is ${describeValue(value)}, not a module`);
    if (depth > MAX_NESTING) throw new NetworkError(`${label}: modules nest more than ${MAX_NESTING} deep`);
    if (moduleClasses.size >= MAX_MODULES)
      throw new NetworkError(`${label} has more than ${MAX_MODULES} modules`);
    // Shared tables are walked once for each module that shows them, so walking is on the budget.
    spend(budget, 0, found.state.size);
    const prefix = path === '' ? '' : `${path}.`;
    moduleClasses.set(path, checkedKey(found.className));
    moduleAttributes.set(path, scalarsOf(found.state, budget));
    for (const kind of ['parameter', 'buffer'] as const) {
      const table = mappingOf(found.state.get(`_${kind}s`));
      spend(budget, 0, table?.size ?? 0);
      for (const [key, item] of table ?? []) {
        if (item === null) continue;
        const name = checkedKey(`${prefix}${nameOf(key, label)}`);
        const tensor = tensorReader.tensorOf(item);
        if (!tensor) throw new NetworkError(`${label}.${name} is ${describeValue(item)}, not a tensor`);
        if (tensors.size >= MAX_TENSORS)
          throw new NetworkError(`${label} has more than ${MAX_TENSORS} tensors`);
        tensors.set(name, { ...tensor, kind });
      }
    }
    const children: Visit[] = [];
    const table = mappingOf(found.state.get('_modules'));
    spend(budget, 0, table?.size ?? 0);
    for (const [key, child] of table ?? []) {
      if (child === null) continue;
      children.push({ path: checkedKey(`${prefix}${nameOf(key, label)}`), depth: depth + 1, value: child });
      if (children.length + pending.length > MAX_MODULES) {
        throw new NetworkError(`${label} has more than ${MAX_MODULES} modules`);
      }
    }
    pending.push(...children.reverse());
  }

  return {
    className: top.className,
    tensors,
    initKwargs: objectOf(plainOf(top.state.get('_init_kwargs'), budget)),
    attributes: attributesOf(top.state, moduleAttributes, budget),
    moduleAttributes,
    moduleClasses,
  };
}

function nameOf(key: PickleValue, label: string): string {
  const name = textOf(key);
  if (name === undefined || name === '')
    throw new NetworkError(`${label}: a part is named ${describeValue(key)}`);
  return checkedKey(name);
}

function isPublic(key: PickleValue): key is string {
  return typeof key === 'string' && !key.startsWith('_') && key !== 'training';
}

function scalarsOf(state: Map<PickleValue, PickleValue>, budget: Budget): Record<string, Scalar> {
  const out: Record<string, Scalar> = {};
  for (const [key, value] of state) {
    const scalar = isPublic(key) ? scalarOf(value, budget) : undefined;
    if (isPublic(key) && scalar !== undefined) setEntry(out, checkedKey(key), scalar);
  }
  return out;
}

function attributesOf(
  state: Map<PickleValue, PickleValue>,
  modules: ReadonlyMap<string, Readonly<Record<string, Scalar>>>,
  budget: Budget,
): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of state) {
    const plain = isPublic(key) ? plainOf(value, budget) : undefined;
    if (isPublic(key) && plain !== undefined) setEntry(out, checkedKey(key), plain);
  }
  for (const [path, name] of DOTTED_ATTRIBUTES) {
    const value = modules.get(path)?.[name];
    if (value !== undefined) out[`${path}.${name}`] = value;
  }
  return out;
}

function objectOf(value: Json | undefined): JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}
