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

/** A program that steps parameters together, in groups that share their corrections.
 *
 * Inputs: `value/NAME`, `first/NAME`, `second/NAME`, `gradient/NAME` of each, and the scalars `stepSize/K` and `root/K` of
 * {@link AdamCorrections} for group K. Outputs: `value/NAME`, `first/NAME`, `second/NAME`, the sanitised `gradient/NAME`
 * if it is asked for, and `bad`: how many numbers of the gradients were not finite.
 *
 * @param groups shapes of the parameters that have a gradient, by name
 */
export function adamGraph(
  groups: readonly ReadonlyMap<string, Aval>[],
  options: Pick<AdamOptions, 'betas' | 'eps'>,
  withGradients: boolean,
): Graph {
  const inputs: Record<string, Aval> = {};
  groups.forEach((shapes, k) => {
    inputs[`stepSize/${k}`] = f32();
    inputs[`root/${k}`] = f32();
    for (const [name, { dtype, shape }] of shapes)
      for (const kind of ['value', 'first', 'second', 'gradient'])
        inputs[`${kind}/${name}`] = { dtype, shape };
  });
  const settings = { beta1: options.betas[0], beta2: options.betas[1], eps: options.eps };
  const kinds = ['value', 'first', 'second', ...(withGradients ? (['gradient'] as const) : [])] as const;
  return trace('adam', inputs, (given) => {
    const outputs: Record<string, Tensor> = {};
    const bad: Tensor[] = [];
    groups.forEach((shapes, k) => {
      for (const name of shapes.keys()) {
        const of = (kind: string): Tensor => given[`${kind}/${name}`];
        const state = { value: of('value'), first: of('first'), second: of('second') };
        const stepped = adamStep(state, of('gradient'), settings, given[`stepSize/${k}`], given[`root/${k}`]);
        for (const kind of kinds) outputs[`${kind}/${name}`] = stepped[kind];
        bad.push(stepped.bad);
      }
    });
    return { ...outputs, bad: bad.reduce((sum, count) => add(sum, count)) };
  });
}
