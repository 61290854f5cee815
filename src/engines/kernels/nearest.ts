/** How to call the search kernels over a mesh block: `nearestFaces`, `deformPoints`. */

import type { Node } from '../../tensor/index.ts';
import type { Kernel, KernelArg, KernelCall } from './kernel.ts';

/** `SCRATCH` of `assembly/nearest.ts`. */
const SCRATCH_BYTES = 704;

function searchCall(entry: string, node: Node, outputs: KernelArg[]): KernelCall | undefined {
  const [mesh, points] = node.inputs;
  const [batch, words] = mesh.shape;
  // Blocks are read in SIMD: each must start at a multiple of 16 bytes.
  if (batch > 1 && words % 4 !== 0) return undefined;
  return {
    entry,
    args: [{ input: 0 }, { input: 1 }, ...outputs, 'scratch', batch, words, points.shape[1]],
    scratchBytes: SCRATCH_BYTES,
  };
}

export const nearestFacesKernel: Kernel = {
  name: 'nearestFaces',
  plan: (node) => searchCall('nearestFaces', node, [{ output: 0 }, { output: 1 }]),
};

export const deformPointsKernel: Kernel = {
  name: 'deformPoints',
  plan: (node) => searchCall('deformPoints', node, [{ output: 0 }]),
};
