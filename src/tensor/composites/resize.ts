/** Bilinear resizing as one matrix an axis (spec pages 2.11 and 4.4). */

import type { Tensor } from '../graph.ts';
import { add } from '../primitives/add.ts';
import { constant } from '../primitives/constant.ts';
import { matmul } from '../primitives/matmul.ts';
import { mul } from '../primitives/mul.ts';
import { transpose } from '../primitives/transpose.ts';
import { type NdArray, ndarray } from '../types.ts';

/** Weights [outSize, inSize] of a bilinear resize with half-pixel centres.
 *
 * With `antialias` the triangle widens by the shrink factor and is renormalised at the border; without, taps
 * beyond the border repeat the border. Both agree when enlarging.
 */
export function resizeMatrix(inSize: number, outSize: number, antialias: boolean): NdArray {
  const data = new Float32Array(outSize * inSize);
  const scale = inSize / outSize;
  for (let o = 0; o < outSize; o++) {
    const row = data.subarray(o * inSize, (o + 1) * inSize);
    if (antialias) triangleRow(row, scale * (o + 0.5), Math.max(scale, 1));
    else linearRow(row, Math.max(scale * (o + 0.5) - 0.5, 0));
  }
  return ndarray([outSize, inSize], data);
}

function triangleRow(row: Float32Array, centre: number, reach: number): void {
  const low = Math.max(Math.trunc(centre - reach + 0.5), 0);
  const high = Math.min(Math.trunc(centre + reach + 0.5), row.length);
  let total = 0;
  for (let i = low; i < high; i++) total += Math.max(0, 1 - Math.abs(i - centre + 0.5) / reach);
  for (let i = low; i < high; i++) row[i] = Math.max(0, 1 - Math.abs(i - centre + 0.5) / reach) / total;
}

function linearRow(row: Float32Array, position: number): void {
  const low = Math.min(Math.floor(position), row.length - 1);
  const high = Math.min(low + 1, row.length - 1);
  const fraction = position - low;
  row[low] += 1 - fraction;
  row[high] += fraction;
}

/** Bilinear resize of [N, C, H, W]; nothing to do is no work. */
export function resizeBilinear(x: Tensor, height: number, width: number, antialias: boolean): Tensor {
  let y = x;
  if (width !== x.shape[3])
    y = matmul(y, transpose(constant(resizeMatrix(x.shape[3], width, antialias)), [1, 0]));
  if (height !== x.shape[2]) y = matmul(constant(resizeMatrix(x.shape[2], height, antialias)), y);
  return y;
}

/** The resize of what a discriminator sees: a number m is `(1 - m) plain + m antialiased`. */
export function filteredResize(x: Tensor, size: number, mode: 'antialiased' | 'none' | number): Tensor {
  if (mode === 'antialiased') return resizeBilinear(x, size, size, true);
  if (mode === 'none') return resizeBilinear(x, size, size, false);
  return add(
    mul(resizeBilinear(x, size, size, false), 1 - mode),
    mul(resizeBilinear(x, size, size, true), mode),
  );
}
