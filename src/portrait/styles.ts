/** Arithmetic on styles [N, numWs, wDim]: mixing by rows and interpolation. */

import { ShapeError } from '../errors.ts';
import { type NdArray, ndarray, sameShape } from '../tensor/index.ts';

function requireAlike(a: NdArray, b: NdArray): void {
  if (!sameShape(a.shape, b.shape))
    throw new ShapeError(
      `styles of shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}] do not combine`,
    );
}

/** `a` with rows `first` to `last`, both included, taken from `b`. */
export function mixStyles(a: NdArray, b: NdArray, first: number, last: number): NdArray {
  requireAlike(a, b);
  const [batch, rows, width] = a.shape;
  const data = Float32Array.from(a.data);
  for (let n = 0; n < batch; n++) {
    const [from, to] = [(n * rows + first) * width, (n * rows + Math.min(last + 1, rows)) * width];
    data.set(b.data.subarray(from, to), from);
  }
  return ndarray(a.shape, data);
}

/** The point at `t` on the line from `a` (0) to `b` (1). */
export function interpolateStyles(a: NdArray, b: NdArray, t: number): NdArray {
  requireAlike(a, b);
  return ndarray(
    a.shape,
    Float32Array.from(a.data, (value, i) => value + t * (b.data[i] - value)),
  );
}
