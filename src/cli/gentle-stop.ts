/** Commands that save before they leave: the first Ctrl-C asks, the second one ends them. */

import type { FromProgram, ToProgram } from './messages.ts';
import { note } from './output.ts';

/** Whether somebody wants this to end. */
export interface Stop {
  readonly asked: boolean;
}

/** Tells the process that listens for Ctrl-C to ask instead of ending this one. */
export function gentleStop(whatHappens: string): Stop {
  const stop = { asked: false };
  const ask = (): void => {
    if (stop.asked) return;
    stop.asked = true;
    note(`stopping: ${whatHappens} (once more to stop at once)`);
  };
  process.send?.({ stopsGently: true } satisfies FromProgram);
  process.on('message', (message: ToProgram) => {
    if (message.stop) ask();
  });
  // A terminal sends Ctrl-C to both processes, and `kill` may be for this one alone; once is enough.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, ask);
  return stop;
}
