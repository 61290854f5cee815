/** The dashboard's server: reads one folder, and by default answers only to this machine. */

import { existsSync, statSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import { runsAt } from '../runs/run-folder.ts';
import { type Address, type Serving, serveSite } from '../serve.ts';
import { dashboardSite } from './site.ts';

export interface DashboardOptions extends Address {
  /** The folder of a run, or one that holds such folders. */
  readonly root: string;
}

/** Starts serving.
 *
 * @throws UsageError when the folder holds no run, or the address cannot be had.
 */
export async function startDashboard({ root, ...address }: DashboardOptions): Promise<Serving> {
  checkRoot(root);
  return serveSite(dashboardSite(root), address);
}

function checkRoot(root: string): void {
  if (!existsSync(root)) throw new UsageError(`there is no folder "${root}"`);
  if (!statSync(root).isDirectory())
    throw new UsageError(
      `"${root}" is a file; the dashboard shows the folder of a run, or one that holds such folders`,
    );
  if (runsAt(root).size === 0)
    throw new UsageError(
      `"${root}" is no run and holds none: a run's folder has a config.json or a stats.jsonl, as "portraitgan train" writes them`,
    );
}
