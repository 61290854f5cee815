/**
 * `npm test`: sets up, checks format, lint and types, runs all tests, checks the package.
 *
 * The last line is the test runner's own count. Anything that is not a test and fails is named before it and
 * makes the exit code 1.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'portraitgan-test-'));
const report = join(scratch, 'vitest.json');
const failures = [];

/** Runs a script of this checkout with this Node and notes when it fails. */
function check(title, script, args) {
  console.log(`\n== ${title}`);
  const { status } = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) failures.push(title);
}

setup();
check('format and lint', 'node_modules/@biomejs/biome/bin/biome', [
  'ci',
  '--error-on-warnings',
  ...(process.stdout.isTTY ? [] : ['--colors=off']),
  '.',
]);
check('types', 'node_modules/typescript/bin/tsc', ['--noEmit']);
check('tests', 'node_modules/vitest/vitest.mjs', [
  ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  ...process.argv.slice(2),
]);
check('package', 'scripts/check-package.mjs', []);

const counts = existsSync(report)
  ? JSON.parse(readFileSync(report, 'utf8'))
  : { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 };
rmSync(scratch, { recursive: true, force: true });
console.log('');
if (counts.numPendingTests > 0) console.log(`${counts.numPendingTests} skipped`);
if (failures.length > 0) console.log(`failed: ${failures.join(', ')}`);
console.log(`${counts.numPassedTests} passed, ${counts.numFailedTests} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;
