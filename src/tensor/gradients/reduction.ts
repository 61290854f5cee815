/** Gradients of reductions, running sums and sorting. */

import type { GradientRule, Node, Tensor } from '../graph.ts';
import { add } from '../primitives/add.ts';
import { broadcastTo } from '../primitives/broadcast.ts';
import { cast } from '../primitives/cast.ts';
import { cumsum } from '../primitives/cumsum.ts';
import { div } from '../primitives/div.ts';
import { equal } from '../primitives/equal.ts';
import { iota } from '../primitives/iota.ts';
import { mul } from '../primitives/mul.ts';
import { reduceSum } from '../primitives/reduce-sum.ts';
import { reshape } from '../primitives/reshape.ts';
import { scatterAdd } from '../primitives/scatter-add.ts';
import { type Gradients, slopes } from './rule.ts';

/** What was reduced, repeated over the axes that it was reduced along. */
function spreadBack(y: Tensor, { inputs: [x], attrs }: Node): Tensor {
  const axes = attrs.axes as readonly number[];
  const kept = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  return broadcastTo(reshape(y, kept), x.shape);
}

/** Equal extremes share the cotangent. */
const extreme = slopes((g, node) => {
  const [x] = node.inputs;
  const hit = cast(equal(x, spreadBack(node.outputs[0], node)), 'float32');
  const share = div(g, reduceSum(hit, node.attrs.axes as readonly number[]));
  return mul(hit, spreadBack(share, node));
});

/** Sorted values go back to where they came from. */
const sortGradient: GradientRule = ({ inputs: [x], outputs: [, order] }, [g]) => {
  if (g === undefined) return [undefined];
  const [rows, extent] = x.shape;
  const at = add(mul(iota([rows, extent], 0), extent), order);
  return [
    reshape(scatterAdd(reshape(g, [rows * extent]), reshape(at, [rows * extent]), rows * extent), x.shape),
  ];
};

export const reductionGradients: Gradients = {
  reduceSum: slopes((g, node) => spreadBack(g, node)),
  reduceMax: extreme,
  reduceMin: extreme,
  cumsum: slopes((g, { attrs }) => {
    const { axis, exclusive, reverse } = attrs as { axis: number; exclusive: boolean; reverse: boolean };
    return cumsum(g, axis, { exclusive, reverse: !reverse });
  }),
  sort: sortGradient,
};
