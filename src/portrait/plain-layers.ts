/**
 * Fully connected layers in plain code, rounded and summed as the original's library of linear algebra does on a
 * processor. Recorded poses are met to the last bit.
 *
 * Training needs a few small vectors so exactly: samples lie a decimetre and more from the faces that carry them, and
 * the importance pass amplifies what is left by a thousand. One unit in the last place of a pose moves some gradients by a
 * thousandth of their norm.
 */

import { blockOf } from '../body/index.ts';
import type { NdArray } from '../tensor/index.ts';

const { fround } = Math;

export interface PlainLayer {
  /** [out, in] and [out] */
  readonly weight: NdArray;
  readonly bias: NdArray;
  readonly lrMultiplier?: number;
  /** Leaky ReLU with its gain; otherwise linear. */
  readonly lrelu: boolean;
}

/** One vector through one layer. */
export function plainLayer(x: Float32Array, layer: PlainLayer): Float32Array {
  const { weight, bias, lrMultiplier = 1, lrelu } = layer;
  const [outputs, inputs] = weight.shape;
  const gain = fround(lrMultiplier / Math.sqrt(inputs));
  const row = new Float32Array(inputs);
  return Float32Array.from({ length: outputs }, (_, o) => {
    for (let i = 0; i < inputs; i++) row[i] = weight.data[o * inputs + i] * gain;
    // Four rows at a time are summed in order; those left over in two lanes.
    const lanes = o < outputs - (outputs % 4) ? 1 : 2;
    const y = fround(product(x, row, lanes) + fround(bias.data[o] * fround(lrMultiplier)));
    return lrelu ? fround(y >= 0 ? y : fround(y * fround(0.2))) * fround(Math.SQRT2) : y;
  });
}

/** Inner product in blocks, within them in so many lanes. */
function product(x: Float32Array, row: Float32Array, lanes: 1 | 2): number {
  let total = 0;
  for (let from = 0, to = 0; from < x.length; from = to) {
    to = from + blockOf(x.length - from);
    let even = 0;
    let odd = 0;
    for (let i = from; i < to; i++) {
      const term = fround(x[i] * row[i]);
      if (lanes === 2 && (i - from) % 2 === 1) odd = fround(odd + term);
      else even = fround(even + term);
    }
    total = fround(total + fround(even + odd));
  }
  return total;
}

/** A vector divided by its root mean square; squares are summed in eight lanes. */
export function plainNormalize(x: Float32Array): Float32Array {
  const lanes = new Float32Array(8);
  const whole = x.length - (x.length % 8);
  for (let i = 0; i < whole; i++) lanes[i % 8] += fround(x[i] * x[i]);
  let sum = 0;
  for (let i = whole; i < x.length; i++) sum = fround(sum + fround(x[i] * x[i]));
  for (const lane of lanes) sum = fround(sum + lane);
  const mean = fround(sum / x.length);
  const inverse = fround(1 / fround(Math.sqrt(fround(mean + 1e-8))));
  return x.map((value) => value * inverse);
}
