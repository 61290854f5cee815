/**
 * Compiles AssemblyScript to WebAssembly and writes it as TypeScript files: the engines' kernels, for every engine
 * with SIMD and once more with relaxed SIMD (fused multiply-add), and the scene renderer, which has a memory of its own.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';

/**
 * @param {string} source
 * @param {readonly string[]} memory
 * @param {readonly string[]} features
 */
async function compile(source, memory, features) {
  /** @type {Uint8Array | undefined} */
  let wasm;
  const { error, stdout, stderr } = await asc.main(
    [
      source,
      ...[
        '--outFile',
        'module.wasm',
        '--optimizeLevel',
        '3',
        '--shrinkLevel',
        '0',
        '--converge',
        '--noAssert',
      ],
      ...['--runtime', 'stub', ...memory, '--initialMemory', '1', '--maximumMemory', '65536'],
      ...features.flatMap((feature) => ['--enable', feature]),
    ],
    {
      writeFile: (name, contents) => {
        if (name === 'module.wasm') wasm = contents;
      },
    },
  );
  if (error || wasm === undefined) {
    process.stderr.write(
      `${stderr.toString()}${stdout.toString()}${error?.message ?? 'no module was written'}\n`,
    );
    process.exit(1);
  }
  return wasm;
}

// Threads: for the atomic counter by which threads share out work; the memory itself need not be shared.
const kernels = 'src/engines/kernels/assembly/index.ts';
const plain = await compile(kernels, ['--importMemory'], ['simd', 'threads']);
const relaxed = await compile(kernels, ['--importMemory'], ['simd', 'threads', 'relaxed-simd']);
const scene = await compile('src/picture/scene/assembly/index.ts', [], ['simd']);
const text = (wasm) => Buffer.from(wasm).toString('base64');
mkdirSync('src/engines/kernels/generated', { recursive: true });
writeFileSync(
  'src/engines/kernels/generated/module.ts',
  `/** Made by scripts/build-kernels.mjs from src/engines/kernels/assembly. */
export const KERNEL_MODULE_BASE64 =
  '${text(plain)}';
/** The same with relaxed SIMD. */
export const RELAXED_MODULE_BASE64 =
  '${text(relaxed)}';
`,
);
mkdirSync('src/picture/scene/generated', { recursive: true });
writeFileSync(
  'src/picture/scene/generated/module.ts',
  `/** Made by scripts/build-kernels.mjs from src/picture/scene/assembly. */
export const SCENE_MODULE_BASE64 =
  '${text(scene)}';
`,
);
process.stdout.write(
  `kernels: ${plain.length} bytes, ${relaxed.length} with relaxed SIMD; scene renderer: ${scene.length} bytes\n`,
);
