/** Checks the packed tarball as somebody who installs it meets it: its manifest, its types, its entries, its command. */

import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** No single file of the package may be larger, models excepted. */
const LARGEST_BYTES = 2_000_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const scratch = mkdtempSync(join(tmpdir(), 'portraitgan-package-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** Runs a program and gives its output; ends this one when it fails. */
function run(title, command, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status === 0) return stdout;
  console.error(`package: ${title} failed${error ? `: ${error.message}` : ''}\n${stdout}${stderr}`);
  process.exit(1);
}

function fail(message) {
  console.error(`package: ${message}`);
  process.exit(1);
}

const node = process.execPath;
const [{ filename, size }] = JSON.parse(
  run('npm pack', 'npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch]),
);
const tarball = join(scratch, filename);
run('publint', node, ['node_modules/publint/src/cli.js', 'run', tarball, '--strict']);
run('attw', node, ['node_modules/@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only']);

// A project of its own, with the package unpacked and its dependencies linked from here.
const modules = join(scratch, 'project/node_modules');
mkdirSync(modules, { recursive: true });
run('unpacking', 'tar', ['-xzf', tarball, '-C', modules]);
const home = join(modules, manifest.name);
renameSync(join(modules, 'package'), home);
for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
  mkdirSync(dirname(join(modules, name)), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
}

for (const name of readdirSync(home, { recursive: true })) {
  const path = join(home, name);
  if (!statSync(path).isFile()) continue;
  const bytes = readFileSync(path);
  if (bytes.length > LARGEST_BYTES && !name.startsWith('models'))
    fail(`${name} has ${bytes.length} bytes; at most ${LARGEST_BYTES} are meant to be packed`);
  if (/\.test\.(js|d\.ts)$/.test(name)) fail(`${name} is a test and must not be packed`);
  if (/\.(js|ts|md|json)$/.test(name) && /(^|[\s'"(`])(\/work\/|(\.\.\/)+shared\/)/.test(bytes.toString()))
    fail(`${name} names a path of the machine it was made on`);
}

const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
for (const entry of entries) {
  const specifier = manifest.name + entry.slice(1);
  const script = `const m = await import('${specifier}'); if (Object.keys(m).length === 0) throw new Error('exports nothing')`;
  run(`import of ${specifier}`, node, ['--input-type=module', '-e', script], join(scratch, 'project'));
}
const help = run('portraitgan --help', node, [join(home, manifest.bin.portraitgan), '--help'], scratch);
if (!help.includes('generate')) fail('portraitgan --help does not name its commands');

console.log(`package: ${filename}, ${size} bytes, ${entries.length} entries and the command work`);
