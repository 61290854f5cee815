/** `npm run studio`: sets up, then serves the studio to this machine. Options go to `portraitgan studio`. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';

setup();
const root = fileURLToPath(new URL('..', import.meta.url));
const args = [join(root, 'dist/cli/main.js'), 'studio', ...process.argv.slice(2)];
// Ctrl-C reaches it as well as this script, which waits for it.
process.on('SIGINT', () => {});
spawn(process.execPath, args, { stdio: 'inherit' }).on('exit', (code) => {
  process.exitCode = code ?? 0;
});
