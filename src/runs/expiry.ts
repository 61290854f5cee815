/** Which checkpoints of a folder may go. */

import type { CheckpointEntry } from './manifest.ts';

/** Goes through checkpoints, newest first: everything behind the `keep` newest that are intact may go, except milestones.
 *
 * What is damaged does not count, so the last intact one is never among the expired.
 *
 * @param entries    newest first.
 * @param milestone  images; the first checkpoint at or after each multiple stays. 0: none.
 * @param isIntact   verifies one; asked only until enough were found.
 */
export function expiredCheckpoints(
  entries: readonly CheckpointEntry[],
  { keep, milestone }: { readonly keep: number; readonly milestone: number },
  isIntact: (entry: CheckpointEntry) => boolean,
): CheckpointEntry[] {
  const stays = milestonesOf(entries, milestone);
  const expired: CheckpointEntry[] = [];
  let intact = 0;
  for (const entry of entries) {
    if (intact < Math.max(1, keep)) intact += isIntact(entry) ? 1 : 0;
    else if (!stays.has(entry)) expired.push(entry);
  }
  return expired;
}

function milestonesOf(entries: readonly CheckpointEntry[], milestone: number): Set<CheckpointEntry> {
  const found = new Set<CheckpointEntry>();
  if (milestone <= 0) return found;
  let reached = 0;
  for (const entry of [...entries].reverse()) {
    const multiple = Math.floor(entry.seen / milestone);
    if (multiple > reached) found.add(entry);
    reached = Math.max(reached, multiple);
  }
  return found;
}
