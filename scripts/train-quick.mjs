/**
 * `npm run train:quick`: sets up, then trains the smallest preset on the 64 portraits of the repository for some minutes
 * and says which pictures to look at. Options are handed on to `portraitgan train`:
 * `npm run train:quick -- --stop-after-minutes 20`.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';

/** Four to five minutes on two cores; on a slow machine it stops earlier than that. */
const KIMG = '4';
const MINUTES = '15';

setup();
const root = fileURLToPath(new URL('..', import.meta.url));
const args = [
  ...['train', '--data', 'data/small.zip', '--preset', 'tiny', '--batch', '8', '--micro-batch', '8'],
  ...['--kimg', KIMG, '--stop-after-minutes', MINUTES, '--out', 'out/runs'],
  ...['--tick-kimg', '0.2', '--image-snapshot-ticks', '5', ...process.argv.slice(2)],
];
console.log(`portraitgan ${args.join(' ')}`);
const { status } = spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args], {
  cwd: root,
  stdio: 'inherit',
});
if (status === 0)
  console.log(
    '\nlook at snapshots/fakes-*.png of the run beside reals-*.png, or: npx portraitgan dashboard out/runs',
  );
process.exit(status ?? 1);
