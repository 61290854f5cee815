/** `portraitgan train`: the published adversarial training. */

import { Command } from 'commander';
import { adversarialMethod } from './adversarial-method.ts';
import { configOfResumed, resumedState } from './run-start.ts';
import { dryRun } from './train-dry-run.ts';
import { givenTraining, type RunFlags, trainConfigOf, trainOptions } from './train-options.ts';
import { trainingRun } from './training-run.ts';

const EXAMPLES = `
A run has a folder: config.json, log.txt, stats.jsonl, checkpoints/, snapshots/. Ctrl-C saves and leaves;
docs/training.md says what every setting means, docs/checkpoints.md what is kept and when it is safe.

Examples:
  portraitgan train --data people.zip --preset 64-32 --kimg 50
  portraitgan train --data people.zip --dry-run
  portraitgan train --resume latest                  the newest run in runs/
  portraitgan dashboard runs                         watch it`;

/** The command. */
export function trainCommand(): Command {
  const command = new Command('train').description(
    'train generator and discriminator on single-view pictures',
  );
  return trainOptions(command).addHelpText('after', EXAMPLES).action(train);
}

async function train(flags: RunFlags): Promise<void> {
  const resumed = resumedState(flags);
  const config =
    resumed === undefined ? trainConfigOf(flags) : configOfResumed(resumed, givenTraining(flags));
  if (flags.dryRun) return dryRun(config, flags);
  await trainingRun(config, flags, resumed, (parts) => adversarialMethod(config, parts));
}
