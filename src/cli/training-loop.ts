/**
 * The loop of a run, whatever it trains: iterations, and between them statistics, snapshots and checkpoints.
 *
 * It knows neither the engine nor the method.
 */

import type { JsonObject } from '../portrait/config.ts';
import { writeCarry } from '../runs/carry.ts';
import { cleanCheckpoints, writeCheckpoint } from '../runs/checkpoints.ts';
import { openLineFile } from '../runs/line-file.ts';
import type { RunFolder } from '../runs/run-folder.ts';
import { openStats, progressStatistics } from '../runs/stats.ts';
import { createCollector, type TickSummary } from '../training/collector.ts';
import type { RunConfig } from '../training/config.ts';
import { printConfig } from '../training/config-text.ts';
import type { IterationReport } from '../training/iteration.ts';
import type { Trainer } from '../training/trainer.ts';
import { writeAside } from '../weights/safe-write.ts';
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
  writeAside(folder.config, (write) => write(Buffer.from(printConfig(config))));
  const run = openRun(parts);
  const total = Math.round(config.kimg * 1000);
  const isOver = (): boolean => trainer.place().seen >= total;
  try {
    // So that there is something to go on from, whatever happens first.
    if (parts.isNew) await run.save();
    while (!isOver() && !stop.asked && !run.isOutOfTime()) {
      run.take(await trainer.step());
      const ticks = isOver() || trainer.place().iteration === 1 || run.tickIsDue();
      if (ticks) run.tick();
      else run.show();
      if (isOver() || run.checkpointIsDue()) await run.save();
      // Pictures take a while: what is due is saved before.
      if (ticks && run.sheetsAreDue() && !stop.asked) await run.sheets();
    }
    if (run.hasMoved()) await run.save();
    const reason = isOver() ? 'done' : stop.asked ? 'stopped' : 'out of time';
    const { seen } = trainer.place();
    run.log(`${reason} after ${kimgText(seen)}`);
    return { seen, checkpoint: run.saved(), reason };
  } catch (error) {
    run.logFailure(error as Error);
    throw error;
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
    saved = { seen: trainer.place().seen, at: seconds(), file };
    if (parts.carry === undefined) return;
    try {
      await writeCarry(parts.carry, state);
    } catch (error) {
      // The exact checkpoint is safe, and the run goes on.
      write(`no carry checkpoint: ${(error as Error).message}`);
    }
  };
  const tick = (): void => {
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
    tickStart = { seen, at: seconds(), maintenance: 0 };
  };
  const sheetNumber = (): number =>
    Math.floor(trainer.place().seen / (perTick * (config.imageSnapshotTicks ?? 1)));
  let lastSheet = sheetNumber();
  return {
    take({ statistics, bad }: IterationReport): void {
      for (const [name, values] of statistics) collector.report(name, values);
      for (const [phase, count] of bad)
        if (count > 0) collector.report(`Progress/bad_gradients/${phase}`, count);
    },
    tickIsDue: () => trainer.place().seen >= tickStart.seen + perTick,
    tick,
    sheetsAreDue: () =>
      config.imageSnapshotTicks !== null &&
      (trainer.place().iteration === 1 ||
        sheetNumber() > lastSheet ||
        trainer.place().seen >= config.kimg * 1000),
    async sheets(): Promise<void> {
      lastSheet = sheetNumber();
      const before = seconds();
      await snapshot(trainer.place().seen);
      tickStart = { ...tickStart, at: seconds(), maintenance: seconds() - before };
    },
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
    /** The error itself is shown by whoever hears of it. */
    logFailure({ message }: Error): void {
      try {
        log.append(`failed after ${kimgText(trainer.place().seen)}: ${message}`);
      } catch {
        // A full disk takes no more words.
      }
    },
    close(): void {
      line.clear();
      log.close();
      stats.close();
    },
  };
}
