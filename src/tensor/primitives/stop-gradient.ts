import { apply, type Primitive, type Tensor } from '../graph.ts';

export const stopGradientPrimitive: Primitive = {
  name: 'stopGradient',
  infer: ([x]) => [x],
  reference: ([x]) => [x.data],
  flops: () => 0,
};

/** The same values, through which no gradient flows: what it depends on counts as given. */
export function stopGradient(x: Tensor): Tensor {
  return apply(stopGradientPrimitive, [x]).outputs[0];
}
