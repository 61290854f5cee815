/** `portraitgan dataset`: commands about what networks learn from. */

import { Command } from 'commander';
import { datasetInspectCommand } from './dataset-inspect.ts';
import { datasetPackCommand } from './dataset-pack.ts';
import { datasetSynthCommand } from './dataset-synth.ts';
import { datasetValidateCommand } from './dataset-validate.ts';

const HELP = `
A dataset is NAME.zip of pictures with dataset.json, and NAME-masks.zip of masks with the same names; or a folder with
images, masks and dataset.json.

Examples:
  portraitgan dataset synth --count 1000 --size 128 --out people.zip
  portraitgan dataset pack --images photos/images --masks photos/masks --labels photos/dataset.json --out set.zip
  portraitgan dataset validate set.zip
  portraitgan dataset inspect set.zip --out look`;

/** The group of commands. */
export function datasetCommand(): Command {
  const group = new Command('dataset')
    .description('make, pack, check and look at datasets for training')
    .addHelpText('after', HELP);
  for (const command of [
    datasetSynthCommand(),
    datasetPackCommand(),
    datasetValidateCommand(),
    datasetInspectCommand(),
  ]) {
    command.option('--debug', 'prints the stack of an error').allowExcessArguments(false).exitOverride();
    group.addCommand(command);
  }
  return group;
}
