/** The soak (`scripts/soak-checkpoints.ts`) in short: real processes, really killed. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fullDisk } from '../scripts/soak/full-disk.ts';
import { soak } from '../scripts/soak/rounds.ts';
import { smallSubject } from '../scripts/soak/small-subject.ts';
import { trainSubject } from '../scripts/soak/train-subject.ts';

const folder = mkdtempSync(join(tmpdir(), 'soak-'));
/** The operation that writes the state of a run's second save: the first one takes 12. */
const WRITING = 13;

afterAll(() => rmSync(folder, { recursive: true }));

test('a small run, killed while it saves and at a moment, goes on bit for bit', async () => {
  const report = await soak(smallSubject(), join(folder, 'small'), 2, { from: WRITING });
  expect(report).toMatchObject({ atOperations: 1, atMoments: 1, further: 2 });
  expect(report.halfFiles).toBeGreaterThan(0);
});

test('portraitgan train, killed twice, goes on bit for bit', async () => {
  const subject = await trainSubject(folder, 2);
  const report = await soak(subject, join(folder, 'run'), 2, { from: WRITING, longestMs: 300 });
  expect(report).toMatchObject({ atOperations: 1, further: 2 });
});

test.skipIf(process.platform === 'win32')(
  'a full disk and short files: stopped, the last checkpoint intact',
  () => {
    expect(fullDisk(join(folder, 'full'))).toEqual([
      expect.stringMatching(/^full disk: (.*the disk is full.*is intact|not tried)/),
      expect.stringMatching(
        /^short files: StorageError: cannot write .* larger than this system allows; the last/,
      ),
    ]);
  },
);
