/** Finds the recorded outputs of the original program, which lie beside the repository on some machines only. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PARITY = new URL('../../shared/parity/', import.meta.url);

/** The path of a parity file such as `tiny/network.pkl`, or `undefined` on machines that lack it.
 *
 * Tests pass the answer to `test.skipIf(!path)`, so that what did not run is shown.
 */
export function parityFile(name: string): string | undefined {
  const path = fileURLToPath(new URL(name, PARITY));
  return existsSync(path) ? path : undefined;
}
