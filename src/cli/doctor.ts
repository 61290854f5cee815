/** `portraitgan doctor`: what this machine offers, and what to do about what is missing. */

import { spawnSync } from 'node:child_process';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { Command } from 'commander';
import sharp from 'sharp';
import { kernelModule } from '../engines/kernels/index.ts';
import { isWebEngineAvailable } from '../engines/web/index.ts';
import { f32, matmul, ndarray, trace } from '../tensor/index.ts';
import { CPU_ENGINE_HELP, type EngineName, makeEngine } from './engine.ts';
import { say, sayJson, showBytes } from './output.ts';
import { packageVersion } from './program-version.ts';

/** One thing looked at. */
interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'missing' | 'weak';
  readonly found: string;
  /** What to do when it is not ok. */
  readonly advice?: string;
}

/** The lowest Node that the package supports. */
const LOWEST_NODE = [20, 19] as const;

/** A full-size generator takes about this much. */
const COMFORTABLE_BYTES = 4e9;

/** The command. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('say what this machine offers and what to do about what is missing')
    .option('--json', 'prints everything as JSON')
    .addHelpText('after', '\nExample:\n  portraitgan doctor --json')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examine();
      if (json) {
        sayJson({ version: packageVersion(), findings });
        return;
      }
      const width = Math.max(...findings.map(({ what }) => what.length));
      for (const { what, state, found, advice } of findings) {
        say(`${state.padEnd(7)}  ${what.padEnd(width)}  ${found}`);
        if (advice !== undefined) say(`${' '.repeat(width + 11)}${advice}`);
      }
    });
}

async function examine(): Promise<Finding[]> {
  return [
    nodeFinding(),
    await engineFinding('cpu', `${CPU_ENGINE_HELP}; until then WebAssembly computes, more slowly`),
    await engineFinding(
      'webgpu',
      'a GPU is no must; it needs the npm package "webgpu" and a driver (Vulkan, Metal or D3D12)',
    ),
    await engineFinding('web', 'it comes with the package: install again with npm ci or npm install'),
    await engineFinding('reference', 'please report this: it is plain JavaScript'),
    simdFinding(),
    kernelFinding(),
    { what: 'threads', state: 'ok', found: `${availableParallelism()}` },
    memoryFinding(),
    pngFinding(),
    ffmpegFinding(),
  ];
}

function nodeFinding(): Finding {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const good = major > LOWEST_NODE[0] || (major === LOWEST_NODE[0] && minor >= LOWEST_NODE[1]);
  const finding = { what: 'Node', found: process.version };
  return good
    ? { ...finding, state: 'ok' }
    : { ...finding, state: 'weak', advice: `install Node ${LOWEST_NODE.join('.')} or later` };
}

/** Loads the engine and lets it multiply two matrices. */
async function engineFinding(engine: Exclude<EngineName, 'auto'>, advice: string): Promise<Finding> {
  const what = `engine ${engine}`;
  try {
    const made = await makeEngine({ engine });
    try {
      const started = performance.now();
      const graph = trace('probe', { a: f32(2, 2), b: f32(2, 2) }, ({ a, b }) => ({ product: matmul(a, b) }));
      const program = await made.compile(graph);
      const { product } = await program.run({
        a: ndarray([2, 2], [1, 2, 3, 4]),
        b: ndarray([2, 2], [5, 6, 7, 8]),
      });
      if (product.data.join() !== '19,22,43,50')
        return { what, state: 'missing', found: `computes wrongly: ${product.data.join()}`, advice };
      return {
        what,
        state: 'ok',
        found: `loads and computes (${Math.round(performance.now() - started)} ms)`,
      };
    } finally {
      await made.dispose();
    }
  } catch (error) {
    return { what, state: 'missing', found: (error as Error).message.split('\n')[0], advice };
  }
}

function simdFinding(): Finding {
  const what = 'WebAssembly SIMD';
  return isWebEngineAvailable()
    ? { what, state: 'ok', found: 'yes' }
    : {
        what,
        state: 'missing',
        found: 'no',
        advice: 'only the reference engine works here: use a newer processor or Node',
      };
}

function kernelFinding(): Finding {
  const what = 'kernels';
  const { kernels, wasm } = kernelModule();
  return WebAssembly.validate(wasm)
    ? { what, state: 'ok', found: `${kernels.length}, ${wasm.length} bytes of WebAssembly` }
    : { what, state: 'missing', found: 'the module is refused here', advice: 'build again: npm run build' };
}

function memoryFinding(): Finding {
  const found = `${showBytes(totalmem())}, ${showBytes(freemem())} free`;
  return totalmem() >= COMFORTABLE_BYTES
    ? { what: 'memory', state: 'ok', found }
    : {
        what: 'memory',
        state: 'weak',
        found,
        advice: 'full-size checkpoints may not fit: use a small preset',
      };
}

function pngFinding(): Finding {
  const { format, versions } = sharp as unknown as {
    format: Record<string, { output: { file: boolean } }>;
    versions: Record<string, string>;
  };
  const writable = ['png', 'jpeg', 'webp', 'avif'].filter(
    (name) => format[name === 'avif' ? 'heif' : name]?.output.file,
  );
  const found = `sharp ${versions.sharp} writes ${writable.join(', ')}`;
  return writable.includes('png')
    ? { what: 'pictures', state: 'ok', found }
    : { what: 'pictures', state: 'missing', found, advice: 'install sharp again: npm install sharp' };
}

/** MP4 videos need it. */
function ffmpegFinding(): Finding {
  const { status, stdout } = spawnSync('ffmpeg', ['-version'], { encoding: 'utf8' });
  return status === 0
    ? { what: 'ffmpeg', state: 'ok', found: stdout.split('\n')[0].slice(0, 60) }
    : {
        what: 'ffmpeg',
        state: 'missing',
        found: 'not on the PATH',
        advice: 'videos are animated WebP without it; for MP4 install it with your package manager',
      };
}
