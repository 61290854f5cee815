import type { Tensor } from '../graph.ts';
import { abs } from '../primitives/abs.ts';
import { add } from '../primitives/add.ts';
import { div } from '../primitives/div.ts';
import { equal } from '../primitives/equal.ts';
import { exp } from '../primitives/exp.ts';
import { log } from '../primitives/log.ts';
import { maximum } from '../primitives/maximum.ts';
import { mul } from '../primitives/mul.ts';
import { neg } from '../primitives/neg.ts';
import { sub } from '../primitives/sub.ts';
import { tanh } from '../primitives/tanh.ts';
import { where } from '../primitives/where.ts';

/** ln(1 + e^x) without overflow: max(x, 0) + ln(1 + e^-|x|). Right to one part in 2^24 of 1, so small results
 * have few digits; `softplusExact` keeps them. */
export function softplus(x: Tensor): Tensor {
  return add(maximum(x, 0), log(add(exp(neg(abs(x))), 1)));
}

/** ln(1 + e^x) with a small relative error wherever the result is small: densities of thin fog. */
export function softplusExact(x: Tensor): Tensor {
  return add(maximum(x, 0), log1p(exp(neg(abs(x)))));
}

/** ln(1 + u) for u >= 0 with a small relative error: what rounding took from 1 + u is put back as a ratio
 * (Higham 2002, section 1.14.1). */
export function log1p(u: Tensor): Tensor {
  const w = add(u, 1);
  return where(equal(w, 1), u, mul(log(w), div(u, sub(w, 1))));
}

/** 1 / (1 + e^-x), through tanh so that neither end overflows. */
export function sigmoid(x: Tensor): Tensor {
  return mul(add(tanh(mul(x, 0.5)), 1), 0.5);
}
