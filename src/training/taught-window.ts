/**
 * Windows: the same camera with other intrinsics sees a square part of its picture, at any density of rays.
 *
 * Plain code: what cameras, backgrounds and truths become is handed to the taught phase as arrays.
 */

import { UsageError } from '../errors.ts';
import { type NdArray, ndarray, resizeMatrix } from '../tensor/index.ts';

/** A square of `rays` x `rays`, of the `across` x `across` rays that the whole picture has. */
export interface Window {
  /** Of its upper left ray. */
  readonly x: number;
  readonly y: number;
  readonly rays: number;
  readonly across: number;
}

/** Camera labels [N, 25] of what windows show, one each. */
export function windowCameras(labels: NdArray, windows: readonly Window[]): NdArray {
  const data = Float32Array.from(labels.data);
  windows.forEach(({ x, y, rays, across }, n) => {
    const [k, at] = [across / rays, 25 * n];
    data[at + 16] *= k;
    data[at + 17] *= k;
    data[at + 18] = (data[at + 18] - x / across) * k;
    data[at + 20] *= k;
    data[at + 21] = (data[at + 21] - y / across) * k;
  });
  return ndarray(labels.shape, data);
}

/** Rows [N, rays, side] that a window's rays read of a background of this side, and columns. */
export function windowMatrices(
  windows: readonly Window[],
  side: number,
  antialias: boolean,
): { readonly rows: NdArray; readonly columns: NdArray } {
  const { rays, across } = windows[0];
  const { data } = resizeMatrix(side, across, antialias);
  const stack = (first: (window: Window) => number): NdArray => {
    const out = new Float32Array(windows.length * rays * side);
    windows.forEach((window, n) => {
      const from = first(window) * side;
      out.set(data.subarray(from, from + rays * side), n * rays * side);
    });
    return ndarray([windows.length, rays, side], out);
  };
  return { rows: stack(({ y }) => y), columns: stack(({ x }) => x) };
}

/** Pictures [N, channels, side, side] through windows: [N, channels, rays * density, rays * density], each pixel the
 * mean of as many as it covers.
 *
 * @param density pixels for each ray, along a side
 * @throws UsageError when pixels of the picture do not fit into those of the window.
 */
export function windowPixels(
  bytes: Uint8Array,
  channels: number,
  side: number,
  windows: readonly Window[],
  density: number,
): NdArray {
  const { rays, across } = windows[0];
  const [out, block] = [rays * density, side / (across * density)];
  needWhole(block, side, across * density);
  const data = new Float32Array(windows.length * channels * out * out);
  const share = 1 / (block * block);
  windows.forEach(({ x, y }, n) => {
    for (let c = 0; c < channels; c++) {
      const plane = (n * channels + c) * side * side;
      const to = (n * channels + c) * out * out;
      for (let row = 0; row < out; row++) {
        for (let column = 0; column < out; column++) {
          let from = plane + (y * density + row) * block * side + (x * density + column) * block;
          let sum = 0;
          for (let i = 0; i < block; i++, from += side)
            for (let j = 0; j < block; j++) sum += bytes[from + j];
          data[to + row * out + column] = sum * share;
        }
      }
    }
  });
  return ndarray([windows.length, channels, out, out], data);
}

/** Metres of one unit of depth pictures. */
const DEPTH_UNIT = 5e-5;
/** Depths that differ by more, in units, are of two surfaces: their mean is none. */
const SAME_SURFACE = 0.012 / DEPTH_UNIT;

/** Depths [N, 1, side, side] in units at the rays of windows, in metres: [N, 1, rays, rays]; 0 where nobody is, or at
 * an edge. */
export function windowDepths(units: Uint16Array, side: number, windows: readonly Window[]): NdArray {
  const { rays, across } = windows[0];
  const block = side / across;
  needWhole(block, side, across);
  const data = new Float32Array(windows.length * rays * rays);
  windows.forEach(({ x, y }, n) => {
    for (let row = 0; row < rays; row++) {
      for (let column = 0; column < rays; column++) {
        let from = n * side * side + (y + row) * block * side + (x + column) * block;
        let [sum, low, high] = [0, Number.POSITIVE_INFINITY, 0];
        for (let i = 0; i < block; i++, from += side) {
          for (let j = 0; j < block; j++) {
            const unit = units[from + j];
            sum += unit;
            low = Math.min(low, unit);
            high = Math.max(high, unit);
          }
        }
        const solid = low > 0 && high - low < SAME_SURFACE;
        data[(n * rays + row) * rays + column] = solid ? (DEPTH_UNIT * sum) / (block * block) : 0;
      }
    }
  });
  return ndarray([windows.length, 1, rays, rays], data);
}

function needWhole(block: number, side: number, wanted: number): void {
  if (Number.isInteger(block)) return;
  throw new UsageError(
    `pictures of ${side} px cannot be looked at with ${wanted} px: a whole multiple is needed; make the set in another --size`,
  );
}
