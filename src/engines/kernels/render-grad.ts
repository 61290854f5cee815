/** How to call the volume renderer's gradient: `renderRaysGrad`. */

import { type Node, sizeOf } from '../../tensor/index.ts';
import type { Kernel, KernelArg, KernelCall } from './kernel.ts';
import { rayCall } from './render.ts';

/** What the kernels give gradients to. */
const GIVEN: readonly string[] = ['planes', 'w0', 'b0', 'w1', 'b1', 'maps'];

/** Jobs that a small batch is cut into, each with gradients of its own: as many threads can work at once. */
const JOBS = 2;

/** `SUM_BYTES` of `assembly/render-decoder-grad.ts`. */
const DECODER_BYTES = 4 * (2048 + 64 + 2112 + 36) + 48;

interface GradientOptions {
  /** Names of the inputs, in order; those of cotangents begin with `d:`. */
  readonly inputs: readonly string[];
  /** Names of the inputs that gradients are wanted of. */
  readonly outputs: readonly string[];
}

export const renderRaysGradKernel: Kernel = {
  name: 'renderRaysGrad',
  plan(node: Node): KernelCall | undefined {
    const { inputs, outputs } = node.attrs.options as unknown as GradientOptions;
    const call = rayCall(node, true);
    if (call === undefined || !outputs.every((name) => GIVEN.includes(name))) return undefined;
    const { first, scratchBytes, sizes, kept } = call;
    const { batch, layers, side, gains } = call.field;
    const input = (name: string): KernelArg => (inputs.includes(name) ? { input: inputs.indexOf(name) } : 0);
    const output = (name: string): KernelArg =>
      outputs.includes(name) ? { output: outputs.indexOf(name) } : 0;
    const slices = Math.ceil(JOBS / batch);
    const planeBytes = outputs.includes('planes') ? kept.bytes / batch : 0;
    const mapBytes = outputs.includes('maps')
      ? (4 * sizeOf(node.inputs[inputs.indexOf('maps')].shape)) / batch
      : 0;
    const areaBytes = Math.ceil((planeBytes + DECODER_BYTES + mapBytes) / 64) * 64;
    const shares = [slices, areaBytes, planeBytes, mapBytes];
    return {
      entry: 'renderRaysGrad',
      args: [
        ...first,
        ...['d:features', 'd:depth', 'd:opacity'].map(input),
        ...(['shared', 'counter', 'scratch'] as const),
        ...[scratchBytes, ...sizes, ...shares],
      ],
      scratchBytes,
      threaded: {
        kept,
        sharedBytes: batch * slices * areaBytes,
        finish: {
          entry: 'sumRenderGradients',
          args: ['shared', ...GIVEN.map(output), 'counter', batch, layers, side, ...gains, ...shares],
        },
      },
    };
  },
};
