/** `portraitgan inspect`: what a file of weights or arrays holds. */

import { Command } from 'commander';
import { describeFile } from '../weights/index.ts';
import { readingFrom, requireFile } from './input.ts';
import { say, sayJson } from './output.ts';

const EXAMPLES = `
Reads checkpoints (.pkl, .safetensors), body models, .npz, .npy and .zip by their content, whatever their name.
Nothing inside a file is run.

Examples:
  portraitgan inspect network.pkl
  portraitgan inspect network.pkl --json | head -40`;

/** The command. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description('say what a checkpoint, safetensors, npz, zip or body file holds')
    .argument('<file>', 'file to look into')
    .option('--json', 'prints everything as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, { json }: { json?: boolean }) => {
      requireFile(file);
      const { kind, bytes, details, lines } = await readingFrom(file, () => describeFile(file));
      if (json) sayJson({ file, kind, bytes, ...details });
      else for (const line of lines) say(line);
    });
}
