/** `conv2d` and `conv2dTranspose`. */

import type { Node } from '../../../tensor/index.ts';
import type { ConvolutionAttrs } from '../../../tensor/primitives/convolution.ts';
import type { Kernel, KernelCall, Planning } from '../kernel.ts';
import { callBuilder, type DenseChoice, finished, inputOf, outputOf } from './call.ts';
import { addConvolution } from './convolve.ts';
import { type Gathering, MOST_TAPS } from './image.ts';
import type { WeightTaps } from './pack.ts';
import { plainConvolution } from './plain.ts';

/** Groups with fewer channels than this waste most of a tile. */
const CHANNELS_OF_A_TILE = 8;

function describe(node: Node): string {
  return `${node.op.name} ${node.inputs.map(({ shape }) => shape.join('x')).join(' ')}`;
}

export function suitsTiles(
  inputs: number,
  outputs: number,
  groups: number,
  kernel: readonly number[],
): boolean {
  const wide = groups === 1 || (inputs >= CHANNELS_OF_A_TILE && outputs >= CHANNELS_OF_A_TILE);
  return wide && kernel.every((size) => size <= MOST_TAPS);
}

/** How to run a `conv2d`. */
export function planConv2d(node: Node, planning: Planning, choice: DenseChoice = {}): KernelCall {
  const { stride, padding, dilation, groups } = node.attrs as ConvolutionAttrs;
  const [batch, , height, width] = node.inputs[0].shape;
  const [outChannels, inputs, ...kernel] = node.inputs[1].shape;
  const [, , rows, columns] = node.outputs[0].shape;
  const call = callBuilder(planning);
  const outputs = outChannels / groups;
  const gathering: Gathering = {
    ...{ batch, groups, inputs, outputs, stride },
    input: [height, width],
    grid: [rows, columns],
    taps: {
      rows: kernel[0],
      columns: kernel[1],
      first: [-padding[0][0], -padding[1][0]],
      step: dilation,
    },
    ...{ output: [rows, columns], start: [0, 0], spacing: [1, 1] },
  };
  const places = {
    image: inputOf(node, planning, 0),
    weight: inputOf(node, planning, 1),
    result: outputOf(node, planning),
  };
  const weights: WeightTaps = {
    ...{ kernel: [kernel[0], kernel[1]], first: [0, 0], step: [1, 1], turned: false },
  };
  if (suitsTiles(inputs, outputs, groups, kernel)) {
    addConvolution(call, describe(node), gathering, weights, places, choice);
  } else {
    call.dispatches.push(...plainConvolution(describe(node), gathering, weights, places, planning));
  }
  return finished(call);
}

/** One axis of the outputs that a transposed convolution makes from the same taps. */
interface Phase {
  readonly start: number;
  readonly count: number;
  readonly taps: number;
  /** Kernel's first tap, and taps to the next. */
  readonly firstTap: number;
  readonly tapStep: number;
  /** Input place of the first output at the first tap, and to the next tap. */
  readonly first: number;
  readonly step: number;
}

/** Outputs of each remainder by the stride: output i hears tap t at input (i + padding - dilation t) / stride. */
function phasesOf(size: number, kernel: number, stride: number, padding: number, dilation: number): Phase[] {
  return Array.from({ length: Math.min(stride, size) }, (_, start) => {
    const heard = Array.from({ length: kernel }, (_, tap) => tap).filter(
      (tap) => (start + padding - dilation * tap) % stride === 0,
    );
    const [firstTap = 0, second = firstTap + 1] = heard;
    const tapStep = second - firstTap;
    return {
      ...{ start, count: Math.ceil((size - start) / stride), taps: heard.length, firstTap, tapStep },
      first: heard.length === 0 ? 0 : (start + padding - dilation * firstTap) / stride,
      step: heard.length < 2 ? 0 : (-dilation * tapStep) / stride,
    };
  });
}

/** How to run a `conv2dTranspose`: for each remainder of rows and columns by the stride a plain convolution. */
export function planConv2dTranspose(node: Node, planning: Planning, choice: DenseChoice = {}): KernelCall {
  const { stride, padding, dilation, groups } = node.attrs as ConvolutionAttrs;
  const [batch, inChannels, height, width] = node.inputs[0].shape;
  const [, outputs, ...kernel] = node.inputs[1].shape;
  const [, , rows, columns] = node.outputs[0].shape;
  const inputs = inChannels / groups;
  const call = callBuilder(planning);
  const places = {
    image: inputOf(node, planning, 0),
    weight: inputOf(node, planning, 1),
    result: outputOf(node, planning),
  };
  const phases = ([0, 1] as const).map((axis) =>
    phasesOf([rows, columns][axis], kernel[axis], stride[axis], padding[axis][0], dilation[axis]),
  );
  for (const down of phases[0]) {
    for (const across of phases[1]) {
      const gathering: Gathering = {
        ...{ batch, groups, inputs, outputs },
        input: [height, width],
        grid: [down.count, across.count],
        stride: [1, 1],
        taps: {
          rows: down.taps,
          columns: across.taps,
          first: [down.first, across.first],
          step: [down.step, across.step],
        },
        output: [rows, columns],
        start: [down.start, across.start],
        spacing: stride,
      };
      const weights: WeightTaps = {
        kernel: [kernel[0], kernel[1]],
        first: [down.firstTap, across.firstTap],
        step: [down.tapStep, across.tapStep],
        turned: true,
      };
      if (suitsTiles(inputs, outputs, groups, kernel)) {
        addConvolution(call, describe(node), gathering, weights, places, choice);
      } else {
        call.dispatches.push(...plainConvolution(describe(node), gathering, weights, places, planning));
      }
    }
  }
  return finished(call);
}

export const conv2dKernel: Kernel = {
  name: 'conv2d',
  plan: (node, planning) => planConv2d(node, planning),
};

export const conv2dTransposeKernel: Kernel = {
  name: 'conv2dTranspose',
  plan: (node, planning) => planConv2dTranspose(node, planning),
};
