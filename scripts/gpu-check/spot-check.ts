/** A few elements of large products and convolutions by plain sums in double precision: kernels choose other ways at
 * other sizes, and tables of tests are small. */

import { type NdArray, type Shape, sizeOf } from '../../src/tensor/index.ts';
import type { Operation } from './operations.ts';

const SPOTS = 24;

/** What an operation was computed from: `x`, `w` and `dy` as far as its pass reads them. */
export type Operands = Readonly<Partial<Record<'x' | 'w' | 'dy', NdArray>>>;

/** Largest error of some elements, in units of the largest of them.
 *
 * @param dy shape of the operation's own result
 */
export function spotError(op: Operation, operands: Operands, dy: Shape, found: NdArray): number {
  const size = sizeOf(found.shape);
  let [worst, largest] = [0, 1e-30];
  for (let spot = 0; spot < SPOTS; spot++) {
    // Corners, and places all over that no tile divides.
    const at = spot === 0 ? 0 : spot === 1 ? size - 1 : (spot * 2_654_435_761) % size;
    const expected = element(op, operands, dy, at);
    largest = Math.max(largest, Math.abs(expected));
    const apart = Math.abs(found.data[at] - expected);
    worst = Math.max(worst, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
  }
  return worst / largest;
}

function element(op: Operation, operands: Operands, dy: Shape, at: number): number {
  if (op.kind === 'matmul') return productElement(op, operands, at);
  return op.kind === 'conv'
    ? convolutionElement(op, op.pass, op.x, dy, operands, at)
    : transposedElement(op, operands, dy, at);
}

function productElement({ x, w, pass }: Operation, operands: Operands, at: number): number {
  const [m, k, n] = [x[0], x[1], w[1]];
  const [a, b, d] = [operands.x?.data, operands.w?.data, operands.dy?.data];
  let sum = 0;
  if (pass === 'forward') {
    const [i, j] = [Math.floor(at / n), at % n];
    for (let l = 0; l < k; l++) sum += a![i * k + l] * b![l * n + j];
  } else if (pass === 'input gradient') {
    const [i, l] = [Math.floor(at / k), at % k];
    for (let j = 0; j < n; j++) sum += d![i * n + j] * b![l * n + j];
  } else {
    const [l, j] = [Math.floor(at / n), at % n];
    for (let i = 0; i < m; i++) sum += a![i * k + l] * d![i * n + j];
  }
  return sum;
}

/** One element of `y = conv(x, w)` or its gradients: the terms `y[n, o, yi, yj] += x[n, c, i, j] w[o, c, u, v]` that
 * it takes part in, summed.
 *
 * @param x and y shapes of image and result
 */
function convolutionElement(
  { w, stride, padding: [top, left] }: Pick<Operation, 'w' | 'stride' | 'padding'>,
  pass: Operation['pass'],
  x: Shape,
  y: Shape,
  operands: Operands,
  at: number,
): number {
  const [outs, channels, kh, kw] = w;
  const [a, b, d] = [operands.x?.data, operands.w?.data, operands.dy?.data];
  const image = (n: number, c: number, i: number, j: number): number =>
    i < 0 || j < 0 || i >= x[2] || j >= x[3] ? 0 : a![((n * channels + c) * x[2] + i) * x[3] + j];
  const result = (n: number, o: number, i: number, j: number): number =>
    d![((n * outs + o) * y[2] + i) * y[3] + j];
  const weight = (o: number, c: number, u: number, v: number): number =>
    b![((o * channels + c) * kh + u) * kw + v];
  let sum = 0;
  if (pass === 'forward') {
    const [n, o, i, j] = indicesOf(at, y);
    for (let c = 0; c < channels; c++)
      for (let u = 0; u < kh; u++)
        for (let v = 0; v < kw; v++)
          sum += image(n, c, i * stride + u - top, j * stride + v - left) * weight(o, c, u, v);
  } else if (pass === 'input gradient') {
    const [n, c, i, j] = indicesOf(at, x);
    for (let u = 0; u < kh; u++) {
      for (let v = 0; v < kw; v++) {
        const [yi, yj] = [(i + top - u) / stride, (j + left - v) / stride];
        const inside = Number.isInteger(yi) && Number.isInteger(yj) && yi >= 0 && yj >= 0;
        if (!inside || yi >= y[2] || yj >= y[3]) continue;
        for (let o = 0; o < outs; o++) sum += result(n, o, yi, yj) * weight(o, c, u, v);
      }
    }
  } else {
    const [o, c, u, v] = indicesOf(at, w);
    for (let n = 0; n < y[0]; n++)
      for (let i = 0; i < y[2]; i++)
        for (let j = 0; j < y[3]; j++)
          sum += result(n, o, i, j) * image(n, c, i * stride + u - top, j * stride + v - left);
  }
  return sum;
}

/** A transposed convolution is the gradient of a convolution in its image, and so on. */
function transposedElement(op: Operation, { x, w, dy }: Operands, y: Shape, at: number): number {
  const swapped: Operands = { ...(x && { dy: x }), ...(w && { w }), ...(dy && { x: dy }) };
  const pass = { forward: 'input gradient', 'input gradient': 'forward' } as const;
  const given = op.pass === 'weight gradient' ? op.pass : pass[op.pass];
  return convolutionElement(op, given, y, op.x, swapped, at);
}

function indicesOf(at: number, shape: Shape): number[] {
  const indices: number[] = [];
  let rest = at;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    indices.unshift(rest % shape[axis]);
    rest = Math.floor(rest / shape[axis]);
  }
  return indices;
}
