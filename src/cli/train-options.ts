/** The options of `portraitgan train`. */

import type { Command } from 'commander';
import type { TrainConfig } from '../training/config.ts';
import { readTrainSettings } from '../training/config-text.ts';
import { trainConfig } from '../training/train-defaults.ts';
import { TRAIN_SETTINGS } from '../training/train-settings.ts';
import { type EngineOptions, engineOptions } from './engine.ts';
import { numberOption, wholeOption } from './parse.ts';
import { givenSettings, readSettingsFile, settingOptions } from './setting-options.ts';

/** What belongs to a command, not to its run: nothing of it is stored. */
export interface RunFlags extends EngineOptions {
  /** Folder of runs. */
  readonly out: string;
  /** Name of the run's folder; a new one is numbered. */
  readonly name?: string;
  /** `latest`, or a checkpoint. */
  readonly resume?: string;
  /** Threads that share every batch, each with an engine of its own. */
  readonly ranks?: number;
  /** File of a carry checkpoint, written with each checkpoint. */
  readonly carry?: string;
  /** File of settings. */
  readonly config?: string;
  readonly dryRun?: boolean;
  /** Rate for the estimate of a dry run, instead of measuring it. */
  readonly gflops?: number;
  readonly json?: boolean;
}

/** Options that all commands with runs have, the everyday ones. */
export function runOptions(command: Command): Command {
  engineOptions(
    command
      .option('--out <folder>', 'where runs are', 'runs')
      .option('--name <name>', 'folder of this run in it (default: the next number)')
      .option('--resume <latest|file>', 'goes on with a run exactly where its checkpoint was written')
      .option(
        '--ranks <n>',
        'engines that share each batch and the threads: faster than one with all threads (default: 1)',
        wholeOption('--ranks', 1, 256),
      )
      .option(
        '--carry <file>',
        'with each checkpoint, also half precision without moments, to go on elsewhere (--resume <file>)',
      )
      .option('--config <file>', 'settings as JSON, such as the config.json of a run; options count more')
      .option('--dry-run', 'prints the settings, and what the run would cost')
      .option(
        '--gflops <n>',
        'rate of this machine for a dry run (default: measured)',
        numberOption('--gflops', 0.001),
      )
      .option('--json', 'prints the dry run as JSON'),
  );
  return command;
}

/** Adds all options. Values of settings are in the flags under their own names. */
export function trainOptions(command: Command): Command {
  return runOptions(settingOptions(command, TRAIN_SETTINGS));
}

/** The settings that a person gave: those of `--config`, and options over them.
 *
 * @throws UsageError naming the file and what is wrong in it
 */
export function givenTraining(flags: RunFlags): Partial<TrainConfig> {
  const file =
    flags.config === undefined ? {} : readTrainSettings(readSettingsFile(flags.config), `"${flags.config}"`);
  return { command: 'train', ...file, ...givenSettings(TRAIN_SETTINGS, { ...flags }) };
}

/** The configuration of a new run. @throws UsageError naming what cannot be meant. */
export function trainConfigOf(flags: RunFlags): TrainConfig {
  return trainConfig(givenTraining(flags), flags.ranks);
}
