/** How to call the finishers of synthesis layers: `layerEpilogue`, `foldUp`, `skipUp`. */

import type { Node } from '../../tensor/index.ts';
import type { Kernel, KernelArg, KernelCall } from './kernel.ts';

/** Bits of the kernels' `flags`. */
const HAS_NOISE = 1;
const HAS_NEXT = 2;

interface EpilogueOptions {
  readonly slope: number;
  readonly gain: number;
  /** 0 for none. */
  readonly clamp: number;
  readonly noise: boolean;
  readonly next: boolean;
}

/** Pointers of the operands that are optional, and what their presence says. Inputs: y, demod, bias, noise?, next?. */
function optionalOperands(node: Node): {
  noise: KernelArg;
  next: KernelArg;
  noiseStep: number;
  flags: number;
} {
  const options = node.attrs.options as unknown as EpilogueOptions;
  let at = 3;
  const noiseAt = options.noise ? at++ : -1;
  const nextAt = options.next ? at : -1;
  const noiseShape = options.noise ? node.inputs[noiseAt].shape : [1, 0, 0];
  return {
    noise: options.noise ? { input: noiseAt } : 0,
    next: options.next ? { input: nextAt } : 0,
    noiseStep: noiseShape[0] > 1 ? noiseShape[1] * noiseShape[2] : 0,
    flags: (options.noise ? HAS_NOISE : 0) | (options.next ? HAS_NEXT : 0),
  };
}

export const layerEpilogueKernel: Kernel = {
  name: 'layerEpilogue',
  plan(node: Node): KernelCall | undefined {
    const [batch, channels, height, width] = node.inputs[0].shape;
    if ((height * width) % 4 !== 0) return undefined;
    const { slope, gain, clamp } = node.attrs.options as unknown as EpilogueOptions;
    const { noise, next, noiseStep, flags } = optionalOperands(node);
    const pointers: KernelArg[] = [{ input: 0 }, { input: 1 }, { input: 2 }, noise, next, { output: 0 }];
    return {
      entry: 'layerEpilogue',
      args: [...pointers, batch, channels, height * width, noiseStep, flags, slope, gain, clamp],
    };
  },
};

export const foldUpKernel: Kernel = {
  name: 'foldUp',
  plan(node: Node): KernelCall | undefined {
    const [batch, taps, height, width] = node.inputs[0].shape;
    if (width % 4 !== 0) return undefined;
    const { slope, gain, clamp } = node.attrs.options as unknown as EpilogueOptions;
    const { noise, next, noiseStep, flags } = optionalOperands(node);
    const pointers: KernelArg[] = [
      { input: 0 },
      { input: 1 },
      { input: 2 },
      noise,
      next,
      { output: 0 },
      'scratch',
    ];
    return {
      entry: 'foldUp',
      args: [...pointers, batch, taps / 9, height, width, noiseStep, flags, slope, gain, clamp],
      scratchBytes: 4 * width + 3 * (4 * width + 32),
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
    };
  },
};
