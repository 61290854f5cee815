#!/usr/bin/env node
/**
 * The command `portraitgan`: starts the program as a process of its own and stays free to hear Ctrl-C.
 *
 * Whatever the program computes or writes, an interruption ends it at once: the process is stopped, files
 * that were being written aside are removed, and the exit code is 130. (A thread would not do: stopped inside
 * native code it takes the whole process down.)
 */

import { spawn } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FromProgram } from './messages.ts';

const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143 } as const;

const folders = new Set<string>();
let interruption: number | undefined;

const program = spawn(
  process.execPath,
  [
    ...process.execArgv,
    fileURLToPath(import.meta.url.replace(/main(\.[jt]s)$/, 'run$1')),
    ...process.argv.slice(2),
  ],
  { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] },
);

program.on('message', ({ writesTo }: FromProgram) => folders.add(writesTo));
program.on('error', (error) => {
  process.stderr.write(`portraitgan: cannot start: ${error.message}\n`);
  process.exitCode = 1;
});
program.on('exit', (code, signal) => {
  if (code === null || interruption !== undefined) removeHalfFiles();
  if (interruption !== undefined) {
    process.exitCode = interruption;
  } else if (code === null) {
    const reason = signal === 'SIGKILL' ? ', perhaps for lack of memory' : '';
    process.stderr.write(`portraitgan: the program was ended by ${signal}${reason}\n`);
    process.exitCode = 1;
  } else {
    process.exitCode = code;
  }
});

/** Removes what was being written aside when the program was stopped. */
function removeHalfFiles(): void {
  for (const folder of folders) {
    try {
      for (const name of readdirSync(folder)) {
        if (name.endsWith(`.tmp-${program.pid}`))
          rmSync(join(folder, name), { recursive: true, force: true });
      }
    } catch {
      // The folder was never made.
    }
  }
}

for (const [signal, exitCode] of Object.entries(SIGNAL_EXITS)) {
  process.on(signal, () => {
    if (interruption !== undefined) return;
    interruption = exitCode;
    process.stderr.write(`${process.stderr.isTTY ? '\n' : ''}portraitgan: interrupted\n`);
    program.kill('SIGKILL');
  });
}
