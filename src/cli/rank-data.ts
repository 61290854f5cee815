/** Which data a rank reads: all of it, in an order of its own. */

import type { LoaderPosition } from '../dataset/index.ts';
import type { JsonObject } from '../portrait/config.ts';
import type { Collective } from '../training/collective.ts';

/** The seed of a rank's order. */
export function rankSeed(seed: number, { rank }: Collective): number {
  return (seed + Math.imul(rank, 0x9e3779b1)) >>> 0;
}

/** Where a rank goes on, when the first one is at `position`: all have drawn as much. */
export function rankPosition(
  position: JsonObject | undefined,
  seed: number,
  collective: Collective,
): { readonly position?: LoaderPosition } {
  if (position === undefined) return {};
  const first = position as unknown as LoaderPosition;
  return { position: collective.rank === 0 ? first : { ...first, seed: rankSeed(seed, collective) } };
}
