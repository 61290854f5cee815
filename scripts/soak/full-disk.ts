/** Fills a disk under a run that saves: what it says, and what is left. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openLatest } from '../../src/runs/latest.ts';
import { smallSubject } from './small-subject.ts';

/** Holds two states and a bit. */
const DISK_KB = 2500;

/** Less than one state, so that the first save already fails. */
const FILE_KB = 300;

/** Runs the small run on a disk that is too small, and with files that must not grow; one line about each.
 *
 * @throws Error when the program does not end cleanly, or the last checkpoint is not intact.
 */
export async function fullDisk(folder: string): Promise<string[]> {
  return [onFullDisk(join(folder, 'disk')), onShortFiles(join(folder, 'files'))];
}

/** A file system in memory of a few megabytes. Needs permission to mount one. */
function onFullDisk(place: string): string {
  mkdirSync(place, { recursive: true });
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_KB}k`, 'tmpfs', place]);
  if (mount.status !== 0) return 'full disk: not tried, for nothing may be mounted here';
  try {
    return told('full disk', place, run(place, 'exec "$@"'));
  } finally {
    spawnSync('umount', [place]);
  }
}

/** A limit on the size of files, which every user may set: the second run cannot write what the first one could. */
function onShortFiles(place: string): string {
  const first = run(place, 'exec "$@" 3');
  if (openLatest(place).opened === undefined) throw new Error(`nothing was saved: ${first.stderr}`);
  return told('short files', place, run(place, `ulimit -f ${FILE_KB}; exec "$@"`));
}

function run(place: string, script: string) {
  const command = [process.execPath, ...smallSubject().command(place, true)];
  return spawnSync('bash', ['-c', script, 'bash', ...command], { encoding: 'utf8' });
}

function told(what: string, place: string, { status, stderr }: ReturnType<typeof run>): string {
  const said = stderr.trim().split('\n').at(-1) ?? '';
  const { opened, passedOver } = openLatest(place);
  const half = readdirSync(place).filter((name) => name.includes('.tmp-'));
  if (status !== 1 || !said.includes('is intact') || half.length > 0 || passedOver.length > 0 || !opened)
    throw new Error(`${what}: code ${status}, half files ${half.join()}: ${stderr}`);
  smallSubject().check(opened.state);
  return `${what}: ${said}`;
}
