/**
 * The optimiser's arithmetic: sanitised gradients, Adam (Kingma and Ba 2015) and averaged weights, in the order of
 * operations of the published trainer (spec pages 5.1 and 5.6).
 *
 * A parameter without a gradient takes no part: neither it nor its moments move. That is not the same as a
 * gradient of zeros, which lets the moments decay.
 */

import {
  type Aval,
  add,
  cast,
  div,
  equal,
  f32,
  type Graph,
  mul,
  not,
  or,
  reduceSum,
  sqrt,
  sub,
  type Tensor,
  trace,
  where,
} from '../tensor/index.ts';
import type { AdamOptions } from './options.ts';

/** What infinite gradients become. */
export const LARGEST_GRADIENT = 1e5;

/** NaN to 0, infinities to +-1e5; what is finite stays, however large. */
export function sanitise(gradient: Tensor): Tensor {
  const { POSITIVE_INFINITY: up, NEGATIVE_INFINITY: down } = Number;
  const bounded = where(
    equal(gradient, up),
    LARGEST_GRADIENT,
    where(equal(gradient, down), -LARGEST_GRADIENT, gradient),
  );
  return where(equal(gradient, gradient), bounded, 0);
}

/** How many numbers of a gradient {@link sanitise} replaces: a scalar. */
export function countBad(gradient: Tensor): Tensor {
  const infinite = or(equal(gradient, Number.POSITIVE_INFINITY), equal(gradient, Number.NEGATIVE_INFINITY));
  return reduceSum(cast(or(infinite, not(equal(gradient, gradient))), 'float32'));
}

/** A parameter with its moments. */
export interface AdamState {
  readonly value: Tensor;
  readonly first: Tensor;
  readonly second: Tensor;
}

/** What depends on the number of steps a parameter has taken, this one included: first step is 1. */
export interface AdamCorrections {
  /** `lr / (1 - beta1^t)` */
  readonly stepSize: number;
  /** `sqrt(1 - beta2^t)` */
  readonly root: number;
}

export function adamCorrections({ lr, betas }: AdamOptions, step: number): AdamCorrections {
  return { stepSize: lr / (1 - betas[0] ** step), root: Math.sqrt(1 - betas[1] ** step) };
}

/** One step of one parameter. */
export function adam(
  { value, first, second }: AdamState,
  gradient: Tensor,
  { betas: [beta1, beta2], eps }: AdamOptions,
  corrections: { readonly stepSize: Tensor | number; readonly root: Tensor | number },
): AdamState {
  const m = add(mul(first, beta1), mul(gradient, 1 - beta1));
  const v = add(mul(second, beta2), mul(mul(gradient, gradient), 1 - beta2));
  const spread = add(div(sqrt(v), corrections.root), eps);
  return { value: sub(value, mul(corrections.stepSize, div(m, spread))), first: m, second: v };
}

/** A program that steps parameters together.
 *
 * Inputs: `value/NAME`, `first/NAME`, `second/NAME`, `gradient/NAME` of each, and the scalars `stepSize` and `root`
 * of {@link AdamCorrections}. Outputs: `value/NAME`, `first/NAME`, `second/NAME`, the sanitised `gradient/NAME`, and
 * `bad`: how many numbers of the gradients were not finite.
 *
 * @param shapes of the parameters that have a gradient, by name
 */
export function adamGraph(shapes: ReadonlyMap<string, Aval>, options: AdamOptions): Graph {
  const inputs: Record<string, Aval> = { stepSize: f32(), root: f32() };
  for (const [name, aval] of shapes) {
    for (const kind of ['value', 'first', 'second', 'gradient']) inputs[`${kind}/${name}`] = aval;
  }
  return trace('adam', inputs, (given) => {
    const outputs: Record<string, Tensor> = {};
    let bad: Tensor | undefined;
    for (const name of shapes.keys()) {
      const of = (kind: string): Tensor => given[`${kind}/${name}`];
      const gradient = sanitise(of('gradient'));
      const state = { value: of('value'), first: of('first'), second: of('second') };
      for (const [kind, tensor] of Object.entries(adam(state, gradient, options, given as never)))
        outputs[`${kind}/${name}`] = tensor;
      outputs[`gradient/${name}`] = gradient;
      const own = countBad(of('gradient'));
      bad = bad === undefined ? own : add(bad, own);
    }
    return bad === undefined ? outputs : { ...outputs, bad };
  });
}

/** An averaged weight after a step: `p + beta (ema - p)`. Buffers are copied instead. */
export function averaged(ema: Tensor, value: Tensor, beta: Tensor | number): Tensor {
  return add(value, mul(sub(ema, value), beta));
}
