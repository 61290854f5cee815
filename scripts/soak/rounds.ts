/** Kills a program over and over and looks each time what is left. */

import { readdirSync, rmSync } from 'node:fs';
import { openLatest } from '../../src/runs/latest.ts';
import { randomState } from '../../src/weights/index.ts';
import { type Death, runToDeath, type Subject } from './subject.ts';

/** Operations of the first saves of a process, 13 each: see `test/runs-faults.test.ts`. */
const ENUMERATED = 3 * 13;

export interface SoakOptions {
  readonly seed?: number;
  /** The operation that the first round dies at. */
  readonly from?: number;
  /** How long after its first save a program lives at most. */
  readonly longestMs?: number;
  readonly onRound?: (round: number) => void;
}

export interface SoakReport {
  readonly rounds: number;
  /** Kills at an operation, and at a moment; the other programs had finished. */
  readonly atOperations: number;
  readonly atMoments: number;
  /** Rounds that left a newer checkpoint that does not verify. */
  readonly passedOver: number;
  /** Rounds that left a file that was being written. */
  readonly halfFiles: number;
  /** Rounds whose last save was complete but not yet acknowledged. */
  readonly newer: number;
  /** Rounds after which a resume was further than before. */
  readonly further: number;
}

/** Runs the rounds in one folder.
 *
 * Even rounds die at an operation, all of them in turn, every other time in the middle of a write; odd ones at a
 * random moment after the first save. A program that finishes is started anew.
 *
 * @throws Error when a resume finds nothing, something older than was acknowledged, or another state.
 */
export async function soak(
  subject: Subject,
  run: string,
  rounds: number,
  options: SoakOptions = {},
): Promise<SoakReport> {
  const { seed = 0, from = 0, longestMs = 500, onRound } = options;
  const draws = randomState(seed);
  const count = { atOperations: 0, atMoments: 0, passedOver: 0, halfFiles: 0, newer: 0, further: 0 };
  // Nothing was saved yet.
  let seen = -1;
  for (let round = 0; round < rounds; round++) {
    const turn = Math.floor(round / 2);
    const death: Death =
      round % 2 === 0
        ? { operation: (from + turn) % ENUMERATED, torn: turn % 2 === 1 }
        : { afterMs: draws.random() * longestMs };
    const ended = await runToDeath(subject, run, seen >= 0, death);
    if (!ended.killed && ended.code !== 0)
      throw new Error(`round ${round}: the program failed, code ${ended.code}: ${ended.words}`);
    const left = await leftIn(subject, run, ended.acknowledged ?? seen);
    if (ended.killed) count[death.operation === undefined ? 'atMoments' : 'atOperations']++;
    for (const key of ['passedOver', 'halfFiles', 'newer'] as const) count[key] += left[key] ? 1 : 0;
    if (left.seen > seen) count.further++;
    seen = left.seen;
    if (!ended.killed) {
      rmSync(run, { recursive: true });
      seen = -1;
    }
    onRound?.(round);
  }
  return { rounds, ...count };
}

/** What a resume finds. @param expected images that were acknowledged */
async function leftIn(subject: Subject, run: string, expected: number) {
  const folder = subject.checkpoints(run);
  const { opened, passedOver } = openLatest(folder);
  const seen = (opened?.state.record.seen ?? -1) as number;
  if (seen < expected) throw new Error(`${seen} images found where ${expected} were acknowledged`);
  if (opened !== undefined) await subject.check(opened.state);
  return {
    seen,
    newer: seen > expected,
    passedOver: passedOver.length > 0,
    halfFiles: opened !== undefined && readdirSync(folder).some((name) => name.includes('.tmp-')),
  };
}
