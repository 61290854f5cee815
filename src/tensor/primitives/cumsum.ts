import { apply, type Primitive, type Tensor } from '../graph.ts';
import { sizeOf } from '../types.ts';
import { hostZeros, normalizeAxis, requireDType, splitAt } from './common.ts';

type CumsumAttrs = { axis: number; exclusive: boolean; reverse: boolean };

export const cumsumPrimitive: Primitive<CumsumAttrs> = {
  name: 'cumsum',
  infer: ([x], { axis }) => {
    requireDType(x, ['float32', 'int32'], 'operand');
    normalizeAxis(axis, x.shape.length);
    return [x];
  },
  reference: ([x], { axis, exclusive, reverse }, [output]) => {
    const out = hostZeros(output);
    const { outer, extent, inner } = splitAt(x.shape, axis);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let total = 0;
        for (let k = 0; k < extent; k++) {
          const at = (o * extent + (reverse ? extent - 1 - k : k)) * inner + i;
          if (exclusive) out[at] = total;
          total += x.data[at];
          if (!exclusive) out[at] = total;
        }
      }
    }
    return [out];
  },
  flops: ([x]) => sizeOf(x.shape),
};

/** Running sum along an axis; `exclusive` leaves the element itself out, `reverse` starts at the end. */
export function cumsum(
  x: Tensor,
  axis: number,
  options: { exclusive?: boolean; reverse?: boolean } = {},
): Tensor {
  return apply(cumsumPrimitive, [x], {
    axis: normalizeAxis(axis, x.shape.length),
    exclusive: options.exclusive ?? false,
    reverse: options.reverse ?? false,
  }).outputs[0];
}
