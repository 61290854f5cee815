/** `portraitgan dashboard`: shows a run, or a folder of runs, in a browser. */

import { Command } from 'commander';
import { startDashboard } from '../dashboard/server.ts';
import { type ServingFlags, servingOptions, stay } from './serving.ts';

const EXAMPLES = `
The page shows curves, sheets of pictures over time, settings and log, and follows the run. It reads only, and
answers only to this machine unless --host says otherwise: whoever can reach it sees the pictures.

Examples:
  portraitgan dashboard runs/first
  portraitgan dashboard runs              all runs in the folder
  portraitgan dashboard runs --port 0     any port that is free`;

/** The command. */
export function dashboardCommand(): Command {
  const command = new Command('dashboard')
    .description('show a training run in a browser')
    .argument('<folder>', 'folder of a run, or one that holds runs');
  return servingOptions(command, 8360)
    .addHelpText('after', EXAMPLES)
    .action(async (folder: string, { port, host, json }: ServingFlags) => {
      const { url } = await startDashboard({ root: folder, host, port });
      await stay(url, `shows ${folder}`, json);
    });
}
