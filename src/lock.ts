/** One process a folder: a file that says who is at work in it. Node only. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(readFileSync(file, 'utf8'));
    if (holder !== process.pid && isAlive(holder))
      throw new UsageError(`process ${holder} is working on "${folder}": wait for it, or stop it`);
    rmSync(file, { force: true });
  }
}

/** Gives it back. */
export function giveLock(folder: string): void {
  rmSync(join(folder, LOCK), { force: true });
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
