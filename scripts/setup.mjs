/** Makes a fresh clone ready: checks Node, installs packages, builds. Does nothing when all is there. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BUILD_STAMP, sourceHash } from './source-hash.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program; ends this one when it fails. */
function run(command, args) {
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env,
    shell: process.platform === 'win32',
  });
  if (status === 0) return;
  console.error(`setup: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}

function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const [major, minor] = engines.node.replace('>=', '').split('.').map(Number);
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  console.error(
    `setup: this is Node ${process.versions.node}; portraitgan needs Node ${major}.${minor} or later (https://nodejs.org)`,
  );
  process.exit(1);
}

/** Whether every package of the lock file is installed in its version. */
function isInstalled() {
  const installedFile = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(locked).every(
    ([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version,
  );
}

function isBuilt() {
  return (
    existsSync(join(root, 'dist/cli/main.js')) &&
    existsSync(BUILD_STAMP) &&
    readFileSync(BUILD_STAMP, 'utf8') === sourceHash()
  );
}

/** Sets the clone up. */
export function setup() {
  checkNode();
  if (!isInstalled()) {
    console.log('setup: installing packages (npm ci)');
    run('npm', ['ci', '--no-audit', '--no-fund']);
  }
  if (!isBuilt()) {
    console.log('setup: building');
    run('node', ['scripts/build.mjs']);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  setup();
  console.log('setup: ready');
}
