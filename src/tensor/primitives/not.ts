import { apply, type Primitive, type Tensor } from '../graph.ts';
import { sizeOf } from '../types.ts';
import { requireDType } from './common.ts';

export const notPrimitive: Primitive = {
  name: 'not',
  infer: ([x]) => {
    requireDType(x, ['bool'], 'operand');
    return [x];
  },
  reference: ([x]) => [(x.data as Uint8Array).map((value) => 1 - value)],
  flops: ([x]) => sizeOf(x.shape),
};

/** Logical negation of a bool tensor. */
export function not(x: Tensor): Tensor {
  return apply(notPrimitive, [x]).outputs[0];
}
