/** One backward pass of a phase: a scalar loss with its gradients in the weights of one network. */

import { GradientError } from '../errors.ts';
import { type ParameterShapes, type Parameters, parametersOf } from '../portrait/parameters.ts';
import { type Aval, type Graph, grad, type Tensor, trace } from '../tensor/index.ts';
import type { Statistics } from './statistics.ts';

/** A network in training. */
export interface TrainedNetwork {
  readonly shapes: ParameterShapes;
  /** The parameters that are optimised, in registration order. */
  readonly trainable: readonly string[];
}

export interface LossResult {
  /** Scalar, gain included. */
  readonly loss: Tensor;
  readonly statistics: Statistics;
  /** Other outputs of the program, under names of their own. */
  readonly others?: Readonly<Record<string, Tensor>>;
}

/** Names of weights in programs of two networks: `G.` and `D.` before their own. */
export const LABELS = { G: 'G.', D: 'D.' } as const;

/** Outputs of a backward program: `loss`, `grad/NAME` of each weight that has a gradient, `stat/NAME`, and others.
 *
 * @param label   of the trained network's weights
 * @param program from the inputs and the trained network's weights to its loss
 * @throws GradientError when the loss depends on none of the weights, or the network has none to train.
 */
export function backwardGraph(
  name: string,
  label: (typeof LABELS)[keyof typeof LABELS],
  network: TrainedNetwork,
  inputs: Readonly<Record<string, Aval>>,
  program: (p: Parameters, given: Readonly<Record<string, Tensor>>) => LossResult,
): Graph {
  if (network.trainable.length === 0)
    throw new GradientError(`${name}: the network has no parameters to train`);
  return trace(name, inputs, (given) => {
    const p = parametersOf(network.shapes, label);
    const { loss, statistics, others = {} } = program(p, given);
    const { trainable } = network;
    const gradients = grad(
      loss,
      trainable.map((weight) => p.get(weight)),
    );
    const outputs: Record<string, Tensor> = { loss, ...others };
    trainable.forEach((weight, i) => {
      const gradient = gradients[i];
      if (gradient !== undefined) outputs[`grad/${weight}`] = gradient;
    });
    if (gradients.every((gradient) => gradient === undefined))
      throw new GradientError(`${name}: the loss depends on none of the ${trainable.length} parameters`);
    for (const [key, value] of Object.entries(statistics)) outputs[`stat/${key}`] = value;
    return outputs;
  });
}
