/** One process a folder: a file that says who is at work in it. Node only. */

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from './errors.ts';

/** Name of the file. */
export const LOCK = 'lock';

/** Takes a folder. A process that is gone holds nothing.
 *
 * @throws UsageError naming the process that is at work in it.
 */
export function takeLock(folder: string): void {
  const file = join(folder, LOCK);
  // Made with its content and linked into place: nobody reads half of it.
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    while (!linked(own, file)) {
      const holder = holderOf(file);
      if (holder === undefined) continue;
      if (holder !== process.pid && isAlive(holder)) throw heldBy(holder, folder, file);
      removeDead(file, holder);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** Gives back what this process holds. */
export function giveLock(folder: string): void {
  const file = join(folder, LOCK);
  if (holderOf(file) === process.pid) rmSync(file, { force: true });
}

/** Whether there is such a process. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not permitted means that it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function heldBy(holder: number, folder: string, file: string): UsageError {
  return new UsageError(
    `process ${holder} is working on "${folder}": wait for it, or stop it; if that process is something else, remove "${file}"`,
  );
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined when it was given back in between. */
function holderOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes the lock of a dead process, but not one that somebody else took in between. */
function removeDead(file: string, dead: number): void {
  const aside = `${file}.dead-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (holderOf(aside) !== dead) linked(aside, file);
  rmSync(aside, { force: true });
}
