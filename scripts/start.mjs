/** `npm start`: sets up and makes a contact sheet of 8 portraits from 4 sides with the embedded model. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';

setup();
const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'dist/cli/main.js');
const { status } = spawnSync(
  process.execPath,
  [
    main,
    'generate',
    '--seeds',
    '0-7',
    '--views',
    'front,left,back,right',
    '--outdir',
    'out',
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
