/** Reads the folder of a run for the dashboard, while the run writes it. Nothing here writes. */

import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { splitLines } from '../runs/line-file.ts';
import { type RunFolder, snapshotsOf } from '../runs/run-folder.ts';
import { parseStatsLine, seenAt } from '../runs/stats.ts';
import type { ListedSnapshot, RunReport, RunSummary, StatsAnswer } from './messages.ts';

/** Most bytes of statistics in one answer, of the log, and for finding the last tick. */
const STATS_BYTES = 2_000_000;
const LOG_BYTES = 32_000;
const LAST_TICK_BYTES = 100_000;

/** All but the statistics. */
export function runReport(name: string, run: RunFolder): RunReport {
  return {
    name,
    config: existsSync(run.config) ? readFileSync(run.config, 'utf8') : null,
    log: tail(run.log, LOG_BYTES),
    snapshots: snapshotsOf(run).flatMap((snapshot) => listed(name, run, snapshot) ?? []),
  };
}

function listed(
  name: string,
  run: RunFolder,
  { kind, seen, file }: { readonly kind: string; readonly seen: number; readonly file: string },
): ListedSnapshot | undefined {
  // A resumed run may remove or rewrite it in between.
  const stats = statSync(join(run.snapshots, file), { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const url = `/api/runs/${encodeURIComponent(name)}/snapshots/${file}?version=${Math.round(stats.mtimeMs)}`;
  return { kind, seen, url };
}

/** Name and progress. */
export function runSummary(name: string, run: RunFolder): RunSummary {
  const { lines } = splitLines(tail(run.stats, LAST_TICK_BYTES));
  const last = lines.length === 0 ? undefined : parseStatsLine(lines[lines.length - 1]);
  return { name, seen: (last && seenAt(last)) ?? null };
}

/** Ticks from a byte on; from the start when the file is another one than `known`. */
export function statsSince(run: RunFolder, known: string | undefined, from: number): StatsAnswer {
  if (!existsSync(run.stats)) return { file: '', from: 0, next: 0, ticks: [], more: false };
  const descriptor = openSync(run.stats, 'r');
  try {
    const { ino, birthtimeMs, size } = fstatSync(descriptor);
    const file = `${ino}-${birthtimeMs}`;
    const start = known === file && from <= size ? from : 0;
    const bytes = Buffer.alloc(Math.min(size - start, STATS_BYTES));
    const length = readSync(descriptor, bytes, 0, bytes.length, start);
    // A line that is being written waits for its end.
    const end = bytes.subarray(0, length).lastIndexOf(0x0a) + 1;
    const { lines } = splitLines(bytes.toString('utf8', 0, end));
    const ticks = lines.flatMap((line) => parseStatsLine(line) ?? []);
    return { file, from: start, next: start + end, ticks, more: end > 0 && start + length < size };
  } finally {
    closeSync(descriptor);
  }
}

/** The last whole lines of a file, at most so many bytes; empty when there is none. */
function tail(path: string, most: number): string {
  if (!existsSync(path)) return '';
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const start = Math.max(0, size - most);
    const bytes = Buffer.alloc(size - start);
    const text = bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, start));
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    closeSync(descriptor);
  }
}
