/** Resampling with small FIR filters: zero insertion, padding, filter, decimation (spec page 2.4). */

import { ShapeError } from '../../errors.ts';
import { fused } from '../fused.ts';
import type { Tensor } from '../graph.ts';
import { broadcastTo } from '../primitives/broadcast.ts';
import { constant } from '../primitives/constant.ts';
import { conv2d } from '../primitives/conv2d.ts';
import { pad } from '../primitives/pad.ts';
import { reshape } from '../primitives/reshape.ts';
import { slice } from '../primitives/slice.ts';
import { ndarray, type Shape } from '../types.ts';

/** Filter taps, rows first. */
export type Taps = readonly (readonly number[])[];

/** Paddings [x before, x after, y before, y after]; negative crops. */
export type FirPadding = readonly [number, number, number, number];

export interface FirOptions {
  /** One factor, or columns (x) and rows (y). */
  readonly up?: number | readonly [number, number];
  readonly down?: number | readonly [number, number];
  readonly padding?: number | FirPadding;
  /** Correlation instead of convolution. */
  readonly flip?: boolean;
  readonly gain?: number;
}

/** Outer product of 1-D taps (or given 2-D ones), normalised to sum 1, times `gain`. */
export function makeTaps(
  taps: readonly number[] | Taps,
  options: { normalize?: boolean; gain?: number; flip?: boolean } = {},
): Taps {
  const { normalize = true, gain = 1, flip = false } = options;
  const square: Taps =
    typeof taps[0] === 'number'
      ? (taps as readonly number[]).map((row) => (taps as readonly number[]).map((column) => row * column))
      : (taps as Taps);
  const total = normalize ? square.flat().reduce((sum, tap) => sum + tap, 0) : 1;
  const scaled = square.map((row) => row.map((tap) => (tap / total) * gain));
  return flip ? turned(scaled) : scaled;
}

/** The filter of every resampling layer: [1, 3, 3, 1] along both axes, sum 1. */
export const DEFAULT_TAPS: Taps = makeTaps([1, 3, 3, 1]);

/** Up-samples by zero insertion, pads, filters and keeps every `down`-th sample. A fused operation.
 *
 * @param x [N, C, H, W]; output size (H up + y0 + y1 - rows) / down + 1, floored.
 */
export function upfirdn2d(x: Tensor, taps: Taps, options: FirOptions = {}): Tensor {
  const { flip = false, gain = 1 } = options;
  const scaled = taps.map((row) => row.map((tap) => tap * gain));
  return resample(x, {
    up: pair(options.up),
    down: pair(options.down),
    padding: fullPadding(options.padding ?? 0),
    taps: flip ? scaled : turned(scaled),
  });
}

/** All of a resampling step. */
export type Resampling = {
  /** Columns and rows. */
  readonly up: readonly [number, number];
  readonly down: readonly [number, number];
  readonly padding: FirPadding;
  /** In the order in which a correlation hears them, gain included. */
  readonly taps: Taps;
};

function resample(x: Tensor, options: Resampling): Tensor {
  const define = (given: { x: Tensor }) => ({ y: resampled(given.x, options) });
  return fused('upfirdn2d', options, { x }, define, ({ outputs, cotangents }) => ({
    x: resample(cotangents.y!, adjoint(options, x.shape, outputs.y.shape)),
  }))[0];
}

/** Zero insertion and decimation change places; the paddings are those that give the input's size back. */
function adjoint({ up, down, padding, taps }: Resampling, from: Shape, to: Shape): Resampling {
  const side = (axis: 0 | 1, extent: number): [number, number] => {
    const before = padding[2 * axis];
    const size = 3 - axis;
    return [extent - before - 1, from[size] * up[axis] - to[size] * down[axis] + before - up[axis] + 1];
  };
  const columns = side(0, taps[0].length);
  const rows = side(1, taps.length);
  return { up: down, down: up, padding: [...columns, ...rows], taps: turned(taps) };
}

function turned(taps: Taps): Taps {
  return taps.map((row) => [...row].reverse()).reverse();
}

