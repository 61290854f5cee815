/** Where the worker's JavaScript is: beside this file when built, in `dist` when the source itself runs. */

import { existsSync } from 'node:fs';
import { EngineError } from '../../errors.ts';

/** The built worker.
 *
 * @throws EngineError when the source runs and nothing was built yet.
 */
export function workerUrl(here: string = import.meta.url): URL {
  if (!here.endsWith('.ts')) return new URL('./worker.js', here);
  const built = new URL('../../../dist/engines/cpu/worker.js', here);
  if (!existsSync(built)) {
    throw new EngineError(
      'the cpu engine runs its built worker, and dist/engines/cpu/worker.js is missing: run npm run build first',
    );
  }
  return built;
}
