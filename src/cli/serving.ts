/** What commands that serve a page have in common: where they listen, and that they stay. */

import type { Command } from 'commander';
import { say } from './output.ts';
import { wholeOption } from './parse.ts';

/** Values of the options that {@link servingOptions} adds. */
export interface ServingFlags {
  readonly port: number;
  readonly host: string;
  readonly json?: boolean;
}

/** Adds `--port`, `--host` and `--json`. */
export function servingOptions(command: Command, port: number): Command {
  return command
    .option('--port <n>', 'where to listen; 0 for any that is free', wholeOption('--port', 0, 65535), port)
    .option('--host <address>', 'who may ask: this machine alone, or 0.0.0.0 for everybody', '127.0.0.1')
    .option('--json', 'prints the address as JSON');
}

/** Says where the page is and serves until the process ends.
 *
 * @param what what is there, as in "ADDRESS shows runs".
 */
export async function stay(url: string, what: string, json: boolean | undefined): Promise<never> {
  // One line, so that a program that starts this one knows when to read it.
  say(json ? JSON.stringify({ url }) : `${url} ${what}; Ctrl-C ends it`);
  return new Promise(() => {});
}
