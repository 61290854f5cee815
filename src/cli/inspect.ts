/** `portraitgan inspect`: what a file of weights or arrays holds. */

import { Command } from 'commander';
import { NetworkError } from '../errors.ts';
import { describeFile, findBadValues } from '../weights/index.ts';
import { readingFrom, requireFile } from './input.ts';
import { say, sayJson } from './output.ts';

const EXAMPLES = `
Reads checkpoints (.pkl, .safetensors), body models, .npz, .npy and .zip by their content, whatever their name.
Nothing inside a file is run.

Examples:
  portraitgan inspect network.pkl
  portraitgan inspect network.pkl --json | head -40
  portraitgan inspect network.pkl --values      are all weights finite?`;

/** The command. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description('say what a checkpoint, safetensors, npz, zip or body file holds')
    .argument('<file>', 'file to look into')
    .option(
      '--values',
      'looks through all weights of a checkpoint for NaN and infinities; exit code 1 if there are any',
    )
    .option('--json', 'prints everything as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, { json, values }: { json?: boolean; values?: boolean }) => {
      requireFile(file);
      if (values) {
        await reportValues(file, json ?? false);
        return;
      }
      const { kind, bytes, details, lines } = await readingFrom(file, () => describeFile(file));
      if (json) sayJson({ file, kind, bytes, ...details });
      else for (const line of lines) say(line);
    });
}

async function reportValues(file: string, json: boolean): Promise<void> {
  const { checked, bad } = await readingFrom(file, async () => findBadValues(file));
  if (json) sayJson({ file, checked, bad });
  else {
    say(
      `${checked} numbers, ${bad.length === 0 ? 'all finite' : `${bad.length} tensors with numbers that are not finite`}`,
    );
    for (const { name, nan, infinite, first } of bad)
      say(`  ${name}: ${nan} NaN, ${infinite} infinite, first at element ${first}`);
  }
  if (bad.length > 0)
    throw new NetworkError(
      `"${file}" holds weights that are not finite: pictures made with it would be empty`,
    );
}
