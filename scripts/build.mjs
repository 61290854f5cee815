/** Builds the package: kernels to WebAssembly, TypeScript to `dist`, and the command made executable. */

import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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

/** Copies what the dashboard's page has beside its scripts. */
function copyPage() {
  const [from, to] = ['src', 'dist'].map((name) => join(root, name, 'dashboard/page'));
  for (const name of readdirSync(from))
    if (!name.endsWith('.ts')) copyFileSync(join(from, name), join(to, name));
}

const hash = sourceHash();
rmSync(BUILD_STAMP, { force: true });
run('scripts/build-kernels.mjs', []);
run('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
removeOrphans();
copyPage();
chmodSync(join(root, 'dist/cli/main.js'), 0o755);
mkdirSync(dirname(BUILD_STAMP), { recursive: true });
writeFileSync(BUILD_STAMP, hash);
