/** Gradients of the operations that move elements: their adjoints. */

import type { GradientRule, Tensor } from '../graph.ts';
import { gather } from '../primitives/gather.ts';
import { pad } from '../primitives/pad.ts';
import { reduceSum } from '../primitives/reduce-sum.ts';
import { reshape } from '../primitives/reshape.ts';
import { reverse } from '../primitives/reverse.ts';
import { scatterAdd } from '../primitives/scatter-add.ts';
import { slice, sliceAxis } from '../primitives/slice.ts';
import { transpose } from '../primitives/transpose.ts';
import type { Shape } from '../types.ts';
import { flat, type Gradients, slopes } from './rule.ts';

/** Adjoint of `broadcastTo`: sums over the axes that were added or repeated. */
function sumTo(g: Tensor, shape: Shape): Tensor {
  const added = g.shape.length - shape.length;
  const axes = g.shape.flatMap((extent, axis) =>
    axis < added || (shape[axis - added] === 1 && extent !== 1) ? [axis] : [],
  );
  return reshape(reduceSum(g, axes), shape);
}

/** Adjoint of `slice`: elements go back to where they came from, zeros elsewhere. */
export function unslice(
  g: Tensor,
  shape: Shape,
  starts: readonly number[],
  steps: readonly number[],
): Tensor {
  let spread = g;
  steps.forEach((step, axis) => {
    if (step > 1) spread = insertZerosAfter(spread, axis, step - 1, shape[axis] - starts[axis]);
  });
  return pad(
    spread,
    starts,
    shape.map((extent, axis) => extent - starts[axis] - spread.shape[axis]),
  );
}

/** Puts zeros after every element along an axis; at most `limit` elements are kept. */
function insertZerosAfter(x: Tensor, axis: number, zeros: number, limit: number): Tensor {
  const [before, extent, behind] = [x.shape.slice(0, axis), x.shape[axis], x.shape.slice(axis + 1)];
  const split = [...before, extent, 1, ...behind];
  const high = split.map((_, i) => (i === axis + 1 ? zeros : 0));
  const padded = pad(
    reshape(x, split),
    split.map(() => 0),
    high,
  );
  const joined = reshape(padded, [...before, extent * (zeros + 1), ...behind]);
  return sliceAxis(joined, axis, 0, Math.min(joined.shape[axis], limit));
}

const concatGradient: GradientRule = ({ inputs, attrs }, [g], wanted) => {
  const axis = attrs.axis as number;
  let start = 0;
  return inputs.map((x, i) => {
    const from = start;
    start += x.shape[axis];
    return g === undefined || !wanted(i) ? undefined : sliceAxis(g, axis, from, start);
  });
};

export const movementGradients: Gradients = {
  source: flat,
  constant: flat,
  iota: flat,
  stopGradient: flat,
  after: slopes((g) => g, undefined),
  broadcast: slopes((g, { inputs: [x] }) => sumTo(g, x.shape)),
  reshape: slopes((g, { inputs: [x] }) => reshape(g, x.shape)),
  transpose: slopes((g, { attrs }) => {
    const permutation = attrs.permutation as readonly number[];
    return transpose(
      g,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    );
  }),
  slice: slopes((g, { inputs: [x], attrs }) => {
    const { starts, steps } = attrs as Record<string, readonly number[]>;
    return unslice(g, x.shape, starts, steps);
  }),
  pad: slopes((g, { inputs: [x], attrs }) => {
    const low = attrs.low as readonly number[];
    return slice(
      g,
      low,
      low.map((start, axis) => start + x.shape[axis]),
    );
  }),
  reverse: slopes((g, { attrs }) => reverse(g, attrs.axes as readonly number[])),
  concat: concatGradient,
  gather: slopes((g, { inputs: [x, indices], attrs }) => {
    const axis = attrs.axis as number;
    return scatterAdd(g, indices, x.shape[axis], axis);
  }, undefined),
  scatterAdd: slopes(
    (g, { inputs: [, indices], attrs }) => gather(g, indices, attrs.axis as number),
    undefined,
  ),
};
