/** Builds the package: kernels to WebAssembly, TypeScript to `dist`, and the command made executable. */

import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
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
    if (name.split(sep)[0] === 'studio') continue;
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

/** Bundles the studio and puts the model beside it: files for any server. */
async function buildStudio() {
  const outDir = join(root, 'dist/studio');
  await build({
    root: join(root, 'studio'),
    configFile: false,
    // Addresses beside the page, so that it works in any folder of a server.
    base: './',
    logLevel: 'warn',
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      // Errors name the line of the bundle that traced an operation.
      minify: false,
      modulePreload: { polyfill: false },
      rollupOptions: { output: { entryFileNames: '[name].js', assetFileNames: '[name][extname]' } },
    },
  });
  copyFileSync(join(root, 'models/portrait.safetensors'), join(outDir, 'portrait.safetensors'));
}

const hash = sourceHash();
rmSync(BUILD_STAMP, { force: true });
run('scripts/build-kernels.mjs', []);
run('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
removeOrphans();
copyPage();
await buildStudio();
chmodSync(join(root, 'dist/cli/main.js'), 0o755);
mkdirSync(dirname(BUILD_STAMP), { recursive: true });
writeFileSync(BUILD_STAMP, hash);
