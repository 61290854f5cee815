/** Whose portrait a command makes: network, seeds or latents, truncation. */

import type { Command } from 'commander';
import { NETWORK_HELP } from './network.ts';
import { numberOption, numbersOption, parseSeeds, wholeOption } from './parse.ts';

/** Adds `--network`, `--seeds`, `--latents`, `--trunc` and `--trunc-cutoff`.
 *
 * @param sweeps whether `--trunc` may be a list
 */
export function personOptions(command: Command, { sweeps }: { readonly sweeps: boolean }): Command {
  command
    .option('--network <file>', `${NETWORK_HELP} (default: the embedded model)`)
    .option('--seeds <list>', 'seeds such as 0-3,7; ranges include both ends (default: 0)', parseSeeds)
    .option('--latents <file.npz>', 'instead of seeds: "z" [N, zDim] or "ws" [N, numWs, wDim]');
  if (sweeps) {
    command.option(
      '--trunc <psi>',
      'truncation psi; several as 0,0.5,1 make a sweep (default: 1)',
      numbersOption('--trunc'),
    );
  } else command.option('--trunc <psi>', 'truncation psi (default: 1)', numberOption('--trunc'));
  return command.option(
    '--trunc-cutoff <rows>',
    'rows of ws that are truncated (default: all)',
    wholeOption('--trunc-cutoff', 0),
  );
}
