/**
 * The optimiser as a program: the fused operation `adamStep` for each parameter (spec page 5.1).
 *
 * A parameter without a gradient takes no part: neither it nor its moments move. That is not the same as a
 * gradient of zeros, which lets the moments decay.
 */

import { type Aval, adamStep, add, f32, type Graph, type Tensor, trace } from '../tensor/index.ts';
import type { AdamOptions } from './options.ts';

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
    const settings = { beta1: options.betas[0], beta2: options.betas[1], eps: options.eps };
    for (const name of shapes.keys()) {
      const of = (kind: string): Tensor => given[`${kind}/${name}`];
      const state = { value: of('value'), first: of('first'), second: of('second') };
      const stepped = adamStep(state, of('gradient'), settings, given.stepSize, given.root);
      for (const kind of ['value', 'first', 'second', 'gradient'] as const)
        outputs[`${kind}/${name}`] = stepped[kind];
      bad = bad === undefined ? stepped.bad : add(bad, stepped.bad);
    }
    return bad === undefined ? outputs : { ...outputs, bad };
  });
}
