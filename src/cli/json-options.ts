/** Typed access to the keys of a JSON object that a person wrote: every error names the key and its value. */

import { UsageError } from '../errors.ts';
import type { Json, JsonObject } from '../portrait/config.ts';

export interface Reader {
  /** A finite number within limits, both included. */
  number(key: string, min?: number, max?: number): number;
  whole(key: string, min?: number, max?: number): number;
  boolean(key: string): boolean;
  word<T extends string>(key: string, words: readonly T[]): T;
  /** A list of so many numbers. */
  numbers(key: string, count: number, min?: number, max?: number): readonly number[];
  object(key: string): Reader;
  isNumber(key: string): boolean;
  /** Whether the key holds just that. */
  same(key: string, value: Json | undefined): boolean;
  /** What `read` gives, or undefined where the key is missing or null. */
  optional<T>(key: string, read: (key: string) => T): T | undefined;
  /** Keys that nobody read, with the way to them. @param others keys that may be there all the same */
  unread(others?: readonly string[]): string[];
}

/** Opens an object. @param path what it is, for errors. */
export function jsonReader(value: Json | undefined, path: string): Reader {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`${path}: an object is expected, not ${JSON.stringify(value)}`);
  const object = value as JsonObject;
  const seen = new Set<string>();
  const get = (key: string): Json | undefined => {
    seen.add(key);
    return Object.hasOwn(object, key) ? object[key] : undefined;
  };
  const refuse = (key: string, expected: string): UsageError => {
    const found = get(key);
    const said = found === undefined ? 'is missing' : `is ${JSON.stringify(found).slice(0, 80)}`;
    return new UsageError(`${path}: "${key}" ${said}; ${expected} is expected`);
  };
  const checked = (key: string, item: Json | undefined, min: number, max: number): number => {
    if (typeof item !== 'number' || !Number.isFinite(item)) throw refuse(key, 'a number');
    if (item < min || item > max) throw refuse(key, between(min, max));
    return item;
  };
  const reader: Reader = {
    number: (key, min = -Infinity, max = Infinity) => checked(key, get(key), min, max),
    whole(key, min = -Infinity, max = Infinity) {
      const item = checked(key, get(key), min, max);
      if (!Number.isInteger(item)) throw refuse(key, 'a whole number');
      return item;
    },
    boolean(key) {
      const item = get(key);
      if (typeof item !== 'boolean') throw refuse(key, 'true or false');
      return item;
    },
    word(key, words) {
      const item = get(key);
      const found = words.find((word) => word === item);
      if (found === undefined) throw refuse(key, words.join(', '));
      return found;
    },
    numbers(key, count, min = -Infinity, max = Infinity) {
      const item = get(key);
      if (!Array.isArray(item) || item.length !== count) throw refuse(key, `a list of ${count} numbers`);
      return item.map((part) => checked(key, part, min, max));
    },
    object: (key) => jsonReader(get(key), `${path}.${key}`),
    isNumber: (key) => typeof get(key) === 'number',
    same: (key, other) => JSON.stringify(object[key]) === JSON.stringify(other),
    optional: (key, read) => ((get(key) ?? null) === null ? undefined : read(key)),
    unread: (others = []) =>
      Object.keys(object)
        .filter((key) => !seen.has(key) && !others.includes(key))
        .map((key) => `${path}.${key}`),
  };
  return reader;
}

function between(min: number, max: number): string {
  if (max === Infinity) return `at least ${min}`;
  return `${min} to ${max}`;
}
