import { type FusedGradient, fused } from '../fused.ts';
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

/** The gradient of either softplus: the logistic function, also at 0, where the definition has a kink. */
const logistic: FusedGradient<'x'> = ({ inputs: { x }, cotangents: { y: g } }) => ({
  x: mul(g!, sigmoid(x)),
});

/** ln(1 + e^x) without overflow: max(x, 0) + ln(1 + e^-|x|). Right to one part in 2^24 of 1, so small results
 * have few digits; `softplusExact` keeps them. */
export function softplus(x: Tensor): Tensor {
  const define = (given: { x: Tensor }) => ({
    y: add(maximum(given.x, 0), log(add(exp(neg(abs(given.x))), 1))),
  });
  return fused('softplus', {}, { x }, define, logistic)[0];
}

/** ln(1 + e^x) with a small relative error wherever the result is small: densities of thin fog. */
export function softplusExact(x: Tensor): Tensor {
  const define = (given: { x: Tensor }) => ({ y: add(maximum(given.x, 0), log1p(exp(neg(abs(given.x))))) });
  return fused('softplusExact', {}, { x }, define, logistic)[0];
}

/** ln(1 + u) for u >= 0 with a small relative error: what rounding took from 1 + u is put back as a ratio
 * (Higham 2002, section 1.14.1). Differentiated as what it stands for: the ratio is 0 / 0 for the smallest u. */
export function log1p(u: Tensor): Tensor {
  const define = (given: { u: Tensor }) => {
    const w = add(given.u, 1);
    return { y: where(equal(w, 1), given.u, mul(log(w), div(given.u, sub(w, 1)))) };
  };
  return fused('log1p', {}, { u }, define, ({ inputs, cotangents: { y: g } }) => ({
    u: div(g!, add(inputs.u, 1)),
  }))[0];
}

/** 1 / (1 + e^-x), through tanh so that neither end overflows. */
export function sigmoid(x: Tensor): Tensor {
  return mul(add(tanh(mul(x, 0.5)), 1), 0.5);
}
