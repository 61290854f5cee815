/** `--dry-run` of train and teach, as a user sees it. */

import { expect, test } from 'vitest';
import { cli } from './cli-run.ts';

const TINY = ['--data', 'nowhere.zip', '--preset', 'tiny', '--dry-run', '--gflops', '100'];

test('a dry run prints settings that --config takes, costs, and says that they are estimates', async () => {
  const { code, stdout, stderr } = await cli('train', ...TINY, '--stage', '2', '--kimg', '2');
  expect(code).toBe(0);
  expect(JSON.parse(stdout.slice(0, stdout.indexOf('\n}\n') + 2))).toMatchObject({ stage: 2, kimg: 2 });
  expect(stdout).toMatch(/Dreg: gradient penalty +16 +4 +\d/);
  expect(stdout).toMatch(/memory, an estimate: \d+\.\d MB/);
  expect(stdout).toMatch(/time, an estimate: .* for 2 kimg, 250 iterations; .* at 100 GFLOP\/s \(as told\)/);
  expect(stderr).toMatch(/stage 2 does not train how poses are imagined/);
});

test('teaching, as JSON', async () => {
  const { code, stdout } = await cli('teach', ...TINY, '--people', '2', '--views', '3', '--json');
  expect(code).toBe(0);
  const { settings, programs, rate, estimatedSeconds } = JSON.parse(stdout);
  expect(settings).toMatchObject({ command: 'teach', people: 2, views: 3 });
  expect(programs).toMatchObject([{ interval: 1, picturesAtATime: 6 }]);
  expect(rate).toEqual({ gflops: 100, measured: false });
  expect(estimatedSeconds).toBeGreaterThan(0);
});

test.each([
  [['--batch', '6'], 'batch is 6, which is no multiple of microBatch 4'],
  [['--bach', '8'], "unknown option '--bach'"],
  [['--preset', 'enormous'], '--preset is "enormous"; expected 512-128'],
])('train %j is refused with exit code 2', async (args, message) => {
  const { code, stdout, stderr } = await cli('train', ...TINY, ...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});
