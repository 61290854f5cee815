import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSnapshotFile, runFolder, runsAt, snapshotFile, snapshotsOf } from './run-folder.ts';

const fresh = (): string => mkdtempSync(join(tmpdir(), 'portraitgan-runs-'));

test('names of snapshots come back as what they were made of, and sort by it', () => {
  const numbers = [0, 8, 999, 1000, 1250, 999_999, 25_000_000];
  const names = numbers.map((seen) => snapshotFile('fakes', seen));
  expect(names[4]).toBe('fakes-000001.250.png');
  expect(names.map((name) => parseSnapshotFile(name)?.seen)).toEqual(numbers);
  expect([...names].sort()).toEqual(names);
  for (const name of [
    'fakes.png',
    '../fakes-000001.250.png',
    'fakes-000001.250.png.tmp-3',
    'fakes-1.250.png',
  ])
    expect(parseSnapshotFile(name)).toBeUndefined();
});

test('a run, and a folder of runs', () => {
  const root = fresh();
  for (const name of ['b', 'a', 'other']) mkdirSync(join(root, name));
  expect([...runsAt(root).keys()]).toEqual([]);
  writeFileSync(join(root, 'b', 'config.json'), '{}');
  writeFileSync(join(root, 'a', 'stats.jsonl'), '');
  expect([...runsAt(root).keys()]).toEqual(['a', 'b']);
  expect([...runsAt(join(root, 'b'))]).toEqual([['b', runFolder(join(root, 'b'))]]);
  expect([...runsAt(`${root}/b/.`).keys()]).toEqual([basename(join(root, 'b'))]);
});

test('snapshots by images shown', () => {
  const run = runFolder(fresh());
  expect(snapshotsOf(run)).toEqual([]);
  mkdirSync(run.snapshots);
  for (const file of ['turn-000000.008.png', 'fakes-000000.008.png', 'fakes-000000.000.png', 'x.png'])
    writeFileSync(join(run.snapshots, file), '');
  expect(snapshotsOf(run).map(({ kind, seen }) => `${kind} ${seen}`)).toEqual([
    'fakes 0',
    'fakes 8',
    'turn 8',
  ]);
});
