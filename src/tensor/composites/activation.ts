/** Bias, activation, gain and clamp in the order every layer uses them (spec: page 2.2). */

import type { Tensor } from '../graph.ts';
import { add } from '../primitives/add.ts';
import { exp } from '../primitives/exp.ts';
import { less } from '../primitives/less.ts';
import { maximum } from '../primitives/maximum.ts';
import { minimum } from '../primitives/minimum.ts';
import { mul } from '../primitives/mul.ts';
import { reshape } from '../primitives/reshape.ts';
import { sub } from '../primitives/sub.ts';
import { tanh } from '../primitives/tanh.ts';
import { where } from '../primitives/where.ts';
import { sigmoid, softplus } from './softplus.ts';

export const LRELU_SLOPE = 0.2;

/** The published scale and shift of the self-normalising activation (Klambauer et al. 2017, equation 14). */
const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

const elu = (x: Tensor): Tensor => where(less(x, 0), sub(exp(minimum(x, 0)), 1), x);

const ACTIVATIONS = {
  linear: { gain: 1, apply: (x: Tensor) => x },
  relu: { gain: Math.SQRT2, apply: (x: Tensor) => maximum(x, 0) },
  lrelu: { gain: Math.SQRT2, apply: (x: Tensor, slope: number = LRELU_SLOPE) => maximum(x, mul(x, slope)) },
  tanh: { gain: 1, apply: (x: Tensor) => tanh(x) },
  sigmoid: { gain: 1, apply: (x: Tensor) => sigmoid(x) },
  elu: { gain: 1, apply: (x: Tensor) => elu(x) },
  selu: {
    gain: 1,
    apply: (x: Tensor) => mul(where(less(x, 0), mul(elu(minimum(x, 0)), SELU_ALPHA), x), SELU_SCALE),
  },
  softplus: { gain: 1, apply: (x: Tensor) => softplus(x) },
  swish: { gain: Math.SQRT2, apply: (x: Tensor) => mul(x, sigmoid(x)) },
} as const;

export type Activation = keyof typeof ACTIVATIONS;

/** Names of all activations. */
export const ACTIVATION_NAMES = Object.keys(ACTIVATIONS) as Activation[];

/** The gain an activation brings with it when none is given. */
export function defaultGain(activation: Activation): number {
  return ACTIVATIONS[activation].gain;
}

export interface BiasActOptions {
  readonly activation?: Activation;
  /** Factor after the activation; the activation's own default when left out. */
  readonly gain?: number;
  /** Slope below 0 of the leaky ReLU. */
  readonly slope?: number;
  /** Bound on the absolute value after the gain. */
  readonly clamp?: number | undefined;
  /** Axis that the bias runs along; 1 when left out. */
  readonly axis?: number;
}

/** `clamp(act(x + bias) * gain, -clamp, clamp)`.
 *
 * @param bias [extent of `axis`], or undefined for none.
 */
export function biasAct(x: Tensor, bias: Tensor | undefined, options: BiasActOptions = {}): Tensor {
  const { activation = 'linear', clamp, axis = 1 } = options;
  const gain = options.gain ?? defaultGain(activation);
  let y = x;
  if (bias !== undefined) {
    y = add(
      y,
      reshape(
        bias,
        x.shape.map((_, i) => (i === axis ? bias.shape[0] : 1)),
      ),
    );
  }
  y = ACTIVATIONS[activation].apply(y, options.slope);
  if (gain !== 1) y = mul(y, gain);
  return clamp === undefined ? y : clampAbs(y, clamp);
}

/** Bounds to [-limit, limit]. At the bounds themselves the gradient still passes: `x` is the second operand. */
export function clampAbs(x: Tensor, limit: number): Tensor {
  return maximum(-limit, minimum(limit, x));
}
