/**
 * Reductions, running sums, sorting.
 *
 * Not as defined: onnxruntime's maximum and minimum may pass over a NaN, and its sort puts NaNs anywhere.
 */

import type { Rule, Rules } from '../lowering.ts';
import { ELEMENT_TYPE } from '../model.ts';

function reduction(type: string): Rule {
  return (node, lowering) => {
    const axes = node.attrs.axes as readonly number[];
    const x = lowering.value(node.inputs[0]);
    if (axes.length === 0) return [x];
    return [lowering.emit(type, [x, lowering.ints(axes)], { keepdims: 0 })];
  };
}

const cumsum: Rule = (node, lowering) => [
  lowering.emit(
    'CumSum',
    [lowering.value(node.inputs[0]), lowering.scalar('int64', node.attrs.axis as number)],
    { exclusive: node.attrs.exclusive ? 1 : 0, reverse: node.attrs.reverse ? 1 : 0 },
  ),
];

/** All of a row's elements, smallest first. onnxruntime puts the lower index first among equals. */
const sort: Rule = (node, lowering) => {
  const extent = node.outputs[0].shape[1];
  const [values, indices] = lowering.emitMany(
    'TopK',
    [lowering.value(node.inputs[0]), lowering.ints([extent])],
    2,
    { axis: 1, largest: 0, sorted: 1 },
  );
  return [values, lowering.emit('Cast', [indices], { to: ELEMENT_TYPE.int32 })];
};

export const reductionRules: Rules = {
  reduceSum: reduction('ReduceSum'),
  reduceMax: reduction('ReduceMax'),
  reduceMin: reduction('ReduceMin'),
  cumsum,
  sort,
};
