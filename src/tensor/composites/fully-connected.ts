import type { Tensor } from '../graph.ts';
import { matmul } from '../primitives/matmul.ts';
import { mul } from '../primitives/mul.ts';
import { transpose } from '../primitives/transpose.ts';
import { type Activation, biasAct } from './activation.ts';

/** Fully connected layer with equalised learning rate: `act(x (weight m / sqrt(in))^T + bias m)`.
 *
 * Karras et al. 2018, section 4.1; spec page 2.2.
 *
 * @param x      [batch, in]
 * @param weight [out, in]
 * @param bias   [out] or undefined
 * @param m      learning-rate multiplier
 */
export function fullyConnected(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  options: { activation?: Activation; lrMultiplier?: number } = {},
): Tensor {
  const { activation = 'linear', lrMultiplier: m = 1 } = options;
  const scaled = mul(weight, m / Math.sqrt(weight.shape[1]));
  const y = matmul(x, transpose(scaled, [1, 0]));
  return biasAct(y, bias === undefined || m === 1 ? bias : mul(bias, m), { activation });
}
