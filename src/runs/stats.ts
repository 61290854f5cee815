/**
 * `stats.jsonl`: one line a tick, statistic names to `{num, mean, std}`, and `timestamp` in seconds since 1970
 * (spec page 5.10). What is not a finite number is written as null. Node only.
 */

import type { TickSummary } from '../training/collector.ts';
import { openLineFile } from './line-file.ts';

/** A statistic as it is stored. */
export interface StoredSummary {
  readonly num: number;
  readonly mean: number | null;
  readonly std: number | null;
}

/** One line. */
export interface StatsLine {
  readonly statistics: Readonly<Record<string, StoredSummary>>;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

export interface StatsFile {
  /** Lines that were removed when the file was opened: broken ones, and those of ticks after the resume point. */
  readonly removed: number;
  /** @param timestamp seconds since 1970 */
  append(tick: TickSummary, timestamp: number): void;
  close(): void;
}

/** The statistic that says where in training a tick ended: thousands of images shown. */
export const PROGRESS = 'Progress/kimg';

/** Opens the statistics of a run that goes on at `seen` images shown: later lines are removed, they come again. */
export function openStats(path: string, seen: number): StatsFile {
  const file = openLineFile(path, {
    keep(line) {
      const parsed = parseStatsLine(line);
      return parsed !== undefined && (seenAt(parsed) ?? Number.POSITIVE_INFINITY) <= seen;
    },
    isWhole: (line) => parseStatsLine(line) !== undefined,
  });
  return {
    removed: file.removed,
    append: (tick, timestamp) => file.append(JSON.stringify({ ...tick, timestamp })),
    close: file.close,
  };
}

/** Reads a line; undefined when it is none. */
export function parseStatsLine(line: string): StatsLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || typeof value.timestamp !== 'number') return undefined;
  const { timestamp, ...rest } = value;
  const statistics = Object.fromEntries(Object.entries(rest).filter(([, entry]) => isSummary(entry)));
  return { statistics: statistics as Record<string, StoredSummary>, timestamp };
}

/** Images shown when the tick ended; undefined when the line does not say. */
export function seenAt({ statistics }: StatsLine): number | undefined {
  const kimg = statistics[PROGRESS]?.mean;
  return typeof kimg === 'number' ? Math.round(kimg * 1000) : undefined;
}

/** What a loop knows of itself at a tick. */
export interface TickProgress {
  readonly tick: number;
  /** Images shown, and those of this tick. */
  readonly seen: number;
  readonly tickImages: number;
  /** Since the run began, earlier sessions included; of this tick; and of snapshots and the like before it. */
  readonly totalSeconds: number;
  readonly tickSeconds: number;
  readonly maintenanceSeconds: number;
  /** Memory of the process. */
  readonly memoryBytes: number;
}

/** The same under the published names, to be reported once a tick. */
export function progressStatistics(progress: TickProgress): Readonly<Record<string, number>> {
  const { tick, seen, tickImages, totalSeconds, tickSeconds, maintenanceSeconds, memoryBytes } = progress;
  return {
    'Progress/tick': tick,
    [PROGRESS]: seen / 1000,
    'Timing/total_sec': totalSeconds,
    'Timing/sec_per_tick': tickSeconds,
    ...(tickImages > 0 ? { 'Timing/sec_per_kimg': (tickSeconds / tickImages) * 1000 } : {}),
    'Timing/maintenance_sec': maintenanceSeconds,
    'Timing/total_hours': totalSeconds / 3600,
    'Timing/total_days': totalSeconds / 86400,
    'Resources/cpu_mem_gb': memoryBytes / 2 ** 30,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSummary(value: unknown): value is StoredSummary {
  const isNumber = (x: unknown): boolean => x === null || typeof x === 'number';
  return isRecord(value) && typeof value.num === 'number' && isNumber(value.mean) && isNumber(value.std);
}
