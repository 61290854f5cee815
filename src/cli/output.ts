/** Where words go: results to standard output, remarks and progress to standard error. */

import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { reasonOf } from '../weights/safe-write.ts';
import type { FromProgram } from './messages.ts';

/** A line of result. */
export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** The result as one JSON value. */
export function sayJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** A remark. */
export function note(line: string): void {
  process.stderr.write(`portraitgan: ${line}\n`);
}

/** One folder at a time: `recursive` never ends where a parent exists but takes no folders (/proc). */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // Somebody else may have made it in between.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Makes a folder that files will be written to, before any work is done.
 *
 * @throws UsageError when it cannot be made or written to.
 */
export function prepareFolder(folder: string): void {
  try {
    makeFolder(resolve(folder));
    // With the dot, a file of that name is refused too.
    accessSync(`${folder}/.`, constants.W_OK);
  } catch (error) {
    throw new UsageError(`cannot write to the folder "${folder}": ${reasonOf(error)}`);
  }
  process.send?.({ writesTo: resolve(folder) } satisfies FromProgram);
}

/** The same for the folder of a file, which must exist.
 *
 * @throws UsageError naming the file.
 */
export function prepareFile(file: string): void {
  const folder = dirname(file);
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new UsageError(`cannot write "${file}": ${reasonOf(error)}`);
  }
  process.send?.({ writesTo: resolve(folder) } satisfies FromProgram);
}

/** A duration for people. */
export function showSeconds(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(1)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** Bytes for people. */
export function showBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes} bytes`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
