/**
 * `node scripts/gpu-check/pack.mjs FOLDER [--ort]`: makes a folder of two files, `run.sh` and `payload.tar.xz`, that
 * check a bare Linux machine with a GPU and without a network: Node, Dawn, the Vulkan loader, the check in one file, and
 * what it compares with. `--ort` adds ONNX Runtime's WebGPU execution provider with the operations of `bench:webgpu`.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What a folder may weigh, bytes. */
const LARGEST = 40e6;

/** What drivers of GPUs are reached through: NVIDIA's Vulkan driver is a part of its libGLX. */
const LOADERS = [
  ...['libvulkan1', 'libglvnd0', 'libglx0', 'libegl1', 'libgl1', 'libopengl0', 'libgles2'],
  ...['libx11-6', 'libxext6', 'libxcb1', 'libxau6', 'libxdmcp6', 'libbsd0', 'libmd0'],
];

const root = fileURLToPath(new URL('../..', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));
const [folder, ...flags] = process.argv.slice(2);
if (folder === undefined || folder.startsWith('--') || flags.some((flag) => flag !== '--ort')) {
  console.error('pack: node scripts/gpu-check/pack.mjs FOLDER [--ort]');
  process.exit(1);
}
if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(
    `pack: the payload is of this machine's programs and must be linux x64; here is ${process.platform} ${process.arch}`,
  );
  process.exit(1);
}

const payload = mkdtempSync(join(tmpdir(), 'gpu-check-'));
process.on('exit', () => rmSync(payload, { recursive: true, force: true }));
packPrograms();
await bundle('scripts/gpu-check/check.ts', 'app/check.mjs');
// Where the bundle looks for what lies beside `src`.
cpSync(join(root, 'models/body.bin'), join(payload, 'models/body.bin'));
run(process.execPath, ['--import', 'tsx', join(here, 'prepare.ts'), join(payload, 'data')]);
copyFileSync(join(here, 'peer.py'), join(payload, 'peer.py'));
if (flags.includes('--ort')) await packOrt();
mkdirSync(folder, { recursive: true });
const archive = join(folder, 'payload.tar.xz');
run('tar', ['-C', payload, '-cf', archive, '-I', 'xz -9 -T2', ...readdirSync(payload)]);
copyFileSync(join(here, 'run.sh'), join(folder, 'run.sh'));
chmodSync(join(folder, 'run.sh'), 0o755);
const { size } = statSync(archive);
console.log(`pack: ${archive}, ${(size / 1e6).toFixed(1)} MB`);
if (size > LARGEST) {
  console.error(`pack: more than ${LARGEST / 1e6} MB`);
  process.exit(1);
}

/** Runs a program here; ends this one when it fails. */
function run(command, args, cwd = root) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (status === 0) return;
  console.error(`pack: ${command} failed${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}

/** The running Node without symbols, Dawn, and the loaders of drivers if they are found. */
function packPrograms() {
  copyFileSync(realpathSync(process.execPath), join(payload, 'node'));
  chmodSync(join(payload, 'node'), 0o755);
  run('strip', [join(payload, 'node')]);
  const dawn = 'node_modules/webgpu';
  for (const name of ['package.json', 'index.js', 'LICENSE.md', 'dist/linux-x64'])
    cpSync(join(root, dawn, name), join(payload, dawn, name), { recursive: true, dereference: true });
  mkdirSync(join(payload, 'lib'));
  if (!packLoaders(join(payload, 'lib')))
    console.error('pack: neither apt-get nor the system has the Vulkan loader: the machine must have one');
}

/** Copies Debian's loaders, or the Vulkan loader of the system. */
function packLoaders(folder) {
  const scratch = mkdtempSync(join(tmpdir(), 'loaders-'));
  try {
    execFileSync('apt-get', ['download', '-q', ...LOADERS], { cwd: scratch, stdio: 'ignore' });
    for (const name of readdirSync(scratch)) execFileSync('dpkg-deb', ['-x', name, '.'], { cwd: scratch });
    for (const name of readdirSync(scratch, { recursive: true })) {
      if (/\/lib[^/]*\.so\.\d+$/.test(name))
        copyFileSync(realpathSync(join(scratch, name)), join(folder, basename(name)));
    }
    return true;
  } catch {
    const listed = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' }).stdout ?? '';
    const known = /libvulkan\.so\.1 \(.*x86-64.*\) => (\S+)/.exec(listed)?.[1];
    if (known !== undefined) copyFileSync(realpathSync(known), join(folder, 'libvulkan.so.1'));
    return known !== undefined;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** One file of a program of ours; packages that are loaded by name stay outside. */
async function bundle(source, target) {
  if (!existsSync(join(root, 'src/engines/kernels/generated')))
    run(process.execPath, ['scripts/build-kernels.mjs']);
  await build({
    absWorkingDir: root,
    entryPoints: [source],
    outfile: join(payload, target),
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'warning' },
    external: ['webgpu', 'onnxruntime-web', 'onnxruntime-node', 'sharp'],
    // Packages in CommonJS ask for Node's modules.
    banner: {
      js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
    },
  });
}

/** The `webgpu` build of onnxruntime-web beside a bundle of `bench/webgpu`. */
async function packOrt() {
  await bundle('bench/webgpu/main.ts', 'ort/bench.mjs');
  for (const name of ['onnxruntime-web', 'onnxruntime-common']) {
    const from = join(root, 'node_modules', name);
    const wanted = (path) =>
      statSync(path).isDirectory() ||
      basename(path) === 'package.json' ||
      (name === 'onnxruntime-common'
        ? /\.js$/.test(path)
        : /ort\.webgpu\.(bundle\.)?min\.mjs$|asyncify\.(mjs|wasm)$/.test(path));
    cpSync(from, join(payload, 'node_modules', name), { recursive: true, dereference: true, filter: wanted });
  }
}
