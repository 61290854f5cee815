/**
 * What losses reported, summed up from tick to tick (spec page 5.10): count, sum and sum of squares in double
 * precision. Sums start anew at each tick, so that one infinity does not spoil all that come after it.
 */

/** A statistic over one tick. */
export interface Summary {
  readonly num: number;
  readonly mean: number;
  /** Population standard deviation. */
  readonly std: number;
}

/** Statistics of one tick by their published names. */
export type TickSummary = Readonly<Record<string, Summary>>;

export interface StatisticsCollector {
  /** Adds values of a statistic, such as `runPhase` gives them; no values change nothing. */
  report(name: string, values: number | ArrayLike<number>): void;
  /** Sums up what was reported since the previous tick, and starts anew. A statistic without values is absent. */
  tick(): TickSummary;
}

/** Starts collecting. */
export function createCollector(): StatisticsCollector {
  let sums = new Map<string, Sums>();
  return {
    report(name, values) {
      const list = typeof values === 'number' ? [values] : values;
      if (list.length === 0) return;
      let own = sums.get(name);
      if (own === undefined) {
        own = { num: 0, sum: 0, squares: 0 };
        sums.set(name, own);
      }
      for (let i = 0; i < list.length; i++) add(own, list[i]);
    },
    tick() {
      const ended = sums;
      sums = new Map();
      return Object.fromEntries([...ended].map(([name, own]) => [name, summaryOf(own)]));
    },
  };
}

interface Sums {
  num: number;
  sum: number;
  squares: number;
}

function add(sums: Sums, value: number): void {
  sums.num++;
  sums.sum += value;
  sums.squares += value * value;
}

function summaryOf({ num, sum, squares }: Sums): Summary {
  const mean = sum / num;
  return { num, mean, std: Math.sqrt(Math.max(squares / num - mean * mean, 0)) };
}
