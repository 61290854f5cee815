/** Bias, activation, gain and clamp in the order every layer uses them (spec: page 2.2). */

import { fused } from '../fused.ts';
import type { Tensor } from '../graph.ts';
import { abs } from '../primitives/abs.ts';
import { add } from '../primitives/add.ts';
import { broadcastTo } from '../primitives/broadcast.ts';
import { exp } from '../primitives/exp.ts';
import { less } from '../primitives/less.ts';
import { lessEqual } from '../primitives/less-equal.ts';
import { maximum } from '../primitives/maximum.ts';
import { minimum } from '../primitives/minimum.ts';
import { mul } from '../primitives/mul.ts';
import { reduceSum } from '../primitives/reduce-sum.ts';
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

/** `clamp(act(x + bias) * gain, -clamp, clamp)`. The piecewise linear activations are a fused operation.
 *
 * @param bias [extent of `axis`], or undefined for none.
 */
export function biasAct(x: Tensor, bias: Tensor | undefined, options: BiasActOptions = {}): Tensor {
  const { activation = 'linear', clamp, axis = 1, slope = LRELU_SLOPE } = options;
  const gain = options.gain ?? defaultGain(activation);
  const define = (given: { readonly x: Tensor; readonly bias?: Tensor }): Tensor => {
    let y = given.bias === undefined ? given.x : add(given.x, alongAxis(given.bias, x.shape.length, axis));
    y = ACTIVATIONS[activation].apply(y, slope);
    if (gain !== 1) y = mul(y, gain);
    return clamp === undefined ? y : clampAbs(y, clamp);
  };
  const isPlain = activation === 'linear' && clamp === undefined;
  const isBent = activation === 'lrelu' && slope > 0 && slope <= 1 && gain > 0;
  if (isPlain || !(isBent || activation === 'linear'))
    return define(bias === undefined ? { x } : { x, bias });
  const bend = { slope: activation === 'linear' ? 1 : slope, gain, clamp: clamp ?? 0, axis };
  const inputs = { x, ...(bias === undefined ? {} : { bias }) } as { x: Tensor; bias: Tensor };
  return fused(
    'biasAct',
    bend,
    inputs,
    (given) => ({ y: define(given) }),
    ({ outputs: { y }, cotangents }) => biasActGrad(cotangents.y!, y, bend, bias !== undefined),
  )[0];
}

/** A piecewise linear activation. */
export interface Bend {
  readonly [name: string]: number;
  readonly slope: number;
  readonly gain: number;
  /** 0 for none. */
  readonly clamp: number;
  readonly axis: number;
}

function alongAxis(bias: Tensor, rank: number, axis: number): Tensor {
  return reshape(
    bias,
    Array.from({ length: rank }, (_, i) => (i === axis ? bias.shape[0] : 1)),
  );
}

/** Cotangents of `biasAct`'s inputs from its result, whose sign and size tell which piece it lies on. At the bounds
 * themselves they are 0. Linear in g, with its own gradient by the same operation.
 */
export function biasActGrad(
  g: Tensor,
  y: Tensor,
  bend: Bend,
  hasBias: boolean,
): { x: Tensor; bias?: Tensor } {
  const { slope, gain, clamp, axis } = bend;
  const others = y.shape.flatMap((_, i) => (i === axis ? [] : [i]));
  const results = fused(
    'biasActGrad',
    { ...bend, bias: hasBias },
    { g, y },
    (given) => {
      const bent = mul(slope === 1 ? given.g : where(less(0, given.y), given.g, mul(given.g, slope)), gain);
      const x = clamp === 0 ? bent : where(lessEqual(clamp, abs(given.y)), 0, bent);
      return { x, ...(hasBias ? { bias: reduceSum(x, others) } : {}) };
    },
    ({ inputs, cotangents: { x, bias } }) => {
      const whole =
        bias === undefined ? undefined : broadcastTo(alongAxis(bias, y.shape.length, axis), y.shape);
      const total = x === undefined ? whole : whole === undefined ? x : add(x, whole);
      return { g: biasActGrad(total!, inputs.y, bend, false).x };
    },
  );
  return { x: results[0], ...(hasBias ? { bias: results[1] } : {}) };
}

/** Bounds to [-limit, limit]. At the bounds themselves the gradient still passes: `x` is the second operand. */
export function clampAbs(x: Tensor, limit: number): Tensor {
  return maximum(-limit, minimum(limit, x));
}
