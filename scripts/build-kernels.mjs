/**
 * Compiles the AssemblyScript kernels to WebAssembly and writes it as a TypeScript file: one module for every
 * engine with SIMD, one that also uses relaxed SIMD (fused multiply-add).
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';

/** @param {readonly string[]} features */
async function compile(features) {
  /** @type {Uint8Array | undefined} */
  let wasm;
  const { error, stdout, stderr } = await asc.main(
    [
      'src/engines/kernels/assembly/index.ts',
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
      ...['--runtime', 'stub', '--importMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
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
const plain = await compile(['simd', 'threads']);
const relaxed = await compile(['simd', 'threads', 'relaxed-simd']);
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
process.stdout.write(`kernels: ${plain.length} bytes, ${relaxed.length} with relaxed SIMD\n`);
