/**
 * Settings of a run as a table: what each may be, what it means, and whether a resumed run may change it.
 *
 * One table serves reading a file, the options of the command line, and the comparison of two runs; defaults and rules
 * between settings are elsewhere (`train-defaults.ts`, `config-rules.ts`).
 */

import { UsageError } from '../errors.ts';
import type { Json } from '../portrait/config.ts';

/** Headings that settings stand under in the help. */
export type SettingGroup = 'run' | 'data' | 'network' | 'optimiser' | 'losses' | 'fades' | 'intervals';

interface Described {
  readonly group: SettingGroup;
  /** A phrase for the help. */
  readonly about: string;
  /** A resumed run must have the same. */
  readonly fixed?: true;
  /** What null stands for; settings without it cannot be null. */
  readonly none?: string;
  /** Its name in the published trainer, where that is another one. */
  readonly published?: string;
}

/** A setting, by what its value is. */
export type Setting = Described &
  (
    | {
        readonly kind: 'number' | 'whole';
        readonly min: number;
        readonly max?: number;
        /** Words that may stand in place of a number. */
        readonly words?: readonly string[];
      }
    | { readonly kind: 'switch' }
    | { readonly kind: 'word'; readonly words: readonly string[] }
    | { readonly kind: 'text' }
    /** Numbers by name, none negative; `names` are all that there are. */
    | { readonly kind: 'numbers'; readonly names?: readonly string[] }
  );

/** A table for all keys of a configuration. */
export type Settings<T> = Readonly<Record<keyof T & string, Setting>>;

/** Checks what was read against a table.
 *
 * @param what names the whole for errors: a file, or "settings"
 * @throws UsageError naming the setting, its value and what is allowed; unknown names with the nearest known one
 */
export function readSettings<T>(table: Settings<T>, value: Json, what: string): Partial<T> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`${what}: an object with settings is expected, not ${shown(value)}`);
  for (const [name, own] of Object.entries(value)) {
    if (own === undefined) continue;
    if (!Object.hasOwn(table, name)) throw new UsageError(`${what}: ${unknownSetting(name, table)}`);
    const setting = table[name as keyof T & string];
    if (!fits(setting, own))
      throw new UsageError(`${what}: ${name} is ${shown(own)}; expected ${expectedOf(setting)}`);
  }
  // Every key and value has just been held to the table.
  return value as Partial<T>;
}

/** What a setting may be, in words. */
export function expectedOf(setting: Setting): string {
  const none = setting.none === undefined ? '' : ` or null (${setting.none})`;
  return `${valuesOf(setting)}${none}`;
}

function valuesOf(setting: Setting): string {
  switch (setting.kind) {
    case 'switch':
      return 'true or false';
    case 'word':
      return setting.words.join(', ');
    case 'text':
      return 'a text that is not empty';
    case 'numbers':
      return `an object of numbers, none negative${setting.names === undefined ? '' : `, by ${setting.names.join(', ')}`}`;
    default: {
      const { kind, min, max, words = [] } = setting;
      const number = kind === 'whole' ? 'a whole number' : 'a number';
      const range = max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
      return [`${number} ${range}`, ...words].join(', ');
    }
  }
}

function fits(setting: Setting, value: Json | undefined): boolean {
  if (value === null) return setting.none !== undefined;
  switch (setting.kind) {
    case 'switch':
      return typeof value === 'boolean';
    case 'word':
      return setting.words.some((word) => word === value);
    case 'text':
      return typeof value === 'string' && value !== '';
    case 'numbers':
      return isObjectOfNumbers(value, setting.names);
    default: {
      const { kind, min, max = Number.POSITIVE_INFINITY, words = [] } = setting;
      if (typeof value !== 'number') return words.some((word) => word === value);
      return (
        value >= min &&
        value <= max &&
        (kind === 'number' ? Number.isFinite(value) : Number.isSafeInteger(value))
      );
    }
  }
}

function isObjectOfNumbers(value: Json | undefined, names?: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((item) => typeof item === 'number' && Number.isFinite(item) && item >= 0) &&
    Object.keys(value).every((name) => names === undefined || names.includes(name))
  );
}

function shown(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function unknownSetting(name: string, table: Readonly<Record<string, Setting>>): string {
  const published = plain(name);
  const renamed = Object.keys(table).find((key) => plain(table[key].published ?? key) === published);
  if (renamed !== undefined) return `"${name}" is called ${renamed} here`;
  const near = nearestName(name, Object.keys(table));
  return `"${name}" is not a setting${near === undefined ? '' : `; did you mean ${near}?`}`;
}

/** Without case and separators: `batch-gpu`, `batch_gpu`, `batchGpu`. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** The name that takes the fewest edits, if it takes few. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((other) => ({ other, edits: editsBetween(name.toLowerCase(), other.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  return best !== undefined && best.edits <= Math.max(2, Math.floor(name.length / 3))
    ? best.other
    : undefined;
}

/** Levenshtein's distance. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
