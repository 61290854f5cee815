/**
 * The manifest of an asset folder, checked: whatever a folder of strangers says, what comes out of here is as its types say.
 *
 * Names of files stay inside the folder, arrays inside their files, indices inside what they point at, numbers finite.
 */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatasetError, UsageError } from '../../errors.ts';
import { badNameReason } from '../names.ts';

export const WAY_OUT =
  'the package portraitgan-assets holds them (packages/assets of the repository); install it or name its folder with --assets';

const FORMAT = 'portraitgan-makehuman-pack';
const TYPES = { f32: Float32Array, u16: Uint16Array, i16: Int16Array, u8: Uint8Array };
type Elements = keyof typeof TYPES;
/** Larger than any folder of assets. */
const MOST_BYTES = 1 << 30;

/** A value of the manifest with the way to it, for messages. */
export class Field {
  readonly value: unknown;
  readonly path: string;
  private readonly folder: Folder;

  constructor(value: unknown, path: string, folder: Folder) {
    this.value = value;
    this.path = path;
    this.folder = folder;
  }

  private wrong(expected: string): DatasetError {
    const shown = JSON.stringify(this.value)?.slice(0, 60) ?? 'missing';
    return new DatasetError(
      `"${this.folder.path}": ${this.path} of the manifest is ${shown}; expected ${expected}`,
    );
  }

  /** A member of an object; `value` is undefined where it is not there. */
  at(name: string): Field {
    if (typeof this.value !== 'object' || this.value === null) throw this.wrong('an object');
    const own = Object.hasOwn(this.value, name) ? (this.value as Record<string, unknown>)[name] : undefined;
    return new Field(own, `${this.path}.${name}`, this.folder);
  }

  get isThere(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  items(): Field[] {
    if (!Array.isArray(this.value)) throw this.wrong('a list');
    return this.value.map((value, i) => new Field(value, `${this.path}[${i}]`, this.folder));
  }

  entries(): [string, Field][] {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value))
      throw this.wrong('an object');
    return Object.keys(this.value).map((name) => [name, this.at(name)]);
  }

  text(): string {
    if (typeof this.value !== 'string') throw this.wrong('a text');
    return this.value;
  }

  word<T extends string>(words: readonly T[]): T {
    const found = words.find((word) => word === this.value);
    if (found === undefined) throw this.wrong(words.join(', '));
    return found;
  }

  number(): number {
    if (typeof this.value !== 'number' || !Number.isFinite(this.value)) throw this.wrong('a finite number');
    return this.value;
  }

  whole(low: number, high: number): number {
    const value = this.number();
    if (!Number.isInteger(value) || value < low || value > high)
      throw this.wrong(`a whole number from ${low} to ${high}`);
    return value;
  }

  /** The name of a file that is there. */
  file(): string {
    const name = this.text();
    const reason = badNameReason(name);
    if (reason !== undefined) throw this.wrong(`the name of a file in the folder: it ${reason}`);
    existing(this.folder.path, name);
    return name;
  }

  /** An array of rows of `width` numbers; as many as `rows`, if given. Indices stay below `below`. */
  array(type: 'f32', width: number, rows?: number): Float32Array;
  array(type: 'i16', width: number, rows?: number): Int16Array;
  array(type: 'u16', width: number, rows: number | undefined, below: number): Uint16Array;
  array(type: 'u8', width: number, rows: number | undefined, below: number): Uint8Array;
  array(type: Elements, width: number, rows?: number, below = Infinity): unknown {
    this.at('dtype').word([type]);
    const shape = this.at('shape').items();
    const count = shape.reduce((product, side) => product * side.whole(0, MOST_BYTES), 1);
    if (count % width !== 0 || (rows !== undefined && count !== rows * width))
      throw this.wrong(`${rows ?? 'n'} x ${width} numbers`);
    const file = this.at('file').text();
    const buffer = this.folder.buffers.get(file);
    if (buffer === undefined)
      throw this.at('file').wrong(`one of ${[...this.folder.buffers.keys()].join(', ')}`);
    const Type = TYPES[type];
    const offset = this.at('offset').whole(0, MOST_BYTES);
    if (offset % Type.BYTES_PER_ELEMENT !== 0 || offset + count * Type.BYTES_PER_ELEMENT > buffer.byteLength)
      throw this.wrong(`an array inside the ${buffer.byteLength} bytes of "${file}"`);
    const array = new Type(buffer, offset, count);
    for (let i = 0; i < count; i++) {
      if (!Number.isFinite(array[i])) throw this.wrong(`finite numbers (number ${i} is ${array[i]})`);
      if (array[i] >= below) throw this.wrong(`indices below ${below} (number ${i} is ${array[i]})`);
    }
    return array;
  }
}

interface Folder {
  readonly path: string;
  readonly buffers: ReadonlyMap<string, ArrayBuffer>;
}

/** Opens a folder: its manifest, with all binary files read.
 *
 * @throws UsageError naming a file that is missing, DatasetError for a folder that is not what it should be.
 */
export function openManifest(path: string): Field {
  const file = existing(path, 'manifest.json');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new DatasetError(`"${file}": ${error instanceof Error ? error.message : error}`);
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (format !== FORMAT)
    throw new DatasetError(`"${file}" is not the manifest of an asset folder (format "${format}")`);
  const buffers = new Map<string, ArrayBuffer>();
  const root = new Field(value, 'the root', { path, buffers });
  for (const [name, entry] of root.at('files').entries()) {
    const bytes = entry.at('bytes').whole(0, MOST_BYTES);
    const there = new Field(name, 'files', { path, buffers }).file();
    const { size } = statSync(join(path, there));
    if (size !== bytes)
      throw new DatasetError(`"${join(path, there)}" has ${size} bytes, the manifest says ${bytes}`);
    buffers.set(name, new Uint8Array(readFileSync(join(path, there))).buffer);
  }
  return root;
}

function existing(folder: string, file: string): string {
  const path = join(folder, file);
  if (!existsSync(path)) throw new UsageError(`there is no asset file "${path}"; ${WAY_OUT}`);
  return path;
}
