/** Pairs of linear primitives that are each other's adjoint, as programs of x and y giving A x and A* y. */

import type { NdArray, Shape, Tensor } from '../../src/tensor/index.ts';
import * as t from '../../src/tensor/index.ts';
import type { Case } from './case.ts';
import { CONVOLUTIONS, convolved } from './products.ts';
import { array, random } from './values.ts';

type Linear = (x: Tensor) => Tensor;

function pair(name: string, from: Shape, to: Shape, forward: Linear, adjoint: Linear): Case {
  return {
    name,
    inputs: [random('float32', from), random('float32', to)],
    program: (x, y) => [forward(x), adjoint(y)],
  };
}

const permutation = [2, 0, 3, 1];
const inverse = permutation.map((_, axis) => permutation.indexOf(axis));

function movements(): Case[] {
  const at = t.constant(array('int32', [2, 3], [0, 3, 3, 1, 0, 3]));
  const { cumsum, pad, reverse, sliceAxis, transpose } = t;
  return [
    pair(
      'gather and scatterAdd',
      [2, 4, 5],
      [2, 2, 3, 5],
      (x) => t.gather(x, at, 1),
      (y) => t.scatterAdd(y, at, 4, 1),
    ),
    pair(
      'broadcast and reduceSum',
      [3, 1],
      [2, 3, 4],
      (x) => t.broadcastTo(x, [2, 3, 4]),
      (y) => t.reshape(t.reduceSum(y, [0, 2]), [3, 1]),
    ),
    pair(
      'pad and slice',
      [2, 3],
      [5, 4],
      (x) => pad(x, [1, 0], [2, 1]),
      (y) => t.slice(y, [1, 0], [3, 3]),
    ),
    pair(
      'strided slice and pad of a spread',
      [7],
      [3],
      (x) => sliceAxis(x, 0, 1, 6, 2),
      (y) => pad(t.reshape(pad(t.reshape(y, [3, 1]), [0, 0], [0, 1]), [6]), [1], [0]),
    ),
    pair(
      'cumsum both ways',
      [3, 6],
      [3, 6],
      (x) => cumsum(x, 1, { exclusive: true }),
      (y) => cumsum(y, 1, { exclusive: true, reverse: true }),
    ),
    pair(
      'transpose',
      [2, 3, 4, 5],
      [4, 2, 5, 3],
      (x) => transpose(x, permutation),
      (y) => transpose(y, inverse),
    ),
    pair(
      'reverse',
      [3, 4],
      [3, 4],
      (x) => reverse(x, [0, 1]),
      (y) => reverse(y, [0, 1]),
    ),
  ];
}

/** For each geometry, the convolution is linear in its image and in its weight. */
function convolutions(): Case[] {
  return CONVOLUTIONS.filter(([x, w]) => ![...x, ...w].includes(0)).flatMap(([x, w, options]): Case[] => {
    const y = convolved(x, w, options);
    const weight = t.constant(random('float32', w));
    const image = t.constant(random('float32', x));
    // Rows that no window reaches: the transposed convolution has to be told of them.
    const bare = t.conv2dTranspose(t.input('y', t.f32(...y)), weight, options).shape;
    const extra = [x[2] - bare[2], x[3] - bare[3]] as const;
    const kernel = [w[2], w[3]] as const;
    return [
      pair(
        `conv2d [${x}] [${w}] and conv2dTranspose`,
        x,
        y,
        (v) => t.conv2d(v, weight, options),
        (v) => t.conv2dTranspose(v, weight, { ...options, extra }),
      ),
      pair(
        `conv2d [${x}] [${w}] and conv2dWeightGrad`,
        w,
        y,
        (v) => t.conv2d(image, v, options),
        (v) => t.conv2dWeightGrad(image, v, kernel, options),
      ),
    ];
  });
}

export function adjointPairs(): Case[] {
  return [...movements(), ...convolutions()];
}

/** How far <a, b> is from <c, d>, in parts of the sum of the products' magnitudes: sums may cancel. */
export function innerProductsApart(a: NdArray, b: NdArray, c: NdArray, d: NdArray): number {
  let [left, right, magnitude] = [0, 0, 0];
  for (let i = 0; i < a.data.length; i++) {
    left += a.data[i] * b.data[i];
    magnitude += Math.abs(a.data[i] * b.data[i]);
  }
  for (let i = 0; i < c.data.length; i++) right += c.data[i] * d.data[i];
  return Math.abs(left - right) / magnitude;
}
