import type { Tensor } from '../graph.ts';
import { abs } from '../primitives/abs.ts';
import { add } from '../primitives/add.ts';
import { exp } from '../primitives/exp.ts';
import { log } from '../primitives/log.ts';
import { maximum } from '../primitives/maximum.ts';
import { mul } from '../primitives/mul.ts';
import { neg } from '../primitives/neg.ts';
import { tanh } from '../primitives/tanh.ts';

/** ln(1 + e^x) without overflow: max(x, 0) + ln(1 + e^-|x|). */
export function softplus(x: Tensor): Tensor {
  return add(maximum(x, 0), log(add(exp(neg(abs(x))), 1)));
}

/** 1 / (1 + e^-x), through tanh so that neither end overflows. */
export function sigmoid(x: Tensor): Tensor {
  return mul(add(tanh(mul(x, 0.5)), 1), 0.5);
}
