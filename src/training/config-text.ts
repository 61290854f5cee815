/** Configurations as text, and what two of them have different. */

import { UsageError } from '../errors.ts';
import type { Json, JsonObject } from '../portrait/config.ts';
import type { RunConfig, TeachConfig, TrainConfig } from './config.ts';
import { readSettings, type Setting } from './settings.ts';
import { TEACH_SETTINGS } from './teach-settings.ts';
import { teachConfig, trainConfig } from './train-defaults.ts';
import { TRAIN_SETTINGS } from './train-settings.ts';

/** JSON that {@link parseConfig} and `--config` read, one setting a line. */
export function printConfig(config: RunConfig): string {
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** A stored configuration. Settings that it lacks, because it is older than they are, get their defaults.
 *
 * @param what names it in errors
 * @throws UsageError naming the setting that is unknown or cannot be.
 */
export function parseConfig(value: Json, what = 'settings'): RunConfig {
  const command = (value as JsonObject | null)?.command;
  if (command === 'train') return trainConfig(readTrainSettings(value, what));
  if (command === 'teach') return teachConfig(readTeachSettings(value, what));
  throw new UsageError(
    `${what}: "command" says train or teach in a whole configuration, not ${JSON.stringify(command)}`,
  );
}

/** Some settings of adversarial training, as a file has them. @throws UsageError as {@link parseConfig}. */
export function readTrainSettings(value: Json, what: string): Partial<TrainConfig> {
  return readSettings(TRAIN_SETTINGS, value, what);
}

/** Some settings of teaching. @throws UsageError as {@link parseConfig}. */
export function readTeachSettings(value: Json, what: string): Partial<TeachConfig> {
  return readSettings(TEACH_SETTINGS, value, what);
}

/** A setting that two runs have otherwise; as JSON. */
export interface Difference {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

export interface Differences {
  /** What a resumed run may have otherwise. */
  readonly free: readonly Difference[];
  /** What it may not. */
  readonly fixed: readonly Difference[];
}

/** What a run would have otherwise. */
export function configDifferences(before: RunConfig, after: RunConfig): Differences {
  const free: Difference[] = [];
  const fixed: Difference[] = [];
  const table: Readonly<Record<string, Setting>> = { ...TRAIN_SETTINGS, ...TEACH_SETTINGS };
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before, after].map((config) => textOf((config as unknown as JsonObject)[name]));
    if (was === is) continue;
    const kind = table[name]?.fixed === true || before.command !== after.command ? fixed : free;
    kind.push({ name, before: was, after: is });
  }
  return { free, fixed };
}

/** Objects with their keys in one order: who wrote them down first does not matter. */
function textOf(value: Json | undefined): string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return JSON.stringify(Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))));
  return JSON.stringify(value) ?? 'nothing';
}

/** The configuration that a resumed run goes on with: the stored one with what is asked for now.
 *
 * @throws UsageError listing what cannot change.
 */
export function resumedConfig(
  stored: RunConfig,
  asked: Partial<TrainConfig> | Partial<TeachConfig>,
): RunConfig {
  const wanted = { ...stored, ...asked, command: asked.command ?? stored.command };
  // Of weights of a loss some may be said.
  if (stored.command === 'teach' && 'weights' in wanted)
    wanted.weights = { ...stored.weights, ...wanted.weights };
  const { fixed } = configDifferences(stored, wanted as RunConfig);
  if (fixed.length > 0)
    throw new UsageError(
      `a resumed run goes on with its own settings; other ones are asked for: ${fixed.map(showDifference).join(', ')}. Leave them out, or begin another run with --init`,
    );
  return parseConfig(wanted as unknown as Json, 'the settings of the resumed run');
}

/** One of them in words. */
export function showDifference({ name, before, after }: Difference): string {
  return `${name} ${after} (the run has ${before})`;
}
