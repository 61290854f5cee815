/**
 * `npm start`: sets up, then makes with the embedded model a contact sheet of 8 portraits from 4 sides, a
 * turntable on which the head turns, and a coloured mesh.
 *
 * `npm start -- --network FILE` does the same with a network of your own.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';

const began = performance.now();
setup();
const root = fileURLToPath(new URL('..', import.meta.url));
const given = process.argv.slice(2);
const steps = [
  ['generate', '--seeds', '0-7', '--trunc', '0.7', '--views', 'front,left,back,right'],
  [
    'video',
    '--seeds',
    '3',
    '--trunc',
    '0.7',
    '--path',
    'turn',
    '--sweep',
    'head-turn',
    '--frames',
    '48',
    '--fps',
    '16',
  ],
  ['mesh', '--seeds', '3', '--trunc', '0.7', '--head', '0,30,0'],
];
for (const step of steps) {
  console.log(`\nportraitgan ${step.join(' ')} --outdir out`);
  const args = [join(root, 'dist/cli/main.js'), ...step, '--outdir', 'out', ...given];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(`\neverything is in out/: sheet.png, a video and a mesh with its picture; ${seconds} s in all`);
