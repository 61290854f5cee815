/**
 * `npm run soak:checkpoints [-- --rounds N] [--seed N] [--train]`: kills a run that saves, over and over.
 *
 * Each round starts the program where the last one died and kills it with SIGKILL, at each operation on the disk in
 * turn and at random moments. After each, the newest checkpoint must verify, must not be older than the last one
 * acknowledged, and must hold the state of an uninterrupted run in every bit. With `--train` the program is
 * `portraitgan train` on the smallest preset; otherwise one that saves a megabyte as fast as it can.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fullDisk } from './soak/full-disk.ts';
import { soak } from './soak/rounds.ts';
import { smallSubject } from './soak/small-subject.ts';
import { trainSubject } from './soak/train-subject.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '300' },
    seed: { type: 'string', default: '0' },
    train: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const scratch = mkdtempSync(join(tmpdir(), 'portraitgan-soak-'));
const began = performance.now();
try {
  const subject = values.train ? await trainSubject(scratch, rounds) : smallSubject();
  const report = await soak(subject, join(scratch, 'run'), rounds, {
    seed: Number(values.seed),
    longestMs: values.train ? 3000 : 500,
    onRound: (round) => {
      if (round % 20 === 19) console.error(`${round + 1} of ${rounds}`);
    },
  });
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(
    `${subject.name}: ${report.rounds} kills (${report.atOperations} at operations, ${report.atMoments} at moments), ` +
      `none lost; ${report.passedOver} left a checkpoint that does not verify, ${report.halfFiles} a half file, ` +
      `${report.newer} a complete one not yet acknowledged; ${report.seen} images, ${seconds} s`,
  );
  for (const line of await fullDisk(join(scratch, 'full'))) console.log(line);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
