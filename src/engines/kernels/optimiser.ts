/** How to call `adamStep` and `emaStep`. */

import { type Node, sizeOf } from '../../tensor/index.ts';
import type { Kernel, KernelArg } from './kernel.ts';

const operands = ({ inputs, outputs }: Node): KernelArg[] => [
  ...inputs.map((_, input) => ({ input })),
  ...outputs.map((_, output) => ({ output })),
];

export const adamStepKernel: Kernel = {
  name: 'adamStep',
  plan(node: Node) {
    const { beta1, beta2, eps } = node.attrs.options as { beta1: number; beta2: number; eps: number };
    const count = sizeOf(node.inputs[0].shape);
    if (count === 0) return undefined;
    const args = [...operands(node), count, beta1, 1 - beta1, beta2, 1 - beta2, eps];
    return { entry: 'adamStep', args, inPlace: { input: 0, output: 0 } };
  },
};

export const emaStepKernel: Kernel = {
  name: 'emaStep',
  plan(node: Node) {
    const count = sizeOf(node.inputs[0].shape);
    if (count === 0 || sizeOf(node.inputs[2].shape) !== 1) return undefined;
    return { entry: 'emaStep', args: [...operands(node), count], inPlace: { input: 0, output: 0 } };
  },
};
