/**
 * The loop of a run, whatever it trains: iterations, and between them statistics, snapshots and checkpoints.
 *
 * It knows neither the engine nor the method.
 */

import { writeFileSync } from 'node:fs';
import type { JsonObject } from '../portrait/config.ts';
import { writeCarry } from '../runs/carry.ts';
import { cleanCheckpoints, writeCheckpoint } from '../runs/checkpoints.ts';
import { openLineFile } from '../runs/line-file.ts';
import type { RunFolder } from '../runs/run-folder.ts';
import { openStats, progressStatistics } from '../runs/stats.ts';
import { createCollector, type TickSummary } from '../training/collector.ts';
import type { RunConfig } from '../training/config.ts';
import { printConfig } from '../training/config-text.ts';
import type { Trainer } from '../training/trainer.ts';
import type { Stop } from './gentle-stop.ts';
import { showSeconds } from './output.ts';
import { kimgText, lossesOf, statusLine, statusText, type TrainStatus } from './train-status.ts';

export interface LoopParts {
  readonly config: RunConfig;
  readonly folder: RunFolder;
  readonly trainer: Trainer;
  readonly stop: Stop;
  /** What checkpoints hold beside the trainer's own. */
  readonly record: () => JsonObject;
  /** Whether nothing of it was saved before. */
  readonly isNew: boolean;
  /** Also written at each checkpoint: half precision, for another machine. */
  readonly carry: string | undefined;
  /** Seconds that earlier sessions of the run took. */
  readonly earlierSeconds: number;
  /** Writes the sheets of pictures. */
  readonly snapshot: (seen: number) => Promise<void>;
}

export interface LoopResult {
  readonly seen: number;
  readonly checkpoint: string | undefined;
  /** Why it ended. */
  readonly reason: 'done' | 'stopped' | 'out of time';
}

/** Trains until all images are shown, the time is over, or somebody stops it; saves, and says where it is. */
export async function trainingLoop(parts: LoopParts): Promise<LoopResult> {
  const { config, folder, trainer, stop } = parts;
  await cleanCheckpoints(folder.checkpoints);
  writeFileSync(folder.config, printConfig(config));
  const run = openRun(parts);
  const total = config.kimg * 1000;
  let reason: LoopResult['reason'] = 'done';
  try {
    // So that there is something to go on from, whatever happens first.
    if (parts.isNew) await run.save();
    while (trainer.place().seen < total) {
      const report = await trainer.step();
      run.take(report.statistics);
      const { seen, iteration } = trainer.place();
      if (seen >= total || iteration === 1 || run.tickIsDue()) await run.tick();
      else run.show();
      if (stop.asked) reason = 'stopped';
      else if (run.isOutOfTime() && seen < total) reason = 'out of time';
      if (reason !== 'done') break;
      if (run.checkpointIsDue()) await run.save();
    }
    if (run.hasMoved()) await run.save();
    const { seen } = trainer.place();
    run.log(`${reason} after ${kimgText(seen)}`);
    return { seen, checkpoint: run.saved(), reason };
  } finally {
    run.close();
  }
}

/** The files of a run in progress, and its clocks. */
function openRun(parts: LoopParts) {
  const { config, folder, trainer, record, snapshot } = parts;
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1000;
  const log = openLineFile(folder.log);
  const stats = openStats(folder.stats, trainer.place().seen);
  const collector = createCollector();
  const line = statusLine();
  const perTick = config.tickKimg * 1000;
  let tickStart = { seen: trainer.place().seen, at: 0, maintenance: 0 };
  let saved = { seen: trainer.place().seen, at: 0, file: undefined as string | undefined };
  let losses: Record<string, number> = {};

  const status = (): TrainStatus => {
    const { seen } = trainer.place();
    const spent = seconds() - tickStart.at;
    const perSecond = spent > 0 && seen > tickStart.seen ? (seen - tickStart.seen) / spent : undefined;
    const unit = config.command === 'train' ? 'images' : 'views';
    return { seen, total: config.kimg * 1000, unit, perSecond, losses };
  };
  const write = (text: string): void => {
    line.clear();
    log.append(text);
    process.stderr.write(`${text}\n`);
  };
  const save = async (): Promise<void> => {
    const { snapshotTicks, keepCheckpoints: keep } = config;
    const state = await trainer.state({ ...record(), seconds: parts.earlierSeconds + seconds() });
    const milestone = snapshotTicks === null ? 0 : Math.round(snapshotTicks * perTick);
    const file = await writeCheckpoint(folder.checkpoints, state, { keep, milestone });
    if (parts.carry !== undefined) await writeCarry(parts.carry, state);
    saved = { seen: trainer.place().seen, at: seconds(), file };
  };
  const tick = async (): Promise<void> => {
    const { seen } = trainer.place();
    const number = Math.floor(seen / perTick);
    const shown = status();
    const progress = progressStatistics({
      ...{ tick: number, seen, tickImages: seen - tickStart.seen },
      totalSeconds: parts.earlierSeconds + seconds(),
      tickSeconds: seconds() - tickStart.at,
      maintenanceSeconds: tickStart.maintenance,
      memoryBytes: process.memoryUsage().rss,
    });
    for (const [name, value] of Object.entries(progress)) collector.report(name, value);
    const summary: TickSummary = collector.tick();
    losses = lossesOf(summary);
    stats.append(summary, Date.now() / 1000);
    write(statusText({ ...shown, losses }));
    const before = seconds();
    const { imageSnapshotTicks: every } = config;
    const done = seen >= config.kimg * 1000;
    const isFirst = trainer.place().iteration === 1;
    if (every !== null && (done || isFirst || number % every === 0)) await snapshot(seen);
    tickStart = { seen, at: seconds(), maintenance: seconds() - before };
  };
  return {
    take(statistics: ReadonlyMap<string, readonly number[]>): void {
      for (const [name, values] of statistics) collector.report(name, values);
    },
    tickIsDue: () => trainer.place().seen >= tickStart.seen + perTick,
    tick,
    show: () => line.show(status()),
    isOutOfTime: () => config.stopAfterMinutes !== null && seconds() > 60 * config.stopAfterMinutes,
    checkpointIsDue(): boolean {
      const { checkpointMinutes: minutes, checkpointKimg: kimg } = config;
      const late = minutes !== null && seconds() - saved.at > 60 * minutes;
      return late || (kimg !== null && trainer.place().seen - saved.seen >= 1000 * kimg);
    },
    save,
    hasMoved: () => trainer.place().seen !== saved.seen,
    saved: () => saved.file,
    log: (text: string) => write(`${text}, ${showSeconds(seconds())}`),
    close(): void {
      line.clear();
      log.close();
      stats.close();
    },
  };
}
