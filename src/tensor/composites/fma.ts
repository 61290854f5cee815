import { fused } from '../fused.ts';
import type { Tensor } from '../graph.ts';
import { add } from '../primitives/add.ts';
import { broadcastTo } from '../primitives/broadcast.ts';
import { broadcastShapes } from '../primitives/common.ts';
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
 * error comes from Dekker's splitting, the sum's from Knuth's two-sum. Differentiated as what it stands for: the
 * splitting's own derivative is a difference of numbers 4097 times as large.
 */
export function fusedMultiplyAdd(a: Tensor, b: Tensor, c: Tensor): Tensor {
  const shape = broadcastShapes(broadcastShapes(a.shape, b.shape), c.shape);
  const whole = { a: broadcastTo(a, shape), b: broadcastTo(b, shape), c: broadcastTo(c, shape) };
  const define = (given: typeof whole) => ({ y: roundedOnce(given.a, given.b, given.c) });
  return fused('fusedMultiplyAdd', {}, whole, define, ({ inputs, cotangents: { y: g } }) => ({
    a: mul(g!, inputs.b),
    b: mul(g!, inputs.a),
    c: g!,
  }))[0];
}

function roundedOnce(a: Tensor, b: Tensor, c: Tensor): Tensor {
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
