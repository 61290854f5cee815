/** All kernels of this package and the WebAssembly modules they live in. */

import { biasActGradKernel, biasActKernel } from './activation.ts';
import { blockedKernels } from './blocked.ts';
import { upfirdnKernel } from './fir.ts';
import { KERNEL_MODULE_BASE64, RELAXED_MODULE_BASE64 } from './generated/module.ts';
import { cumsumKernel, scatterAddKernel } from './indexing.ts';
import type { Kernel, KernelModule } from './kernel.ts';
import { deformPointsKernel, nearestFacesKernel } from './nearest.ts';
import { adamStepKernel, emaStepKernel } from './optimiser.ts';
import { decodeDensityKernel, decodePointsKernel, renderRaysKernel } from './render.ts';
import { decodePointsGradKernel, renderRaysGradKernel } from './render-grad.ts';
import {
  foldUpKernel,
  layerEpilogueGradKernel,
  layerEpilogueKernel,
  skipUpKernel,
  unfoldUpKernel,
} from './synthesis.ts';

/** A module as bytes; works in Node and in a page. */
function decodeModule(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** Passes over whole images: large operands, and definitions that ONNX Runtime runs too. */
const PASSES: readonly Kernel[] = [
  layerEpilogueKernel,
  foldUpKernel,
  skipUpKernel,
  layerEpilogueGradKernel,
  unfoldUpKernel,
  biasActKernel,
  biasActGradKernel,
  upfirdnKernel,
  ...blockedKernels,
  scatterAddKernel,
  cumsumKernel,
];

export function kernelModule(): KernelModule {
  return {
    kernels: [
      ...PASSES.map((kernel) => ({ ...kernel, dispensable: true })),
      renderRaysKernel,
      renderRaysGradKernel,
      decodePointsGradKernel,
      decodePointsKernel,
      decodeDensityKernel,
      nearestFacesKernel,
      deformPointsKernel,
      adamStepKernel,
      emaStepKernel,
    ],
    wasm: decodeModule(KERNEL_MODULE_BASE64),
    relaxed: decodeModule(RELAXED_MODULE_BASE64),
    reservedBytes: 1024,
  };
}
