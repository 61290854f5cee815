/** How to call the finishers of synthesis layers: `layerEpilogue`, `foldUp`, `skipUp`. */

import type { Node } from '../../tensor/index.ts';
import type { Kernel, KernelArg, KernelCall } from './kernel.ts';

/** Bits of the kernels' `flags`. */
const HAS_NOISE = 1;
const HAS_NEXT = 2;
const KEEP = 4;

interface EpilogueOptions {
  readonly slope: number;
  readonly gain: number;
  /** 0 for none. */
  readonly clamp: number;
  readonly noise: boolean;
  readonly next: boolean;
  readonly keep: boolean;
}

interface GradientOptions {
  /** Which results have a cotangent. */
  readonly gv: boolean;
  readonly gs: boolean;
  /** Noise images; 0 for none. */
  readonly noises: number;
  readonly slope: number;
  readonly gain: number;
  readonly clamp: number;
}

/** The arguments that both finishers share; a pointer to nothing is 0.
 *
 * @param convolved how many inputs come before demod, bias, noise?, next?
 */
function finisherArgs(
  node: Node,
  convolved: number,
): { pointers: KernelArg[]; noiseStep: number; tail: number[] } {
  const { noise, next, keep, slope, gain, clamp } = node.attrs.options as unknown as EpilogueOptions;
  const noiseAt = convolved + 2;
  const nextAt = noiseAt + (noise ? 1 : 0);
  const noiseShape = noise ? node.inputs[noiseAt].shape : [1, 0, 0];
  const flags = (noise ? HAS_NOISE : 0) | (next ? HAS_NEXT : 0) | (keep ? KEEP : 0);
  return {
    pointers: [
      ...node.inputs.slice(0, noiseAt).map((_, input) => ({ input })),
      noise ? { input: noiseAt } : 0,
      next ? { input: nextAt } : 0,
      keep ? { output: 0 } : 0,
      next ? { output: keep ? 1 : 0 } : 0,
    ],
    noiseStep: noiseShape[0] > 1 ? noiseShape[1] * noiseShape[2] : 0,
    tail: [flags, slope, gain, clamp],
  };
}

export const layerEpilogueKernel: Kernel = {
  name: 'layerEpilogue',
  plan(node: Node): KernelCall | undefined {
    const [batch, channels, height, width] = node.inputs[0].shape;
    if ((height * width) % 4 !== 0) return undefined;
    const { pointers, noiseStep, tail } = finisherArgs(node, 1);
    const args = [...pointers, batch, channels, height * width, noiseStep, ...tail];
    return { entry: 'layerEpilogue', args, inPlace: { input: 0, output: 0 } };
  },
};

export const layerEpilogueGradKernel: Kernel = {
  name: 'layerEpilogueGrad',
  plan(node: Node): KernelCall | undefined {
    const { gv, gs, noises, slope, gain, clamp } = node.attrs.options as unknown as GradientOptions;
    const at = { gs: gv ? 1 : 0, next: gv ? 2 : 1, value: (gv ? 1 : 0) + (gs ? 2 : 0) };
    const [batch, channels, height, width] = node.inputs[at.value].shape;
    if ((height * width) % 4 !== 0) return undefined;
    return {
      entry: 'layerEpilogueGrad',
      args: [
        gv ? { input: 0 } : 0,
        gs ? { input: at.gs } : 0,
        ...[0, 1, 2].map((i) => ({ input: at.value + i })),
        gs ? { input: at.next } : 0,
        ...[0, 1, 2].map((output) => ({ output })),
        gs ? { output: 3 } : 0,
        noises > 0 ? { output: gs ? 4 : 3 } : 0,
        ...[batch, channels, height * width, noises > 1 ? height * width : 0, slope, gain, clamp],
      ],
    };
  },
};

export const unfoldUpKernel: Kernel = {
  name: 'unfoldUp',
  plan(node: Node): KernelCall | undefined {
    const [batch, channels, height, width] = node.outputs[3].shape;
    return {
      entry: 'unfoldUp',
      args: [
        { input: 0 },
        ...node.outputs.map((_, output) => ({ output })),
        'scratch',
        ...[batch * channels, height, width],
      ],
      scratchBytes: 3 * (8 * width + 512),
    };
  },
};

export const foldUpKernel: Kernel = {
  name: 'foldUp',
  plan(node: Node): KernelCall | undefined {
    const [batch, channels, height, width] = node.inputs[3].shape;
    if (width % 4 !== 0) return undefined;
    const { pointers, noiseStep, tail } = finisherArgs(node, 4);
    return {
      entry: 'foldUp',
      args: [...pointers, 'scratch', batch, channels, height, width, noiseStep, ...tail],
      scratchBytes: 3 * (4 * width + 64),
    };
  },
};

export const skipUpKernel: Kernel = {
  name: 'skipUp',
  plan(node: Node): KernelCall | undefined {
    const [batch, channels, height, width] = node.inputs[0].shape;
    if (width % 4 !== 0) return undefined;
    const { clamp } = node.attrs.options as { clamp: number };
    return {
      entry: 'skipUp',
      args: [
        { input: 0 },
        { input: 1 },
        { input: 2 },
        { output: 0 },
        'scratch',
        batch,
        channels,
        height,
        width,
        clamp,
      ],
      scratchBytes: 8 * width + 32,
      inPlace: { input: 1, output: 0 },
    };
  },
};
