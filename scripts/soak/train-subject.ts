/** `portraitgan train` on the smallest preset, saving after each iteration. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkpointsOf, openCheckpointState } from '../../src/runs/latest.ts';
import { listCheckpoints } from '../../src/runs/manifest.ts';
import type { TrainingState } from '../../src/training/state.ts';
import { bitsOf } from '../../test/small-run.ts';
import type { Subject } from './subject.ts';

const inRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Images of an iteration. */
const BATCH = 4;

/** The subject, after a run without kills in `scratch/reference` that saves every state.
 *
 * @param iterations  how far a run goes.
 */
export async function trainSubject(scratch: string, iterations: number): Promise<Subject> {
  const settings = (keep: number): string[] => [
    ...['--data', inRoot('data/small.zip'), '--masks', inRoot('data/small-masks.zip'), '--preset', 'tiny'],
    ...[
      '--batch',
      String(BATCH),
      '--checkpoint-kimg',
      String(BATCH / 1000),
      '--keep-checkpoints',
      String(keep),
    ],
    ...['--kimg', String((iterations * BATCH) / 1000), '--image-snapshot-ticks', 'none'],
    ...['--engine', 'cpu', '--threads', '1'],
  ];
  const program = [inRoot('dist/cli/run.js'), 'train'];
  const into = ['--out', scratch, '--name'];
  const reference = [...program, ...settings(iterations + 2), ...into, 'reference'];
  const { status, stderr } = spawnSync(process.execPath, reference, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the run without kills failed: ${stderr}`);
  const bits = new Map<number, string>();
  for (const { file, seen } of listCheckpoints(checkpointsOf(join(scratch, 'reference'))))
    bits.set(seen, stateBits(openCheckpointState(file).state));
  return {
    name: 'portraitgan train --preset tiny',
    checkpoints: checkpointsOf,
    command(run, goesOn) {
      if (goesOn) return [...program, '--resume', run, '--threads', '1'];
      return [...program, ...settings(2), ...into, 'run'];
    },
    check(state) {
      const seen = state.record.seen as number;
      if (bits.get(seen) !== stateBits(state))
        throw new Error(`the state after ${seen} images is not that of the run without kills`);
    },
  };
}

/** The clock and the settings of the run itself are no part of what must agree. */
function stateBits({ tensors, record }: TrainingState): string {
  const { seconds: _, settings: __, ...rest } = record;
  return bitsOf({ tensors, record: rest });
}
