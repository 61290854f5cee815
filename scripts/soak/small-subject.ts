/** A run in small (`test/small-run.ts`), saved by the real code in a process of its own. */

import { fileURLToPath } from 'node:url';
import { bitsOf, smallStart, smallStep } from '../../test/small-run.ts';
import type { Subject } from './subject.ts';

/** A megabyte of state. */
export const SCALE = 3000;

/** The subject. */
export function smallSubject(): Subject {
  let state = smallStart(SCALE);
  const bits = [bitsOf(state)];
  return {
    name: 'a small run',
    checkpoints: (run) => run,
    command: (run) => ['--import', 'tsx', fileURLToPath(new URL('writer.ts', import.meta.url)), run],
    check(found) {
      const iteration = found.record.iteration as number;
      while (bits.length <= iteration) {
        state = smallStep(state);
        bits.push(bitsOf(state));
      }
      if (bits[iteration] !== bitsOf(found))
        throw new Error(`the state after ${iteration} iterations is not that of the run without kills`);
    },
  };
}
