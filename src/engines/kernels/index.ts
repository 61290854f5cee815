/** All kernels of this package and the WebAssembly module they live in. */

import { KERNEL_MODULE_BASE64 } from './generated/module.ts';
import type { KernelModule } from './kernel.ts';
import { foldUpKernel, layerEpilogueKernel, skipUpKernel } from './synthesis.ts';

/** The module as bytes; works in Node and in a page. */
function decodeModule(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(KERNEL_MODULE_BASE64), (char) => char.charCodeAt(0));
}

export function kernelModule(): KernelModule {
  return {
    kernels: [layerEpilogueKernel, foldUpKernel, skipUpKernel],
    wasm: decodeModule(),
    reservedBytes: 1024,
  };
}
