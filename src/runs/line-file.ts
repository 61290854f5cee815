/**
 * Files that grow by lines, and what a power cut leaves of them put right when they are opened again. Node only.
 *
 * A line is written by one call and reaches the disk before `append` returns. A last line without its end was being
 * written when the program stopped: it is completed where `isWhole` says so, else removed.
 */

import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { writeAside } from '../weights/safe-write.ts';
import { asStorageError } from './aside.ts';

export interface LineFile {
  /** Lines that were removed when the file was opened, a torn one included. */
  readonly removed: number;
  /** Adds a line, its end not included. When the disk is full the file stays as it was. */
  append(line: string): void;
  close(): void;
}

export interface LineFileOptions {
  /** Lines to keep of a file that is there; all when left out. */
  readonly keep?: (line: string) => boolean;
  /** Whether a last line without an end is whole all the same; never when left out. */
  readonly isWhole?: (line: string) => boolean;
}

/** Opens a file of lines for appending, and makes it when there is none. */
export function openLineFile(path: string, options: LineFileOptions = {}): LineFile {
  const removed = existsSync(path) ? mend(path, options) : 0;
  const descriptor = openSync(path, 'a');
  return {
    removed,
    append(line) {
      const bytes = Buffer.from(`${line}\n`);
      const { size } = fstatSync(descriptor);
      try {
        for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
        fdatasyncSync(descriptor);
      } catch (error) {
        ftruncateSync(descriptor, size);
        throw asStorageError(path, error);
      }
    },
    close: () => closeSync(descriptor),
  };
}

/** Whole lines of a text, and what follows the last end. */
export function splitLines(text: string): { readonly lines: readonly string[]; readonly rest: string } {
  const parts = text.split('\n');
  const rest = parts.pop() ?? '';
  return { lines: parts, rest };
}

/** Rewrites the file when something must go. Returns how many lines went. */
function mend(path: string, { keep = () => true, isWhole = () => false }: LineFileOptions): number {
  const text = readFileSync(path, 'utf8');
  const { lines, rest } = splitLines(text);
  const all = rest !== '' && isWhole(rest) ? [...lines, rest] : lines;
  const kept = all.filter((line) => keep(line));
  const mended = kept.map((line) => `${line}\n`).join('');
  if (mended !== text) writeAside(path, (write) => write(Buffer.from(mended)));
  return lines.length + (rest === '' ? 0 : 1) - kept.length;
}
