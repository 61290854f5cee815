#!/usr/bin/env node
/**
 * The command `portraitgan`: starts the program as a process of its own and stays free to hear Ctrl-C.
 *
 * Whatever the program computes or writes, an interruption ends it at once: the process is stopped, files
 * that were being written aside are removed, and the exit code is 130. A program that saves its work first is asked
 * once before that. (A thread would not do: stopped inside native code it takes the whole process down.)
 */

import { spawn } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FromProgram, ToProgram } from './messages.ts';

const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143 } as const;

const folders = new Set<string>();
let interruption: number | undefined;
let stopsGently = false;
let gentleExit: number | undefined;

const program = spawn(
  process.execPath,
  [
    ...process.execArgv,
    fileURLToPath(import.meta.url.replace(/main(\.[jt]s)$/, 'run$1')),
    ...process.argv.slice(2),
  ],
  { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] },
);

program.on('message', (message: FromProgram) => {
  if ('writesTo' in message) folders.add(message.writesTo);
  else stopsGently = true;
});
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
    process.exitCode = code === 0 ? (gentleExit ?? 0) : code;
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
    if (stopsGently) {
      stopsGently = false;
      gentleExit = exitCode;
      if (program.connected) program.send({ stop: true } satisfies ToProgram);
      return;
    }
    if (interruption !== undefined) return;
    interruption = exitCode;
    process.stderr.write(`${process.stderr.isTTY ? '\n' : ''}portraitgan: interrupted\n`);
    program.kill('SIGKILL');
  });
}
