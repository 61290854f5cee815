/** The status line of training: how far it is, how fast, how long it takes, and what the losses are. */

import type { TickSummary } from '../training/collector.ts';
import { showSeconds } from './output.ts';
import { progressLine } from './progress.ts';

/** How often a line is written where there is no terminal. */
const ELSEWHERE_MS = 60_000;

export interface TrainStatus {
  /** Images shown, and when training ends. */
  readonly seen: number;
  readonly total: number;
  /** What is counted: taught training shows views. */
  readonly unit: 'images' | 'views';
  /** Of the unit, a second; undefined before anything was measured. */
  readonly perSecond: number | undefined;
  /** By the short name that the line gives them. */
  readonly losses: Readonly<Record<string, number>>;
}

/** The status in one line, such as `1.25 of 25 kimg (5%), 3.1 images/s, about 2.1 h left, G 0.812, D 1.203`. */
export function statusText({ seen, total, unit, perSecond, losses }: TrainStatus): string {
  const share = total > 0 ? ` (${Math.floor((100 * seen) / total)}%)` : '';
  const parts = [`${kimgText(seen, false)} of ${kimgText(total)}${share}`];
  if (perSecond !== undefined && perSecond > 0) {
    parts.push(`${perSecond >= 100 ? Math.round(perSecond) : perSecond.toPrecision(2)} ${unit}/s`);
    if (seen < total) parts.push(`about ${showSeconds((total - seen) / perSecond)} left`);
  }
  for (const [name, loss] of Object.entries(losses)) parts.push(`${name} ${lossText(loss)}`);
  return parts.join(', ');
}

/** Thousands of images, as exactly as they are known: 1250 is `1.25 kimg`. */
export function kimgText(seen: number, withUnit = true): string {
  return `${Number((seen / 1000).toFixed(3))}${withUnit ? ' kimg' : ''}`;
}

function lossText(loss: number): string {
  if (!Number.isFinite(loss)) return String(loss);
  return Math.abs(loss) >= 0.001 && Math.abs(loss) < 1e4
    ? String(Number(loss.toPrecision(3)))
    : loss.toExponential(1);
}

/** Which statistics the line shows, under which names; those that a run does not have are left out. */
const SHOWN: Readonly<Record<string, string>> = {
  'Loss/G/loss': 'G',
  'Loss/D/loss': 'D',
  'Taught/loss': 'taught',
};

/** The losses of a tick that the status line shows. */
export function lossesOf(tick: TickSummary): Record<string, number> {
  return Object.fromEntries(
    Object.entries(SHOWN).flatMap(([name, short]) =>
      tick[name] === undefined ? [] : [[short, tick[name].mean]],
    ),
  );
}

/** Shows the line on standard error. */
export interface StatusLine {
  show(status: TrainStatus): void;
  /** Takes the line away, also to write another one; the next `show` brings it back. */
  clear(): void;
}

export function statusLine(): StatusLine {
  const line = progressLine(ELSEWHERE_MS);
  return { show: (status) => line.show(() => statusText(status)), clear: line.end };
}
