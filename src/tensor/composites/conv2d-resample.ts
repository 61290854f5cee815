import { ShapeError } from '../../errors.ts';
import type { Tensor } from '../graph.ts';
import { conv2d } from '../primitives/conv2d.ts';
import { conv2dTranspose } from '../primitives/conv2d-transpose.ts';
import { reshape } from '../primitives/reshape.ts';
import { reverse } from '../primitives/reverse.ts';
import { transpose } from '../primitives/transpose.ts';
import { showAval } from '../types.ts';
import { type FirPadding, fullPadding, type Taps, upfirdn2d } from './fir.ts';

export interface ResampleOptions {
  readonly up?: number;
  readonly down?: number;
  readonly padding?: number | FirPadding;
  readonly groups?: number;
  /** True is correlation (the default), false a true convolution. */
  readonly flipWeight?: boolean;
}

/** Convolution with FIR up- or down-sampling: up-sample, convolve, down-sample, in one padding account.
 *
 * The filter acts at the higher resolution: before a strided convolution, after a transposed one
 * (Karras et al. 2019, appendix B; spec pages 2.4 and 4.5).
 *
 * @param x [N, C, H, W]
 * @param w [O, C / groups, kh, kw]
 */
export function conv2dResample(
  x: Tensor,
  w: Tensor,
  taps: Taps | undefined,
  options: ResampleOptions = {},
): Tensor {
  const { up = 1, down = 1, groups = 1, flipWeight = true } = options;
  const weight = flipWeight ? w : reverse(w, [2, 3]);
  const filter: Taps = taps ?? [[1]];
  const [rows, columns] = [filter.length, filter[0].length];
  const given = fullPadding(options.padding ?? 0);
  const before = (taken: number): number =>
    Math.floor((up > 1 ? taken + up - 1 : 0) / 2) + Math.floor((down > 1 ? taken - down + 1 : 0) / 2);
  const after = (taken: number): number =>
    Math.floor((up > 1 ? taken - up : 0) / 2) + Math.floor((down > 1 ? taken - down : 0) / 2);
  const padding: FirPadding = [
    given[0] + before(columns),
    given[1] + after(columns),
    given[2] + before(rows),
    given[3] + after(rows),
  ];
  if (up === 1 && down === 1) {
    const [left, right, top, bottom] = padding;
    const sides = [
      [top, bottom],
      [left, right],
    ] as const;
    return conv2d(x, weight, { groups, padding: sides });
  }
  if (up === 1 && w.shape[2] === 1 && w.shape[3] === 1) {
    // One tap hears only what is kept.
    return conv2d(upfirdn2d(x, filter, { padding, down }), weight, { groups });
  }
  if (up === 1) return conv2d(upfirdn2d(x, filter, { padding }), weight, { groups, stride: down });
  const upsampled = transposedUp(x, weight, filter, up, padding, groups);
  return down === 1 ? upsampled : upfirdn2d(upsampled, filter, { down });
}

/** Convolution of the zero-inserted image as a transposed convolution, then the filter with gain up^2. */
function transposedUp(
  x: Tensor,
  weight: Tensor,
  filter: Taps,
  up: number,
  padding: FirPadding,
  groups: number,
): Tensor {
  const [out, perGroup, kernelRows, kernelColumns] = weight.shape;
  if (out % groups !== 0)
    throw new ShapeError(
      `conv2dResample: weight ${showAval(weight)} cannot be divided into ${groups} groups`,
    );
  const split = reshape(weight, [groups, out / groups, perGroup, kernelRows, kernelColumns]);
  const swapped = reshape(transpose(split, [0, 2, 1, 3, 4]), [
    groups * perGroup,
    out / groups,
    kernelRows,
    kernelColumns,
  ]);
  const spread = conv2dTranspose(x, reverse(swapped, [2, 3]), { stride: up, groups });
  // The transposed image starts kernel - 1 early and ends with its last sample, up - 1 zeros short.
  const shift: FirPadding = [
    padding[0] - (kernelColumns - 1),
    padding[1] - (kernelColumns - 1) + (up - 1),
    padding[2] - (kernelRows - 1),
    padding[3] - (kernelRows - 1) + (up - 1),
  ];
  return upfirdn2d(spread, filter, { padding: shift, gain: up * up });
}
