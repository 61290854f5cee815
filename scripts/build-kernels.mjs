/** Compiles the AssemblyScript kernels to one WebAssembly module and writes it as a TypeScript file. */

import { mkdirSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';

/** @type {Uint8Array | undefined} */
let wasm;
const { error, stdout, stderr } = await asc.main(
  [
    'src/engines/kernels/assembly/index.ts',
    ...['--outFile', 'module.wasm', '--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert'],
    ...[
      '--runtime',
      'stub',
      '--importMemory',
      '--initialMemory',
      '1',
      '--maximumMemory',
      '65536',
      '--enable',
      'simd',
    ],
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
mkdirSync('src/engines/kernels/generated', { recursive: true });
const text = Buffer.from(wasm).toString('base64');
writeFileSync(
  'src/engines/kernels/generated/module.ts',
  `/** Made by scripts/build-kernels.mjs from src/engines/kernels/assembly. */\nexport const KERNEL_MODULE_BASE64 =\n  '${text}';\n`,
);
process.stdout.write(`kernels: ${wasm.length} bytes\n`);
