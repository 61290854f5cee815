/** The program behind the command line: parses, runs, and turns errors into one message. */

import { CommanderError } from 'commander';
import { PortraitganError } from '../errors.ts';
import { portraitganProgram } from './program.ts';

/** How long threads and handles may take to wind down after the work is done. */
const WIND_DOWN_MS = 2000;

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', () => process.exit(0));
// Whoever started this is gone.
process.on('disconnect', () => process.exit(1));
process.channel?.unref();

process.exitCode = await run(process.argv.slice(2));
setTimeout(() => process.exit(), WIND_DOWN_MS).unref();

async function run(args: readonly string[]): Promise<number> {
  try {
    await portraitganProgram().parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`portraitgan: ${messageOf(error)}\n`);
    if (args.includes('--debug') && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return error instanceof PortraitganError ? error.exitCode : 1;
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof PortraitganError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && /^E[A-Z]+$/.test(code)) return error.message;
  return `internal: ${error.message} (run again with --debug for the stack)`;
}
