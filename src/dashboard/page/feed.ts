/** What the page knows of a run, kept up to date by asking the server. */

import type { RunList, RunReport, StatsAnswer, Tick } from '../messages.ts';

async function ask<T>(path: string): Promise<T> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json() as Promise<T>;
}

export const listRuns = (): Promise<RunList> => ask('/api/runs');

export interface RunFeed {
  /** All ticks so far. */
  readonly ticks: readonly Tick[];
  /** Fetches what is new. */
  refresh(): Promise<RunReport>;
}

/** Follows a run; statistics are fetched once and then only added to. */
export function runFeed(name: string): RunFeed {
  const path = `/api/runs/${encodeURIComponent(name)}`;
  const ticks: Tick[] = [];
  let [file, from] = ['', 0];
  return {
    ticks,
    async refresh() {
      for (let more = true; more; ) {
        const answer = await ask<StatsAnswer>(`${path}/stats?file=${file}&from=${from}`);
        if (answer.from === 0) ticks.length = 0;
        ticks.push(...answer.ticks);
        ({ file, next: from, more } = answer);
      }
      return ask<RunReport>(path);
    },
  };
}
