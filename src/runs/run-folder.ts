/**
 * What lies where in the folder of a run, and how its snapshots are called. Node only.
 *
 * `config.json`, `log.txt`, `stats.jsonl`, `checkpoints/` and `snapshots/KIND-KIMG.png`, with thousands of images shown
 * as 6 digits and 3 decimals: every number of images has a name of its own, and names sort by it.
 */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

/** Paths of a run. */
export interface RunFolder {
  readonly root: string;
  readonly config: string;
  readonly log: string;
  readonly stats: string;
  readonly checkpoints: string;
  readonly snapshots: string;
}

export function runFolder(root: string): RunFolder {
  return {
    root,
    config: join(root, 'config.json'),
    log: join(root, 'log.txt'),
    stats: join(root, 'stats.jsonl'),
    checkpoints: join(root, 'checkpoints'),
    snapshots: join(root, 'snapshots'),
  };
}

/** Whether a folder is that of a run: it has a configuration or statistics. */
export function isRunFolder(path: string): boolean {
  const { config, stats } = runFolder(path);
  return existsSync(config) || existsSync(stats);
}

/** Runs by name: the folder itself when it is one, else those directly in it. */
export function runsAt(path: string): ReadonlyMap<string, RunFolder> {
  if (isRunFolder(path)) return new Map([[basename(resolve(path)), runFolder(path)]]);
  const names = readdirSync(path).filter((name) => isRunFolder(join(path, name)));
  return new Map(names.sort().map((name) => [name, runFolder(join(path, name))]));
}

/** A sheet of pictures. */
export interface Snapshot {
  /** What it shows: `fakes`, `depth` and so on. */
  readonly kind: string;
  /** Images shown when it was made. */
  readonly seen: number;
  readonly file: string;
}

/** The file of a snapshot. */
export function snapshotFile(kind: string, seen: number): string {
  return `${kind}-${(seen / 1000).toFixed(3).padStart(10, '0')}.png`;
}

/** Reads such a name; undefined for any other. */
export function parseSnapshotFile(file: string): Snapshot | undefined {
  const match = /^([a-z]+)-(\d{6,})\.(\d{3})\.png$/.exec(file);
  return match === null ? undefined : { kind: match[1], seen: Number(match[2] + match[3]), file };
}

/** Snapshots of a run, the earliest first. */
export function snapshotsOf({ snapshots }: RunFolder): Snapshot[] {
  if (!existsSync(snapshots) || !statSync(snapshots).isDirectory()) return [];
  return readdirSync(snapshots)
    .flatMap((file) => parseSnapshotFile(file) ?? [])
    .sort((a, b) => a.seen - b.seen || a.kind.localeCompare(b.kind));
}
