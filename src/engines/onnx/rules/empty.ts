/** What operations give when an input has no elements but an output has some. */

import { type Node, sizeOf } from '../../../tensor/index.ts';

/** The one value that fills the outputs, or undefined when no input is empty (or the rule sees to it). */
export function fillOfEmpty(node: Node): number | undefined {
  if (['concat', 'fused', 'after'].includes(node.op.name)) return undefined;
  if (node.inputs.every((tensor) => sizeOf(tensor.shape) > 0)) return undefined;
  const integer = node.outputs[0].dtype === 'int32';
  switch (node.op.name) {
    case 'reduceMax':
      return integer ? -(2 ** 31) : Number.NEGATIVE_INFINITY;
    case 'reduceMin':
      return integer ? 2 ** 31 - 1 : Number.POSITIVE_INFINITY;
    case 'maxPool':
      return Number.NEGATIVE_INFINITY;
    case 'pad':
      return node.attrs.value as number;
    default:
      return 0;
  }
}
