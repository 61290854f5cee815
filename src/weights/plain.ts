/** Plain JSON-able values out of pickle records: constructor arguments, settings, attributes. */

import { FormatError } from '../errors.ts';
import { numpyScalarOf } from './numpy-records.ts';
import type { PickleValue } from './pickle-types.ts';
import { mappingOf, sequenceOf, textOf } from './pickle-values.ts';

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** An object that JSON can hold. */
export type JsonObject = { [key: string]: Json };

/** A single value, not a container. */
export type Scalar = null | boolean | number | string;

const MAX_DEPTH = 32;

/** Values and characters that one budget allows; shared records count each time they are met. */
const MAX_NODES = 500_000;
const MAX_CHARACTERS = 8_000_000;

/** Longest key. */
const MAX_KEY = 1000;

/** What conversions may still spend; bounds what a small file can be blown up to. */
export interface Budget {
  nodes: number;
  characters: number;
}

/** A fresh budget. */
export function createBudget(): Budget {
  return { nodes: MAX_NODES, characters: MAX_CHARACTERS };
}

/** Takes values and characters from a budget; throws when it is used up. */
export function spend(budget: Budget, characters: number, nodes = 1): void {
  budget.characters -= characters;
  budget.nodes -= nodes;
  if (budget.nodes < 0 || budget.characters < 0) {
    throw new FormatError('settings unfold to far more values than a checkpoint has');
  }
}

/** The scalar a record stands for (NumPy scalars included), or `undefined`.
 *
 * Integers beyond 2^53 and numbers that are not finite become texts, for JSON has no form for them.
 */
export function scalarOf(value: PickleValue | undefined, budget: Budget): Scalar | undefined {
  let found: PickleValue | undefined = value;
  if (value !== null && typeof value === 'object') {
    if (value.kind === 'global' && value.module === 'torch') found = `torch.${value.name}`;
    else found = numpyScalarOf(value) ?? textOf(value);
  }
  if (found === undefined || (typeof found === 'object' && found !== null)) return undefined;
  spend(budget, typeof found === 'string' ? found.length : 8);
  if (typeof found === 'bigint') return String(found);
  if (typeof found === 'number' && !Number.isFinite(found)) return String(found);
  return Object.is(found, -0) ? 0 : found;
}

/** A record as a plain value; `undefined` when it holds something that is not plain (tensors, objects).
 *
 * Entries that are not plain are left out of mappings and make a list not plain.
 */
export function plainOf(value: PickleValue | undefined, budget: Budget, depth = 0): Json | undefined {
  const scalar = scalarOf(value, budget);
  if (scalar !== undefined) return scalar;
  spend(budget, 0);
  if (depth > MAX_DEPTH) throw new FormatError(`settings nest more than ${MAX_DEPTH} deep`);
  const mapping = mappingOf(value);
  if (mapping) {
    spend(budget, 0, mapping.size);
    const out: JsonObject = {};
    for (const [key, item] of mapping) {
      const name = keyOf(key, budget);
      const plain = name === undefined ? undefined : plainOf(item, budget, depth + 1);
      if (name !== undefined && plain !== undefined) setEntry(out, name, plain);
    }
    return out;
  }
  const items =
    value !== null && typeof value === 'object' && value.kind === 'set' ? value.items : sequenceOf(value);
  if (!items) return undefined;
  spend(budget, 0, items.length);
  const out: Json[] = [];
  for (const item of items) {
    const plain = plainOf(item, budget, depth + 1);
    if (plain === undefined) return undefined;
    out.push(plain);
  }
  return out;
}

/** Sets an entry, also one named `__proto__`. */
export function setEntry(target: JsonObject, key: string, value: Json): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

function keyOf(key: PickleValue, budget: Budget): string | undefined {
  const scalar = scalarOf(key, budget);
  return scalar === undefined ? undefined : checkedKey(String(scalar));
}

/** Refuses keys that no network has. */
export function checkedKey(key: string): string {
  if (key.length > MAX_KEY) throw new FormatError(`a name of ${key.length} characters`);
  return key;
}
