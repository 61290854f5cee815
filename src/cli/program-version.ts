/** The version of this package. */

import { readFileSync } from 'node:fs';

/** Version of the package this file lies in: `src/cli` and `dist/cli` are equally deep. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
