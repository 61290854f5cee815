/** Where the JavaScript of a worker thread is: beside the file that starts it when built, in `dist` when the source itself runs. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EngineError } from './errors.ts';

const ROOT = new URL('..', import.meta.url);

/** The built form of a worker.
 *
 * @param path of the worker below `src`, without extension, such as `engines/cpu/worker`
 * @throws EngineError when the source runs and nothing was built yet.
 */
export function workerUrl(path: string): URL {
  const built = new URL(`dist/${path}.js`, ROOT);
  if (!existsSync(fileURLToPath(built)))
    throw new EngineError(`a worker thread runs dist/${path}.js, which is missing: run npm run build first`);
  return built;
}
