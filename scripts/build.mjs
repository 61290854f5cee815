/** Builds the package: kernels to WebAssembly, TypeScript to `dist`, and the command made executable. */

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILD_STAMP, sourceHash } from './source-hash.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a script with this Node; ends this one when it fails. */
function run(script, args) {
  const { status } = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** Removes what was built of sources that are gone. */
function removeOrphans() {
  for (const name of readdirSync(join(root, 'dist'), { recursive: true })) {
    const match = /^(.*?)(\.d\.ts|\.js)$/.exec(name);
    if (match && !existsSync(join(root, 'src', `${match[1]}.ts`))) rmSync(join(root, 'dist', name));
  }
}

const hash = sourceHash();
rmSync(BUILD_STAMP, { force: true });
run('scripts/build-kernels.mjs', []);
run('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
removeOrphans();
chmodSync(join(root, 'dist/cli/main.js'), 0o755);
mkdirSync(dirname(BUILD_STAMP), { recursive: true });
writeFileSync(BUILD_STAMP, hash);
