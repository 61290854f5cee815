/** The options of `portraitgan teach`. */

import type { Command } from 'commander';
import type { TeachConfig } from '../training/config.ts';
import { readTeachSettings } from '../training/config-text.ts';
import { TEACH_SETTINGS } from '../training/teach-settings.ts';
import { teachConfig } from '../training/train-defaults.ts';
import { givenSettings, readSettingsFile, settingOptions } from './setting-options.ts';
import { type RunFlags, runOptions } from './train-options.ts';

/** Adds all options. */
export function teachOptions(command: Command): Command {
  return runOptions(settingOptions(command, TEACH_SETTINGS));
}

/** The settings that a person gave: those of `--config`, and options over them.
 *
 * @throws UsageError naming the file and what is wrong in it
 */
export function givenTeaching(flags: RunFlags): Partial<TeachConfig> {
  const file =
    flags.config === undefined ? {} : readTeachSettings(readSettingsFile(flags.config), `"${flags.config}"`);
  return { command: 'teach', ...file, ...givenSettings(TEACH_SETTINGS, { ...flags }) };
}

/** The configuration of a new run. @throws UsageError naming what cannot be meant. */
export function teachConfigOf(flags: RunFlags): TeachConfig {
  return teachConfig(givenTeaching(flags));
}
