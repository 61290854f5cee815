/** A hash of everything the build depends on, so that a build that is there already is not made again. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Holds the hash of the sources that `dist` was built from. */
export const BUILD_STAMP = join(root, 'node_modules/.cache/portraitgan/built');

/** Names and contents of the sources and of what builds them. */
export function sourceHash() {
  const sources = readdirSync(join(root, 'src'), { recursive: true })
    .filter((name) => !name.split(sep).includes('generated') && !name.endsWith('.test.ts'))
    .map((name) => join('src', name));
  const others = [
    ...readdirSync(join(root, 'studio')).map((name) => join('studio', name)),
    'models/portrait.safetensors',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts/build.mjs',
    'scripts/build-kernels.mjs',
  ];
  const hash = createHash('sha256');
  for (const name of [...sources, ...others].sort()) {
    const path = join(root, name);
    if (statSync(path).isFile()) hash.update(name).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}
