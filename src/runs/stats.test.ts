import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createCollector } from '../training/collector.ts';
import { openStats, parseStatsLine, progressStatistics, seenAt } from './stats.ts';

const freshPath = (): string => join(mkdtempSync(join(tmpdir(), 'portraitgan-stats-')), 'stats.jsonl');

function writeTick(path: string, resumeAt: number, seen: number, loss: number): number {
  const collector = createCollector();
  collector.report('Loss/G/loss', [loss, loss + 2]);
  const progress = progressStatistics({
    ...{ tick: 0, seen, tickImages: 8, totalSeconds: 7, tickSeconds: 2, maintenanceSeconds: 1 },
    memoryBytes: 2 ** 31,
  });
  for (const [name, value] of Object.entries(progress)) collector.report(name, value);
  const file = openStats(path, resumeAt);
  file.append(collector.tick(), 1700000000.5);
  file.close();
  return file.removed;
}

const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => parseStatsLine(line)!);

describe('stats.jsonl', () => {
  test('a line a tick', () => {
    const path = freshPath();
    writeTick(path, 0, 8, 1);
    const text = readFileSync(path, 'utf8');
    expect(JSON.parse(text)).toMatchObject({
      'Loss/G/loss': { num: 2, mean: 2, std: 1 },
      'Progress/kimg': { num: 1, mean: 0.008, std: 0 },
      'Timing/sec_per_kimg': { mean: 250 },
      'Resources/cpu_mem_gb': { mean: 2 },
      timestamp: 1700000000.5,
    });
    expect(seenAt(parseStatsLine(text)!)).toBe(8);
  });

  test('a resumed run writes the ticks after its resume point again', () => {
    const path = freshPath();
    for (const seen of [8, 16, 24, 32]) writeTick(path, seen, seen, seen);
    expect(writeTick(path, 16, 24, 100)).toBe(2);
    expect(linesOf(path).map(seenAt)).toEqual([8, 16, 24]);
    expect(linesOf(path)[2].statistics['Loss/G/loss'].mean).toBe(101);
    expect(writeTick(path, 0, 8, 0)).toBe(3);
  });

  test('every cut of the file is put right', () => {
    const path = freshPath();
    for (const seen of [8, 16]) writeTick(path, seen, seen, seen);
    const whole = readFileSync(path);
    const first = whole.indexOf('\n') + 1;
    for (let cut = first; cut <= whole.length; cut += 7) {
      writeFileSync(path, whole.subarray(0, cut));
      expect(writeTick(path, 1000, 24, 0)).toBe(cut === first || cut >= whole.length - 1 ? 0 : 1);
      expect(linesOf(path).map(seenAt)).toEqual(cut >= whole.length - 1 ? [8, 16, 24] : [8, 24]);
    }
  });

  test('a line of zeros, as a power cut can leave it, goes; infinities become null', () => {
    const path = freshPath();
    writeTick(path, 0, 8, Number.POSITIVE_INFINITY);
    expect(linesOf(path)[0].statistics['Loss/G/loss'].mean).toBe(null);
    writeFileSync(path, `${readFileSync(path)}${'\0'.repeat(20)}\n`);
    expect(writeTick(path, 8, 16, 0)).toBe(1);
    expect(linesOf(path).map(seenAt)).toEqual([8, 16]);
  });
});
