/** How to call the passes over images whose channels come in blocks (`engines/onnx/blocked.ts`). */

import type { Node } from '../../tensor/index.ts';
import { filterArgs } from './fir.ts';
import type { Kernel, KernelArg } from './kernel.ts';

const blockOf = ({ attrs }: Node): number => (attrs.options as { block: number }).block;

/** Which taps of a weight a convolution has, and in which order. */
interface Arrangement {
  /** Outputs and inputs change places. */
  readonly swap: boolean;
  readonly flip: boolean;
  readonly rowTaps: string;
  readonly columnTaps: string;
}

/** The first tap along an axis, the step to the next, and how many there are. */
function along(taps: string, extent: number, flip: boolean): [number, number, number] {
  if (taps === 'even') return [extent - 1, -2, (extent + 1) / 2];
  if (taps === 'odd') return [1, 1, 1];
  return flip ? [extent - 1, -1, extent] : [0, 1, extent];
}

function turn(name: string): Kernel {
  return {
    name,
    plan(node: Node) {
      const block = blockOf(node);
      const [batch, channels, height, width] = node.inputs[0].shape;
      const args = [{ input: 0 }, { output: 0 }, (batch * channels) / block, block, height * width];
      return { entry: name, args };
    },
  };
}

function bend(node: Node): number[] {
  const [batch, channels, height, width] = node.inputs[0].shape;
  const block = blockOf(node);
  const { slope, gain, clamp } = node.attrs.options as { slope: number; gain: number; clamp: number };
  return [batch, channels / block, block, height * width, slope, gain, clamp];
}

export const blockedKernels: readonly Kernel[] = [
  turn('toBlocked'),
  turn('fromBlocked'),
  {
    name: 'biasActBlocked',
    plan(node: Node) {
      const bias: KernelArg = node.inputs.length > 1 ? { input: 1 } : 0;
      const args = [{ input: 0 }, bias, { output: 0 }, ...bend(node)];
      return { entry: 'biasActBlocked', args, inPlace: { input: 0, output: 0 } };
    },
  },
  {
    name: 'biasActGradBlocked',
    plan(node: Node) {
      const sums: KernelArg = node.outputs.length > 1 ? { output: 1 } : 0;
      const args = [{ input: 0 }, { input: 1 }, { output: 0 }, sums, ...bend(node)];
      return { entry: 'biasActGradBlocked', args, inPlace: { input: 0, output: 0 } };
    },
  },
  {
    name: 'upfirdn2dBlocked',
    plan(node: Node) {
      const block = blockOf(node);
      const [planes, ...tail] = filterArgs(node) ?? [];
      if (planes === undefined) return undefined;
      return {
        entry: 'upfirdnBlocked',
        args: [{ input: 0 }, { output: 0 }, 'scratch', planes / block, block, ...tail],
        scratchBytes: 4 * block * node.inputs[0].shape[3],
      };
    },
  },
  {
    name: 'arrangeWeight',
    plan(node: Node) {
      const block = blockOf(node);
      const { swap, flip, rowTaps, columnTaps } = node.attrs.options as unknown as Arrangement;
      const [first, second, rows, columns] = node.inputs[0].shape;
      const kernel = rows * columns;
      const [outs, ins] = swap ? [second, first] : [first, second];
      const [outStep, inStep] = swap ? [kernel, kernel * second] : [kernel * second, kernel];
      const [a, rowStep, rowCount] = along(rowTaps, rows, flip);
      const [b, columnStep, columnCount] = along(columnTaps, columns, flip);
      return {
        entry: 'arrangeWeight',
        args: [
          { input: 0 },
          { output: 0 },
          ...[outs, ins, block, rowCount, columnCount, outStep, inStep],
          ...[a * columns + b, rowStep * columns, columnStep],
        ],
      };
    },
  },
  {
    name: 'splitBlocked',
    plan(node: Node) {
      const block = blockOf(node);
      const [batch, channels, height, width] = node.inputs[0].shape;
      return {
        entry: 'splitBlocked',
        args: [
          { input: 0 },
          ...node.outputs.map((_, output) => ({ output })),
          ...[(batch * channels) / block, block, height, width],
        ],
      };
    },
  },
  {
    name: 'interleaveBlocked',
    plan(node: Node) {
      const block = blockOf(node);
      const [batch, channels, height, width] = node.inputs[3].shape;
      return {
        entry: 'interleaveBlocked',
        args: [
          ...node.inputs.map((_, input) => ({ input })),
          { output: 0 },
          ...[(batch * channels) / block, block, height, width],
        ],
      };
    },
  },
];
