/** `portraitgan teach`: a generator learns from renders of people whose latents are known. */

import { Command } from 'commander';
import { configOfResumed, resumedState } from './run-start.ts';
import { taughtMethod } from './taught-method.ts';
import { givenTeaching, teachConfigOf, teachOptions } from './teach-options.ts';
import { dryRun } from './train-dry-run.ts';
import type { RunFlags } from './train-options.ts';
import { trainingRun } from './training-run.ts';

const EXAMPLES = `
The data is a set that "portraitgan dataset synth" made: it knows who is on each picture. The generator learns to make
that person from that person's latent; the discriminator is carried along untouched, so that "train --init" can go on
from here with the published method.

Examples:
  portraitgan dataset synth --count 16000 --views 8 --size 128 --backdrops identity --depth --out people.zip
  portraitgan teach --data people.zip --preset 128-64 --kimg 400
  portraitgan teach --resume latest`;

/** The command. */
export function teachCommand(): Command {
  const command = new Command('teach').description(
    'teach a generator by synthetic portraits whose latents are known',
  );
  return teachOptions(command).addHelpText('after', EXAMPLES).action(teach);
}

async function teach(flags: RunFlags): Promise<void> {
  const resumed = resumedState(flags);
  const config =
    resumed === undefined ? teachConfigOf(flags) : configOfResumed(resumed, givenTeaching(flags));
  if (flags.dryRun) return dryRun(config, flags);
  await trainingRun(config, flags, resumed, (parts) => taughtMethod(config, parts));
}
