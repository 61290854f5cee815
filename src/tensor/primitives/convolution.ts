/** What the three convolution primitives share: attributes, output sizes and the loop over taps. */

import { ShapeError } from '../../errors.ts';
import type { Aval } from '../types.ts';
import { requireDType, requireRank } from './common.ts';

/** Options of a 2-D convolution; rows first, columns second. */
export type ConvolutionAttrs = {
  readonly stride: readonly [number, number];
  /** Zeros added before and after: [[top, bottom], [left, right]]. */
  readonly padding: readonly [readonly [number, number], readonly [number, number]];
  readonly dilation: readonly [number, number];
  readonly groups: number;
};

/** What callers may leave out. */
export interface ConvolutionOptions {
  /** One number, or rows and columns. */
  stride?: number | readonly [number, number];
  /** One number for all four sides, or [[top, bottom], [left, right]]. */
  padding?: number | ConvolutionAttrs['padding'];
  dilation?: number;
  groups?: number;
}

export function convolutionAttrs(options: ConvolutionOptions): ConvolutionAttrs {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  const sides: ConvolutionAttrs['padding'] =
    typeof padding === 'number'
      ? [
          [padding, padding],
          [padding, padding],
        ]
      : padding;
  return {
    stride: typeof stride === 'number' ? [stride, stride] : stride,
    padding: sides,
    dilation: [dilation, dilation],
    groups,
  };
}

export function requireImages(x: Aval, role: string): void {
  requireDType(x, ['float32'], role);
  requireRank(x, 4, role);
}

/** Rows and columns after a strided convolution. */
export function convolvedSize(
  input: readonly number[],
  kernel: readonly number[],
  attrs: ConvolutionAttrs,
): [number, number] {
  const side = (axis: 0 | 1): number => {
    const padded = input[axis] + attrs.padding[axis][0] + attrs.padding[axis][1];
    const reach = attrs.dilation[axis] * (kernel[axis] - 1) + 1;
    const size = Math.floor((padded - reach) / attrs.stride[axis]) + 1;
    if (size < 0 || padded < reach)
      throw new ShapeError(
        `a kernel reaching ${reach} does not fit into ${padded} padded ${axis === 0 ? 'rows' : 'columns'}`,
      );
    return size;
  };
  return [side(0), side(1)];
}

/** Geometry of `conv2d(x [N,C,H,W], w [O,C/g,kh,kw]) = y [N,O,P,Q]`, whichever two of the three are given. */
export interface ConvolutionGeometry {
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly input: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly output: readonly [number, number];
  readonly attrs: ConvolutionAttrs;
}

/** Calls `row` once for each run of multiply-adds that shares a weight: x, w and y offsets, x step, length. */
export function forEachTap(
  g: ConvolutionGeometry,
  row: (x: number, w: number, y: number, xStep: number, length: number) => void,
): void {
  const { stride, padding, dilation, groups } = g.attrs;
  const inGroup = g.inChannels / groups;
  const outGroup = g.outChannels / groups;
  const [height, width] = g.input;
  const [kernelRows, kernelColumns] = g.kernel;
  const [rows, columns] = g.output;
  for (let n = 0; n < g.batch; n++) {
    for (let o = 0; o < g.outChannels; o++) {
      const firstIn = Math.floor(o / outGroup) * inGroup;
      for (let c = 0; c < inGroup; c++) {
        const plane = (n * g.inChannels + firstIn + c) * height;
        for (let a = 0; a < kernelRows; a++) {
          for (let b = 0; b < kernelColumns; b++) {
            const w = ((o * inGroup + c) * kernelRows + a) * kernelColumns + b;
            const shift = b * dilation[1] - padding[1][0];
            const first = Math.max(0, Math.ceil(-shift / stride[1]));
            const last = Math.min(columns - 1, Math.floor((width - 1 - shift) / stride[1]));
            if (last < first) continue;
            for (let p = 0; p < rows; p++) {
              const i = p * stride[0] + a * dilation[0] - padding[0][0];
              if (i < 0 || i >= height) continue;
              const x = (plane + i) * width + first * stride[1] + shift;
              const y = ((n * g.outChannels + o) * rows + p) * columns + first;
              row(x, w, y, stride[1], last - first + 1);
            }
          }
        }
      }
    }
  }
}

/** Floating-point operations of any of the three. */
export function convolutionFlops(g: ConvolutionGeometry): number {
  return (
    2 *
    g.batch *
    g.outChannels *
    (g.inChannels / g.attrs.groups) *
    g.kernel[0] *
    g.kernel[1] *
    g.output[0] *
    g.output[1]
  );
}
