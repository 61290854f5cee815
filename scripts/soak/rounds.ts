/** Kills a program over and over and looks each time what is left. */

import { readdirSync } from 'node:fs';
import { openLatest } from '../../src/runs/latest.ts';
import { randomState } from '../../src/weights/index.ts';
import { type Death, runToDeath, type Subject } from './subject.ts';

/** Operations of one save: see `test/runs-faults.test.ts`. */
const OPERATIONS = 13;

/** Enumerated operations: those of the first saves of a process, one without anything to remove among them. */
const ENUMERATED = 3 * OPERATIONS;

export interface SoakReport {
  readonly rounds: number;
  /** Kills at an operation, and at a moment. */
  readonly atOperations: number;
  readonly atMoments: number;
  /** Rounds that left a newer checkpoint that does not verify. */
  readonly passedOver: number;
  /** Rounds that left a file that was being written. */
  readonly halfFiles: number;
  /** Rounds whose last save was complete but not yet acknowledged. */
  readonly newer: number;
  readonly checkpoints: number;
  /** Images shown in the end. */
  readonly seen: number;
}

/** Runs the rounds in one folder.
 *
 * Even rounds die at an operation, all of them in turn, every other time in the middle of a write; odd ones at a
 * random moment after the first save.
 *
 * @param longestMs  how long after its first save a program lives at most.
 * @throws Error when a resume finds nothing, something older than was acknowledged, or another state.
 */
export async function soak(
  subject: Subject,
  run: string,
  rounds: number,
  {
    seed = 0,
    longestMs = 500,
    onRound,
  }: { seed?: number; longestMs?: number; onRound?: (round: number) => void } = {},
): Promise<SoakReport> {
  const draws = randomState(seed);
  const count = { atOperations: 0, atMoments: 0, passedOver: 0, halfFiles: 0, newer: 0, checkpoints: 0 };
  let seen = 0;
  for (let round = 0; round < rounds; round++) {
    const death: Death =
      round % 2 === 0
        ? { operation: (round / 2) % ENUMERATED, torn: (round / 2) % 2 === 1 }
        : { afterMs: draws.random() * longestMs };
    const goesOn = count.checkpoints > 0;
    const ended = await runToDeath(subject, run, goesOn, death);
    if (!ended.killed)
      throw new Error(`round ${round}: the program ended by itself, code ${ended.code}: ${ended.words}`);
    count[death.operation === undefined ? 'atMoments' : 'atOperations']++;
    const folder = subject.checkpoints(run);
    const { opened, passedOver } = openLatest(folder);
    const expected = ended.acknowledged ?? seen;
    if (opened === undefined) {
      if (expected > 0) throw new Error(`round ${round}: nothing verifies; ${expected} images were saved`);
      continue;
    }
    const found = opened.state.record.seen as number;
    if (found < expected)
      throw new Error(`round ${round}: found ${found} images, but ${expected} were acknowledged`);
    await subject.check(opened.state);
    if (found > expected) count.newer++;
    if (passedOver.length > 0) count.passedOver++;
    if (readdirSync(folder).some((name) => name.includes('.tmp-'))) count.halfFiles++;
    if (found > seen) count.checkpoints++;
    seen = found;
    onRound?.(round);
  }
  return { rounds, ...count, seen };
}
