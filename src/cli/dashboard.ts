/** `portraitgan dashboard`: shows a run, or a folder of runs, in a browser. */

import { Command } from 'commander';
import { startDashboard } from '../dashboard/server.ts';
import { say } from './output.ts';
import { wholeOption } from './parse.ts';

interface Flags {
  readonly port: number;
  readonly host: string;
  readonly json?: boolean;
}

const EXAMPLES = `
The page shows curves, sheets of pictures over time, settings and log, and follows the run. It reads only, and
answers only to this machine unless --host says otherwise: whoever can reach it sees the pictures.

Examples:
  portraitgan dashboard runs/first
  portraitgan dashboard runs              all runs in the folder
  portraitgan dashboard runs --port 0     any port that is free`;

/** The command. */
export function dashboardCommand(): Command {
  return new Command('dashboard')
    .description('show a training run in a browser')
    .argument('<folder>', 'folder of a run, or one that holds runs')
    .option('--port <n>', 'where to listen; 0 for any that is free', wholeOption('--port', 0, 65535), 8360)
    .option('--host <address>', 'who may ask: this machine alone, or 0.0.0.0 for everybody', '127.0.0.1')
    .option('--json', 'prints the address as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (folder: string, { port, host, json }: Flags) => {
      const { url } = await startDashboard({ root: folder, host, port });
      // One line, so that a program that starts this one knows when to read it.
      say(json ? JSON.stringify({ url }) : `${url} shows ${folder}; Ctrl-C ends it`);
      await new Promise(() => {});
    });
}
