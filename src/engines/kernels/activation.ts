/** How to call `biasAct` and its gradient. */

import { type Node, sizeOf, type Tensor } from '../../tensor/index.ts';
import type { Kernel, KernelArg } from './kernel.ts';

/** Fewer values than this are quicker inside of an ONNX segment than between two. */
const FROM_VALUES = 1 << 13;

type Bend = { slope: number; gain: number; clamp: number; axis: number };

/** batch, channels, pixels, slope, gain, clamp; undefined for shapes that the kernels do not take. */
function bendArgs({ shape }: Tensor, { slope, gain, clamp, axis }: Bend): number[] | undefined {
  const pixels = sizeOf(shape.slice(axis + 1));
  if (sizeOf(shape) < FROM_VALUES || pixels % 4 !== 0) return undefined;
  return [sizeOf(shape.slice(0, axis)), shape[axis], pixels, slope, gain, clamp];
}

export const biasActKernel: Kernel = {
  name: 'biasAct',
  plan({ inputs, attrs }: Node) {
    const tail = bendArgs(inputs[0], attrs.options as Bend);
    const bias: KernelArg = inputs.length > 1 ? { input: 1 } : 0;
    if (tail === undefined) return undefined;
    const args = [{ input: 0 }, bias, { output: 0 }, ...tail];
    return { entry: 'biasAct', args, inPlace: { input: 0, output: 0 } };
  },
};

export const biasActGradKernel: Kernel = {
  name: 'biasActGrad',
  plan({ inputs, outputs, attrs }: Node) {
    const tail = bendArgs(inputs[0], attrs.options as Bend);
    const sums: KernelArg = outputs.length > 1 ? { output: 1 } : 0;
    if (tail === undefined) return undefined;
    const args = [{ input: 0 }, { input: 1 }, { output: 0 }, sums, ...tail];
    return { entry: 'biasActGrad', args, inPlace: { input: 0, output: 0 } };
  },
};
