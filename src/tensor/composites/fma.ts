import type { Tensor } from '../graph.ts';
import { add } from '../primitives/add.ts';
import { mul } from '../primitives/mul.ts';
import { sub } from '../primitives/sub.ts';

/** 2^12 + 1: splits a single-precision number into two of 12 bits. */
const SPLITTER = 4097;

/** The two halves of a number: their sum is exact, and products of halves are too (Dekker 1971). */
function split(x: Tensor): [Tensor, Tensor] {
  const scaled = mul(x, SPLITTER);
  const high = sub(scaled, sub(scaled, x));
  return [high, sub(x, high)];
}

/** `a * b + c` with a single rounding, in single-precision primitives: what a fused multiply-add gives.
 *
 * For places where recorded numbers of a fused program must be met to the last bit; the product's rounding
 * error comes from Dekker's splitting, the sum's from Knuth's two-sum.
 */
export function fusedMultiplyAdd(a: Tensor, b: Tensor, c: Tensor): Tensor {
  const product = mul(a, b);
  const [aHigh, aLow] = split(a);
  const [bHigh, bLow] = split(b);
  const cross = add(mul(aHigh, bLow), mul(aLow, bHigh));
  const productError = add(add(sub(mul(aHigh, bHigh), product), cross), mul(aLow, bLow));
  const sum = add(product, c);
  const part = sub(sum, product);
  const sumError = add(sub(product, sub(sum, part)), sub(c, part));
  return add(sum, add(productError, sumError));
}
