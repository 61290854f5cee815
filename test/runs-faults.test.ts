/**
 * Saving is stopped at each of its operations in turn, until it completes; what a resume then finds.
 *
 * At each point the process may be killed, the power may fail (what was not synced is lost, in several ways), or
 * the system may refuse the operation.
 */

import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StorageError } from '../src/errors.ts';
import { writeCarry } from '../src/runs/carry.ts';
import { writeCheckpoint } from '../src/runs/checkpoints.ts';
import { openCheckpointState, openLatest } from '../src/runs/latest.ts';
import { randomState } from '../src/weights/index.ts';
import { Crash, type FaultyFiles, faultyFiles, type LostThings } from './faulty-files.ts';
import { bitsOf, smallStateAt } from './small-run.ts';

/** Memory, where there is a folder of it: the faults are ours, and hundreds of syncs of a real disk take long. */
const base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'faults-'));
const prepared = join(base, 'prepared');
const states = Array.from({ length: 80 }, (_, i) => smallStateAt(i));
const bits = states.map(bitsOf);
let folders = 0;

beforeAll(async () => {
  for (const i of [1, 2, 3]) await writeCheckpoint(prepared, states[i]);
});
afterAll(() => rmSync(base, { recursive: true }));

/** A folder whose acknowledged checkpoints are those after iterations 2 and 3. */
function folderOfTwo(): string {
  const folder = join(base, String(folders++));
  cpSync(prepared, folder, { recursive: true });
  return folder;
}

/** Saves iteration `i`; whether it was acknowledged. */
async function save(folder: string, i: number, files: FaultyFiles): Promise<boolean> {
  try {
    await writeCheckpoint(folder, states[i], { files });
    return true;
  } catch (error) {
    if (error instanceof Crash) return false;
    throw error;
  }
}

/** The iteration that a resume goes on from, bit for bit as it was. */
function resumed(folder: string): number {
  const { opened } = openLatest(folder);
  const iteration = opened?.state.record.iteration as number;
  expect(opened && bitsOf(opened.state)).toBe(bits[iteration]);
  return iteration;
}

const nothing: LostThings = { content: () => 'kept', name: () => 'kept' };
const losses: Readonly<Record<string, LostThings>> = {
  'a kill': nothing,
  'a power cut that loses all that was not synced': { content: () => 'cut', name: () => 'undone' },
  'a power cut that keeps names and loses contents': { content: () => 'zeros', name: () => 'kept' },
  'a power cut that loses some': {
    content: (draw) => (draw < 0.4 ? 'cut' : draw < 0.7 ? 'zeros' : 'kept'),
    name: (draw) => (draw < 0.5 ? 'undone' : 'kept'),
  },
};

describe.each(Object.keys(losses))('%s at each operation', (name) => {
  test.each([false, true])(
    'a resume finds what was acknowledged, or newer (write torn: %s)',
    async (tear) => {
      const draws = randomState(1);
      let complete = false;
      let points = 0;
      for (; !complete; points++) {
        const folder = folderOfTwo();
        const files = faultyFiles(points, { tear });
        complete = await save(folder, 4, files);
        files.lose(losses[name], draws.random);
        const iteration = resumed(folder);
        expect(iteration).toBeGreaterThanOrEqual(complete ? 4 : 3);
        // Life goes on, and nothing half stays.
        await writeCheckpoint(folder, states[iteration + 1]);
        expect(resumed(folder)).toBe(iteration + 1);
        expect(readdirSync(folder).filter((file) => file.includes('.tmp-'))).toEqual([]);
      }
      // State: create, write, digest, sync, rename; manifest: create, write, sync, rename; folder; two removals.
      expect(points).toBe(13);
    },
  );
});

test('the same place saved again, stopped at each operation: what was there is not written over', async () => {
  let complete = false;
  for (let point = 0; !complete; point++) {
    const folder = folderOfTwo();
    complete = await save(folder, 3, faultyFiles(point));
    expect(resumed(folder)).toBe(3);
  }
});

test('the first checkpoint of a run, stopped at each operation: there is one or there is none', async () => {
  let complete = false;
  for (let point = 0; !complete; point++) {
    const folder = join(base, `first-${point}`, 'checkpoints');
    complete = await save(folder, 5, faultyFiles(point));
    const { opened } = openLatest(folder);
    if (complete || opened !== undefined) expect(resumed(folder)).toBe(5);
    await writeCheckpoint(folder, states[6]);
    expect(resumed(folder)).toBe(6);
  }
});

test('power cuts one after the other at any points never lose what was acknowledged', async () => {
  const draws = randomState(2);
  const folder = folderOfTwo();
  let acknowledged = 3;
  let cuts = 0;
  while (acknowledged < states.length - 1) {
    const iteration = resumed(folder);
    expect(iteration).toBeGreaterThanOrEqual(acknowledged);
    acknowledged = iteration;
    const files = faultyFiles(Math.floor(draws.random() * 25), { tear: draws.random() < 0.5 });
    for (let next = iteration + 1; next < states.length && (await save(folder, next, files)); next++) {
      acknowledged = next;
    }
    files.lose(losses['a power cut that loses some'], draws.random);
    cuts++;
  }
  expect(resumed(folder)).toBe(states.length - 1);
  expect(cuts).toBeGreaterThan(20);
});

test.each([
  ['ENOSPC', 'the disk is full'],
  ['EACCES', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
  ['EIO', 'the disk reports an error'],
])(
  '%s at each operation: an error that says what to do, nothing half, all as it was',
  async (code, words) => {
    const fault = (): Error => Object.assign(new Error(`${code}: x`), { code, syscall: 'write' });
    for (let point = 0; ; point++) {
      const folder = folderOfTwo();
      const files = faultyFiles(point, { fault });
      const error = await writeCheckpoint(folder, states[4], { files }).catch((reason) => reason);
      const iteration = resumed(folder);
      expect(readdirSync(folder).filter((name) => name.includes('.tmp-'))).toEqual([]);
      if (typeof error === 'string') break;
      // What was renamed before the refusal goes again: the new state is there with its manifest or not at all.
      const made = readdirSync(folder).filter((name) => name.startsWith('checkpoint-00004'));
      expect(made.length).toBe(iteration === 4 ? 2 : 0);
      expect(error).toBeInstanceOf(StorageError);
      expect(error.message).toMatch(/^cannot write ".*\d+.*": /);
      expect(error.message).toContain(`: ${words}; the last checkpoint, "checkpoint-0000`);
      expect(error.message).toContain(`after ${iteration * 4} images, is intact.`);
      expect(error.message).toContain('then use --resume latest');
      expect(iteration).toBeGreaterThanOrEqual(3);
      await writeCheckpoint(folder, states[5]);
      expect(resumed(folder)).toBe(5);
    }
  },
);

test('a carry checkpoint, stopped at each operation: the one before it or the new one', async () => {
  const path = join(base, 'carry.safetensors');
  await writeCarry(path, states[1]);
  let complete = false;
  for (let point = 0; !complete; point++) {
    const files = faultyFiles(point, { tear: point % 2 === 1 });
    complete = await writeCarry(path, states[2], files).then(
      () => true,
      () => false,
    );
    const { iteration } = openCheckpointState(path).state.record;
    expect(complete ? [2] : [1, 2]).toContain(iteration);
    if (iteration === 2) await writeCarry(path, states[1]);
  }
});
