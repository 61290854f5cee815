/** Progress with time left: a line that rewrites itself on a terminal, a line now and then elsewhere. */

import { showSeconds } from './output.ts';

/** Nothing is shown of what takes less. */
const FIRST_MS = 1000;
const EVERY_MS = { terminal: 100, elsewhere: 10_000 };

/** How often a step that takes long is looked at. */
const TICK_MS = 500;

const terminal = process.stderr.isTTY === true;
const columns = process.stderr.columns || 80;

/** How long kinds of steps take beside each other, roughly: a guess for kinds that were not done yet. */
const SHARES: Readonly<Record<string, number>> = { styles: 4, planes: 3, background: 1, views: 8, judge: 3 };

/** Steps of several kinds, each kind with its own mean time. */
export interface Progress {
  /** Runs one step of a kind. */
  step<T>(kind: string, work: () => Promise<T>): Promise<T>;
  /** Takes the line away. */
  end(): void;
}

interface Tally {
  readonly share: number;
  readonly total: number;
  done: number;
  /** Seconds of the first step, which compiles, and of all others. */
  first: number;
  others: number;
}

/** Starts counting.
 *
 * @param title what is being made.
 * @param plan  how many steps there are of each kind.
 */
export function startProgress(title: string, plan: Readonly<Record<string, number>>): Progress {
  const line = progressLine();
  const tallies = new Map<string, Tally>(
    Object.entries(plan).map(([kind, total]) => [
      kind,
      { share: SHARES[kind] ?? 1, total, done: 0, first: 0, others: 0 },
    ]),
  );
  let [current, begun] = ['', 0];
  const elapsed = (): number => (performance.now() - begun) / 1000;
  const show = (): void => {
    const all = [...tallies.values()];
    const [done, total] = [sum(all.map((t) => t.done)), sum(all.map((t) => t.total))];
    const left = secondsLeft(all);
    const text = timeLeft(left === undefined ? undefined : Math.max(0, left - elapsed()));
    line.show(() => `${title}: ${current}, ${Math.min(done + 1, total)} of ${total}${text}`);
  };
  const timer = setInterval(show, TICK_MS);
  timer.unref();
  return {
    async step(kind, work) {
      [current, begun] = [kind, performance.now()];
      show();
      const result = await work();
      const tally = tallies.get(kind);
      if (tally !== undefined) {
        if (tally.done === 0) tally.first = elapsed();
        else tally.others += elapsed();
        tally.done++;
      }
      return result;
    },
    end() {
      clearInterval(timer);
      line.end();
    },
  };
}

/** Counts equal steps that something else goes through. */
export function startCount(title: string) {
  const line = progressLine();
  const started = performance.now();
  return {
    at({ done, total }: { readonly done: number; readonly total: number }): void {
      const seconds = (performance.now() - started) / 1000;
      line.show(
        () =>
          `${title}: ${done} of ${total}${timeLeft(done === 0 ? undefined : (seconds / done) * (total - done))}`,
      );
    },
    end: line.end,
  };
}

/** A line of standard error that shows the newest text: rewritten on a terminal, a new one now and then elsewhere.
 *
 * @param elsewhereMs how often a line is written where there is no terminal.
 */
export function progressLine(elsewhereMs = EVERY_MS.elsewhere) {
  const every = terminal ? EVERY_MS.terminal : elsewhereMs;
  let last = performance.now() + FIRST_MS - every;
  let shown = false;
  return {
    show(text: () => string): void {
      if (performance.now() - last < every) return;
      last = performance.now();
      process.stderr.write(terminal ? `\r\x1b[K${text().slice(0, columns - 1)}` : `${text()}\n`);
      shown = true;
    },
    end(): void {
      if (shown && terminal) process.stderr.write('\r\x1b[K');
    },
  };
}

/** Undefined before anything was done. */
function secondsLeft(tallies: readonly Tally[]): number | undefined {
  const known = tallies.filter(({ done }) => done > 0);
  if (known.length === 0) return undefined;
  const each = ({ done, first, others }: Tally): number => (done > 1 ? others / (done - 1) : first);
  const perShare = sum(known.map(each)) / sum(known.map(({ share }) => share));
  return sum(tallies.map((t) => (t.total - t.done) * (t.done > 0 ? each(t) : t.share * perShare)));
}

function timeLeft(seconds: number | undefined): string {
  return seconds === undefined ? '' : `, about ${showSeconds(seconds)} left`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
