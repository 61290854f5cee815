/** Builds the package: kernels to WebAssembly, TypeScript to `dist`, and the command made executable. */

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a script with this Node; ends this one when it fails. */
function run(script, args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run('scripts/build-kernels.mjs', []);
run('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
if (existsSync(`${root}/dist/cli/main.js`)) chmodSync(`${root}/dist/cli/main.js`, 0o755);
