/**
 * What an optimiser does to one weight, each a fused operation: sanitised gradients, Adam (Kingma and Ba 2015) and
 * averaged weights, in the published trainer's order of operations (spec pages 5.1 and 5.6).
 *
 * Not differentiated by anyone: whoever asks gets the definition's gradient.
 */

import { fused } from '../fused.ts';
import type { Tensor } from '../graph.ts';
import { abs } from '../primitives/abs.ts';
import { add } from '../primitives/add.ts';
import { cast } from '../primitives/cast.ts';
import { constant } from '../primitives/constant.ts';
import { div } from '../primitives/div.ts';
import { equal } from '../primitives/equal.ts';
import type { Operand } from '../primitives/lifting.ts';
import { mul } from '../primitives/mul.ts';
import { not } from '../primitives/not.ts';
import { or } from '../primitives/or.ts';
import { reduceSum } from '../primitives/reduce-sum.ts';
import { sign } from '../primitives/sign.ts';
import { sqrt } from '../primitives/sqrt.ts';
import { sub } from '../primitives/sub.ts';
import { where } from '../primitives/where.ts';

/** What infinite gradients become, with their sign. */
export const LARGEST_GRADIENT = 1e5;

const isInfinite = (x: Tensor): Tensor => equal(abs(x), Number.POSITIVE_INFINITY);

/** NaN to 0, infinities to +-1e5; what is finite stays, however large. */
function sanitised(gradient: Tensor): Tensor {
  const bounded = where(isInfinite(gradient), mul(sign(gradient), LARGEST_GRADIENT), gradient);
  return where(equal(gradient, gradient), bounded, 0);
}

export interface AdamState {
  readonly value: Tensor;
  /** Moments. */
  readonly first: Tensor;
  readonly second: Tensor;
}

export interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
}

/** One step of one weight. The gradient is sanitised first: NaN to 0, infinities to +-1e5.
 *
 * @param stepSize  scalar, `lr / (1 - beta1^t)`; the first step is t = 1.
 * @param root      scalar, `sqrt(1 - beta2^t)`.
 * @returns         the new state, the gradient as it was used, and how many of its numbers were not finite.
 */
export function adamStep(
  state: AdamState,
  gradient: Tensor,
  settings: AdamSettings,
  stepSize: Operand,
  root: Operand,
): AdamState & { readonly gradient: Tensor; readonly bad: Tensor } {
  const { beta1, beta2, eps } = settings;
  const scalar = (x: Operand): Tensor => (typeof x === 'number' ? constant(x) : x);
  const { value, first, second } = state;
  const given = { value, first, second, gradient, stepSize: scalar(stepSize), root: scalar(root) };
  const [newValue, newFirst, newSecond, used, bad] = fused(
    'adamStep',
    { beta1, beta2, eps },
    given,
    (now) => {
      const g = sanitised(now.gradient);
      const m = add(mul(now.first, beta1), mul(g, 1 - beta1));
      const v = add(mul(now.second, beta2), mul(mul(g, g), 1 - beta2));
      const spread = add(div(sqrt(v), now.root), eps);
      const isBad = or(isInfinite(now.gradient), not(equal(now.gradient, now.gradient)));
      return {
        value: sub(now.value, mul(now.stepSize, div(m, spread))),
        first: m,
        second: v,
        gradient: g,
        bad: reduceSum(cast(isBad, 'float32')),
      };
    },
  );
  return { value: newValue, first: newFirst, second: newSecond, gradient: used, bad };
}

/** An averaged weight after a step: `value + beta (average - value)`. */
export function emaStep(average: Tensor, value: Tensor, beta: Operand): Tensor {
  const given = { average, value, beta: typeof beta === 'number' ? constant(beta) : beta };
  return fused('emaStep', {}, given, (now) => ({
    average: add(now.value, mul(sub(now.average, now.value), now.beta)),
  }))[0];
}