function resampled(x: Tensor, { up: [upX, upY], down: [downX, downY], padding, taps }: Resampling): Tensor {
  const y = padOrCrop(insertZeros(x, upX, upY), padding);
  const [rows, columns] = [taps.length, taps[0].length];
  if (y.shape[2] < rows || y.shape[3] < columns) {
    throw new ShapeError(
      `upfirdn2d: ${y.shape[2]} x ${y.shape[3]} padded pixels are fewer than the ${rows} x ${columns} taps`,
    );
  }
  const kernel = constant(ndarray([1, 1, rows, columns], taps.flat()));
  const channels = y.shape[1];
  return conv2d(y, broadcastTo(kernel, [channels, 1, rows, columns]), {
    groups: channels,
    stride: [downY, downX],
  });
}

function pair(factor: number | readonly [number, number] = 1): readonly [number, number] {
  return typeof factor === 'number' ? [factor, factor] : factor;
}

export function fullPadding(padding: number | FirPadding): FirPadding {
  return typeof padding === 'number' ? [padding, padding, padding, padding] : padding;
}

/** Puts `up - 1` zeros after every pixel, along columns (x) and rows (y). */
export function insertZeros(x: Tensor, upX: number, upY: number): Tensor {
  if (upX === 1 && upY === 1) return x;
  const [batch, channels, height, width] = x.shape;
  const spread = pad(
    reshape(x, [batch, channels, height, 1, width, 1]),
    [0, 0, 0, 0, 0, 0],
    [0, 0, 0, upY - 1, 0, upX - 1],
  );
  return reshape(spread, [batch, channels, height * upY, width * upX]);
}

/** Zeros around [N, C, H, W], or fewer rows and columns where a padding is negative. */
export function padOrCrop(x: Tensor, [x0, x1, y0, y1]: FirPadding): Tensor {
  const padded = pad(x, [0, 0, Math.max(y0, 0), Math.max(x0, 0)], [0, 0, Math.max(y1, 0), Math.max(x1, 0)]);
  const [batch, channels, height, width] = padded.shape;
  const starts = [0, 0, Math.max(-y0, 0), Math.max(-x0, 0)];
  return slice(padded, starts, [batch, channels, height - Math.max(-y1, 0), width - Math.max(-x1, 0)]);
}

/** FIR at the same size (plus `padding`). */
export function filter2d(x: Tensor, taps: Taps, options: Omit<FirOptions, 'up' | 'down'> = {}): Tensor {
  return upfirdn2d(x, taps, { ...options, padding: around(taps, options.padding ?? 0, 0, -1 / 2) });
}

/** `given` padding with half the taps' extent on each side, moved by `before` and `after` samples. */
function around(taps: Taps, given: FirPadding | number, before: number, after: number): FirPadding {
  const [x0, x1, y0, y1] = fullPadding(given);
  const half = (count: number, shift: number): number => Math.floor(count / 2 + shift);
  const [rows, columns] = [taps.length, taps[0].length];
  return [
    x0 + half(columns, before),
    x1 + half(columns, after),
    y0 + half(rows, before),
    y1 + half(rows, after),
  ];
}

/** FIR up-sampling; `gain` is multiplied by up^2 so that brightness stays. */
export function upsample2d(
  x: Tensor,
  taps: Taps = DEFAULT_TAPS,
  options: Omit<FirOptions, 'up' | 'down'> & { up?: number } = {},
): Tensor {
  const { up = 2, gain = 1 } = options;
  const padding = around(taps, options.padding ?? 0, (up - 1) / 2, -up / 2);
  return upfirdn2d(x, taps, { ...options, up, gain: gain * up * up, padding });
}

/** FIR down-sampling. */
export function downsample2d(
  x: Tensor,
  taps: Taps = DEFAULT_TAPS,
  options: Omit<FirOptions, 'up' | 'down'> & { down?: number } = {},
): Tensor {
  const { down = 2 } = options;
  const padding = around(taps, options.padding ?? 0, (1 - down) / 2, -down / 2);
  return upfirdn2d(x, taps, { ...options, down, padding });
}

/** Gaussian-like blur with base-2 taps `2^-((k/sigma)^2)`, |k| <= floor(3 sigma), zeros outside (spec page 4.10). */
export function gaussianBlur(x: Tensor, sigma: number): Tensor {
  const reach = Math.floor(3 * sigma);
  if (reach <= 0) return x;
  const line = Array.from({ length: 2 * reach + 1 }, (_, i) => 2 ** -(((i - reach) / sigma) ** 2));
  const total = line.reduce((sum, tap) => sum + tap, 0);
  const taps = line.map((tap) => tap / total);
  return filter2d(
    filter2d(x, [taps]),
    taps.map((tap) => [tap]),
  );
}
