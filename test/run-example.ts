/** The folder of a run as training writes it, for tests of what shows it. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePng } from '../src/picture/png.ts';
import { blankRaster } from '../src/picture/raster.ts';
import { openLineFile } from '../src/runs/line-file.ts';
import { type RunFolder, runFolder, snapshotFile } from '../src/runs/run-folder.ts';
import { openStats, progressStatistics } from '../src/runs/stats.ts';
import { createCollector } from '../src/training/collector.ts';

/** Writes a tick as a run does that goes on at `resumeAt` images. */
export function writeTick(run: RunFolder, resumeAt: number, seen: number): void {
  const collector = createCollector();
  collector.report('Loss/G/loss', [1 / seen, 3 / seen]);
  collector.report('Loss/D/loss', 1.25);
  for (let k = 0; k < 6; k++) collector.report(`Loss_pose/real_${k}`, 10 + k);
  const progress = progressStatistics({
    ...{ tick: seen / 8, seen, tickImages: 8, totalSeconds: seen, tickSeconds: 8, maintenanceSeconds: 1 },
    memoryBytes: 2 ** 30,
  });
  for (const [name, value] of Object.entries(progress)) collector.report(name, value);
  const stats = openStats(run.stats, resumeAt);
  stats.append(collector.tick(), 1_700_000_000 + seen);
  stats.close();
}

/** Makes a run of a few ticks, and snapshots in grey that gets lighter. */
export async function writeRun(root: string, ticks: readonly number[]): Promise<RunFolder> {
  const run = runFolder(root);
  mkdirSync(run.snapshots, { recursive: true });
  writeFileSync(run.config, JSON.stringify({ preset: 'tiny', kimg: 1 }));
  const log = openLineFile(run.log);
  for (const seen of ticks) {
    writeTick(run, seen, seen);
    log.append(`tick at ${seen} images`);
    const grey = Math.min(255, 40 + seen);
    for (const kind of ['fakes', 'depth']) {
      const png = await encodePng(blankRaster(64, 32, [grey, grey, grey]));
      writeFileSync(join(run.snapshots, snapshotFile(kind, seen)), png);
    }
  }
  log.close();
  return run;
}
