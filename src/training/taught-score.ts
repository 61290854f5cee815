/** How well generated pictures agree with renders of the same people: for people and views that were held out. */

import type { View } from '../portrait/session.ts';
import { type NdArray, ndarray } from '../tensor/index.ts';
import { type Window, windowDepths, windowPixels } from './taught-window.ts';

/** Renders, as a taught set holds them. */
export interface Truth {
  /** [N, 3, side, side] and [N, 1, side, side], 0 to 255 */
  readonly images: Uint8Array;
  readonly masks: Uint8Array;
  /** [N, 1, side, side], units of .05 mm; 0 where nobody is */
  readonly depths: Uint16Array | undefined;
  readonly side: number;
}

export interface TaughtScore {
  /** Peak signal to noise, dB, over the pixels that either mask covers; where both are empty there is none. */
  readonly psnr: number;
  /** Intersection over union of the masks, at the raw picture's size. */
  readonly iou: number;
  /** Mean error in millimetres where both are solid; NaN without depths. */
  readonly depthMm: number;
}

/** Scores of each picture.
 *
 * @param view of as many pictures, no larger than the truth
 */
export function scoresOf(view: View, truth: Truth): TaughtScore[] {
  const image = view.image ?? view.image_raw;
  const raw = view.image_mask;
  const [count, , rays] = raw.shape;
  const windows: Window[] = Array.from({ length: count }, () => ({ x: 0, y: 0, rays, across: rays }));
  const density = image.shape[2] / rays;
  const wanted = windowPixels(truth.images, 3, truth.side, windows, density);
  const covered = windowPixels(truth.masks, 1, truth.side, windows, density);
  const mask = windowPixels(truth.masks, 1, truth.side, windows, 1);
  const depth = truth.depths && windowDepths(truth.depths, truth.side, windows);
  return windows.map((_, n) => ({
    psnr: psnrOf(part(image, n), part(wanted, n), (i) => {
      const size = image.shape[2];
      const ray = Math.floor(Math.floor(i / size) / density) * rays + Math.floor((i % size) / density);
      return part(covered, n)[i] > 127.5 || part(raw, n)[ray] > 0.5;
    }),
    iou: iouOf(part(raw, n), part(mask, n)),
    depthMm: depth === undefined ? Number.NaN : depthOf(view, n, part(depth, n)),
  }));
}

/** The mean of scores; those that are not finite are left out. */
export function meanScore(scores: readonly TaughtScore[]): TaughtScore {
  const of = (key: keyof TaughtScore): number => {
    const values = scores.map((score) => score[key]).filter(Number.isFinite);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return { psnr: of('psnr'), iou: of('iou'), depthMm: of('depthMm') };
}

/** Renders as pictures of -1 to 1, for sheets: [N, 3, side, side]. */
export function truthPictures({ images, side }: Truth): NdArray {
  const count = images.length / (3 * side * side);
  return ndarray(
    [count, 3, side, side],
    Float32Array.from(images, (byte) => (byte - 127.5) / 127.5),
  );
}

function part({ shape, data }: NdArray, n: number): ArrayLike<number> {
  const size = data.length / shape[0];
  return data.subarray(n * size, (n + 1) * size);
}

/** @param image -1 to 1, channels one after another; @param truth the same as bytes */
function psnrOf(
  image: ArrayLike<number>,
  truth: ArrayLike<number>,
  looked: (pixel: number) => boolean,
): number {
  const plane = image.length / 3;
  let [sum, count] = [0, 0];
  for (let i = 0; i < plane; i++) {
    if (!looked(i)) continue;
    count += 3;
    for (let c = i; c < image.length; c += plane) {
      const value = Math.min(255, Math.max(0, 127.5 * image[c] + 127.5));
      sum += (value - truth[c]) ** 2;
    }
  }
  return count === 0 ? Number.NaN : 10 * Math.log10(255 ** 2 / (sum / count));
}

function iouOf(mask: ArrayLike<number>, truth: ArrayLike<number>): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < mask.length; i++) {
    const [own, other] = [mask[i] > 0.5, truth[i] > 127.5];
    if (own && other) both++;
    if (own || other) either++;
  }
  return both / either;
}

function depthOf({ image_depth, image_mask }: View, n: number, truth: ArrayLike<number>): number {
  const [depth, mask] = [part(image_depth, n), part(image_mask, n)];
  let [sum, count] = [0, 0];
  for (let i = 0; i < depth.length; i++) {
    if (truth[i] === 0 || mask[i] < 0.5) continue;
    sum += Math.abs(depth[i] - truth[i]);
    count++;
  }
  return (1000 * sum) / count;
}
