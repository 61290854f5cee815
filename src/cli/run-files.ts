/** Runs of training by the folder they are in. */

import { existsSync, statSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import { checkpointsOf, findLatest, tellPassedOver } from '../runs/latest.ts';
import { note } from './output.ts';

/** The state file to use of what was named: that of the newest checkpoint of a run's folder, or the file itself.
 *
 * @throws UsageError for a folder without a checkpoint that verifies.
 */
export function newestOfRun(name: string): string {
  if (!statSync(name).isDirectory()) return name;
  const inside = checkpointsOf(name);
  const { file, passedOver } = findLatest(existsSync(inside) ? inside : name);
  for (const one of passedOver) note(tellPassedOver(one));
  if (file !== undefined) return file;
  throw new UsageError(
    passedOver.length === 0
      ? `the folder "${name}" holds no checkpoint of a training run`
      : `no checkpoint in the folder "${name}" is intact`,
  );
}
