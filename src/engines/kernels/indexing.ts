/**
 * How to call the kernels of two primitives: `scatterAdd`, which ONNX Runtime's threads do not add up reliably (updates
 * of one place get lost), and `cumsum`, which it is slow at.
 */

import { type Node, sizeOf } from '../../tensor/index.ts';
import { splitAt } from '../../tensor/primitives/common.ts';
import type { Kernel } from './kernel.ts';

/** Fewer values than this are quicker inside of an ONNX segment than between two. */
const FROM_VALUES = 1 << 13;

export const scatterAddKernel: Kernel = {
  name: 'scatterAdd',
  plan({ inputs: [updates, indices], outputs: [out], attrs }: Node) {
    if (sizeOf(updates.shape) === 0 || sizeOf(out.shape) === 0) return undefined;
    const { outer, extent, inner } = splitAt(out.shape, attrs.axis as number);
    const sizes = [outer, sizeOf(indices.shape), extent, inner];
    return { entry: 'scatterAdd', args: [{ input: 0 }, { input: 1 }, { output: 0 }, ...sizes] };
  },
};

export const cumsumKernel: Kernel = {
  name: 'cumsum',
  plan({ inputs: [x], attrs }: Node) {
    if (x.dtype !== 'float32' || sizeOf(x.shape) < FROM_VALUES) return undefined;
    const { axis, exclusive, reverse } = attrs as { axis: number; exclusive: boolean; reverse: boolean };
    const { outer, extent, inner } = splitAt(x.shape, axis);
    const sizes = [outer, extent, inner, Number(exclusive), Number(reverse)];
    return { entry: 'cumsum', args: [{ input: 0 }, { output: 0 }, ...sizes] };
  },
};
