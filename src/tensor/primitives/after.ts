import { apply, type Primitive, type Tensor } from '../graph.ts';

/** The first input, once the second is known. Two such nodes are the same only if both inputs are. */
export const afterPrimitive: Primitive = {
  name: 'after',
  infer: ([x]) => [x],
  reference: ([x]) => [x.data],
  flops: () => 0,
};

/** The same values, not available before `y`: what is computed from them is computed late, and apart from what
 * is computed from `x` itself. Rematerialisation rests on it.
 */
export function after(x: Tensor, y: Tensor): Tensor {
  return apply(afterPrimitive, [x, y]).outputs[0];
}
