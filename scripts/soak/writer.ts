/** `writer.ts FOLDER [ITERATIONS]`: goes on with the small run in a folder and saves each iteration, by default without end. */

import { writeCheckpoint } from '../../src/runs/checkpoints.ts';
import { openLatest } from '../../src/runs/latest.ts';
import { smallStart, smallStep } from '../../test/small-run.ts';
import { SCALE } from './small-subject.ts';

const [folder, iterations = 'Infinity'] = process.argv.slice(2);
let state = openLatest(folder).opened?.state ?? smallStart(SCALE);
try {
  for (let done = 0; done < Number(iterations); done++) {
    state = smallStep(state);
    await writeCheckpoint(folder, state);
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? `${error.name}: ${error.message}` : error}\n`);
  process.exitCode = 1;
}
