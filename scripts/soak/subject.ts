/** What the soak kills: a program that saves, and how to tell that a state is the right one. */

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TrainingState } from '../../src/training/state.ts';

/** When a program is to die. */
export interface Death {
  /** At this operation on the disk, counted from its start. */
  readonly operation?: number;
  /** In the middle of a write. */
  readonly torn?: boolean;
  /** So many milliseconds after it first saved. */
  readonly afterMs?: number;
}

export interface Subject {
  readonly name: string;
  /** The folder of the checkpoints of a run. */
  checkpoints(run: string): string;
  /** Arguments of Node that start the program in a run's folder, or go on there. */
  command(run: string, goesOn: boolean): readonly string[];
  /** Compares a state with that of a run without kills; throws when any bit differs. */
  check(state: TrainingState): Promise<void> | void;
}

/** How a program ended. */
export interface Ended {
  /** Images shown of the last checkpoint that was acknowledged by it, if any. */
  readonly acknowledged: number | undefined;
  readonly killed: boolean;
  readonly code: number | null;
  readonly words: string;
}

const KILLER = fileURLToPath(new URL('kill-at.mjs', import.meta.url));

/** Runs a subject until it dies. */
export async function runToDeath(
  subject: Subject,
  run: string,
  goesOn: boolean,
  death: Death,
): Promise<Ended> {
  const program = spawn(process.execPath, ['--import', KILLER, ...subject.command(run, goesOn)], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      KILL_AT: String(death.operation ?? -1),
      KILL_TORN: death.torn ? '1' : '0',
      KILL_ACKNOWLEDGE: '3',
    },
  });
  let [names, words] = ['', ''];
  let timer: NodeJS.Timeout | undefined;
  program.stdio[3]?.on('data', (text: Buffer) => {
    names += text;
    if (death.afterMs !== undefined) timer ??= setTimeout(() => program.kill('SIGKILL'), death.afterMs);
  });
  program.stderr?.on('data', (text: Buffer) => {
    words += text;
  });
  const { code, signal } = await ended(program);
  clearTimeout(timer);
  const last = names.trim().split('\n').at(-1) ?? '';
  const seen = /^checkpoint-\d+-seen-(\d+)$/.exec(last)?.[1];
  return {
    acknowledged: seen === undefined ? undefined : Number(seen),
    killed: signal === 'SIGKILL',
    code,
    words,
  };
}

function ended(program: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    program.on('error', reject);
    program.on('close', (code, signal) => resolve({ code, signal }));
  });
}
