/** Gradient of maximum pooling: to the first of the largest elements of each window, in reading order. */

import type { Tensor } from '../graph.ts';
import { add } from '../primitives/add.ts';
import { and } from '../primitives/and.ts';
import type { ConvolutionAttrs } from '../primitives/convolution.ts';
import { equal } from '../primitives/equal.ts';
import { not } from '../primitives/not.ts';
import { or } from '../primitives/or.ts';
import { pad } from '../primitives/pad.ts';
import { slice } from '../primitives/slice.ts';
import { where } from '../primitives/where.ts';
import { unslice } from './movement.ts';
import { type Gradients, slopes } from './rule.ts';

export const poolingGradients: Gradients = {
  maxPool: slopes((g, { inputs: [x], outputs: [largest], attrs }) => {
    const { stride, padding } = attrs as unknown as ConvolutionAttrs;
    const kernel = attrs.kernel as readonly [number, number];
    const [[top, bottom], [left, right]] = padding;
    const padded = pad(x, [0, 0, top, left], [0, 0, bottom, right], Number.NEGATIVE_INFINITY);
    const [batch, channels, rows, columns] = largest.shape;
    const steps = [1, 1, ...stride];
    let taken: Tensor | undefined;
    let total: Tensor | undefined;
    for (let a = 0; a < kernel[0]; a++) {
      for (let b = 0; b < kernel[1]; b++) {
        const starts = [0, 0, a, b];
        const limits = [batch, channels, a + (rows - 1) * stride[0] + 1, b + (columns - 1) * stride[1] + 1];
        const here = equal(slice(padded, starts, limits, steps), largest);
        const first = taken === undefined ? here : and(here, not(taken));
        taken = taken === undefined ? here : or(taken, here);
        const part = unslice(where(first, g, 0), padded.shape, starts, steps);
        total = total === undefined ? part : add(total, part);
      }
    }
    const [height, width] = x.shape.slice(2);
    return slice(total!, [0, 0, top, left], [batch, channels, top + height, left + width]);
  }),
};
