/**
 * The blur of early training as a product with a matrix that is an input, so that a program does not change while
 * the blur fades. `gaussianBlur` of the tensor room is the same with its width built in (spec page 4.10).
 */

import { matmul, type NdArray, ndarray, type Tensor } from '../tensor/index.ts';

/** Whether a blur of that width does anything. */
export function isBlurred(sigma: number): boolean {
  return Math.floor(3 * sigma) > 0;
}

/** [size, size]: a line of pixels to the blurred one. Taps `2^-((k / sigma)^2)`, |k| <= floor(3 sigma), sum 1; zeros
 * outside, so rows near the border sum to less. Symmetric. */
export function blurMatrix(size: number, sigma: number): NdArray {
  const reach = Math.floor(3 * sigma);
  const taps = Array.from({ length: reach + 1 }, (_, k) => 2 ** -((k / sigma) ** 2));
  const total = taps.reduce((sum, tap, k) => sum + (k === 0 ? tap : 2 * tap), 0);
  const data = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = Math.max(i - reach, 0); j <= Math.min(i + reach, size - 1); j++)
      data[i * size + j] = taps[Math.abs(i - j)] / total;
  }
  return ndarray([size, size], data);
}

/** Blurs [N, C, S, S] by a matrix of {@link blurMatrix}. */
export function blurBy(x: Tensor, matrix: Tensor): Tensor {
  return matmul(matrix, matmul(x, matrix));
}
