/** How to call `upfirdn2d`: separable filters of at most four taps an axis, factors 1 and 2. */

import { type Node, sizeOf } from '../../tensor/index.ts';
import type { Kernel } from './kernel.ts';

const MOST_TAPS = 4;
/** Of padding, either way: what the kernel's lines have zeros for. */
const MOST_PADDING = 8;
/** Fewer values than this are quicker inside of an ONNX segment than between two. */
const FROM_VALUES = 1 << 11;

type Pair = readonly [number, number];
type Options = { up: Pair; down: Pair; padding: readonly number[]; taps: readonly (readonly number[])[] };

/** Column and row of which the taps are the outer product, or undefined. */
function factors(taps: Options['taps']): { rows: number[]; columns: number[] } | undefined {
  const flat = taps.flat();
  const largest = Math.max(...flat.map(Math.abs));
  const at = flat.findIndex((tap) => Math.abs(tap) === largest);
  const width = taps[0].length;
  const pivotRow = taps[Math.floor(at / width)];
  const columns = pivotRow.map((tap) => tap / flat[at]);
  const rows = taps.map((row) => row[at % width]);
  const isProduct = taps.every((row, i) =>
    row.every((tap, j) => Math.abs(tap - rows[i] * columns[j]) <= 1e-9 * largest),
  );
  return isProduct && largest > 0 ? { rows, columns } : undefined;
}

const four = (taps: readonly number[]): number[] => Array.from({ length: MOST_TAPS }, (_, i) => taps[i] ?? 0);

/** The numbers that the kernels take: planes, sizes, factors, paddings, taps; undefined for what they do not take. */
export function filterArgs({ inputs: [x], outputs: [y], attrs }: Node): number[] | undefined {
  const { up, down, padding, taps } = attrs.options as unknown as Options;
  const [height, width] = x.shape.slice(2);
  const [outHeight, outWidth] = y.shape.slice(2);
  const [left, , top] = padding;
  const fits =
    sizeOf(x.shape) > 0 &&
    up[0] === up[1] &&
    down[0] === down[1] &&
    up[0] * down[0] <= 2 &&
    Math.max(taps.length, taps[0].length) <= MOST_TAPS &&
    Math.abs(left) <= MOST_PADDING &&
    Math.abs(top) <= MOST_PADDING &&
    Math.ceil((outWidth * down[0]) / up[0]) - left + MOST_TAPS <= width + MOST_PADDING + MOST_TAPS;
  const product = fits ? factors(taps) : undefined;
  if (product === undefined) return undefined;
  return [
    ...[x.shape[0] * x.shape[1], height, width, outHeight, outWidth, up[0], down[0], top, left],
    ...four(product.rows),
    ...four(product.columns),
  ];
}

export const upfirdnKernel: Kernel = {
  name: 'upfirdn2d',
  plan(node: Node) {
    const tail = sizeOf(node.outputs[0].shape) < FROM_VALUES ? undefined : filterArgs(node);
    if (tail === undefined) return undefined;
    return {
      entry: 'upfirdn',
      args: [{ input: 0 }, { output: 0 }, 'scratch', ...tail],
      scratchBytes: 16 * node.inputs[0].shape[3] + 1024,
    };
  },
};
