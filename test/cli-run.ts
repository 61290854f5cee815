/** Runs the built command line as a user does. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command; `done` settles when it has ended. */
export function startCli(args: readonly string[]): {
  readonly child: ChildProcess;
  readonly done: Promise<Finished>;
} {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  const done = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...texts }));
  });
  return { child, done };
}

/** Runs the command to its end. */
export function cli(...args: readonly string[]): Promise<Finished> {
  return startCli(args).done;
}

/** A new folder for one test. */
export function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), 'portraitgan-cli-'));
}
