/** Reading and adding by index. */

import { sizeOf } from '../../../tensor/index.ts';
import type { Rule, Rules } from '../lowering.ts';
import { ELEMENT_TYPE } from '../model.ts';

const gather: Rule = (node, lowering) => [
  lowering.emit(
    'Gather',
    node.inputs.map((tensor) => lowering.value(tensor)),
    { axis: node.attrs.axis as number },
  ),
];

/** ScatterND adds whole slices along the first axis, so an inner axis is brought to the front and back. */
const scatterAdd: Rule = (node, lowering) => {
  const [updates, indices] = node.inputs;
  const axis = node.attrs.axis as number;
  const extent = node.attrs.extent as number;
  const count = sizeOf(indices.shape);
  const { shape } = node.outputs[0];
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  let slices = lowering.value(updates);
  if (outer > 1) {
    const split = lowering.emit('Reshape', [slices, lowering.ints([outer, count, inner])]);
    slices = lowering.emit('Transpose', [split], { perm: [1, 0, 2] });
  }
  slices = lowering.emit('Reshape', [slices, lowering.ints([count, outer * inner])]);
  const rows = lowering.emit('Reshape', [lowering.value(indices), lowering.ints([count, 1])]);
  const added = lowering.emit(
    'ScatterND',
    [
      lowering.expand(lowering.scalar('float32', 0), [extent, outer * inner]),
      lowering.emit('Cast', [rows], { to: ELEMENT_TYPE.int64 }),
      slices,
    ],
    { reduction: 'add' },
  );
  if (outer === 1) return [lowering.emit('Reshape', [added, lowering.ints(shape)])];
  const split = lowering.emit('Reshape', [added, lowering.ints([extent, outer, inner])]);
  const moved = lowering.emit('Transpose', [split], { perm: [1, 0, 2] });
  return [lowering.emit('Reshape', [moved, lowering.ints(shape)])];
};

export const indexingRules: Rules = { gather, scatterAdd };
