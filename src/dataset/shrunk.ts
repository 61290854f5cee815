/** A dataset of larger pictures than are wanted: shrunk by a whole factor, each pixel the mean of a square. */

import { DatasetError } from '../errors.ts';
import type { Dataset } from './dataset.ts';

/** The same items with pictures of this side.
 *
 * @throws DatasetError when the pictures are smaller, or no whole number of pixels becomes one.
 */
export function shrunkDataset(dataset: Dataset, side: number): Dataset {
  const { resolution, paths } = dataset;
  if (resolution === side) return dataset;
  if (resolution < side || resolution % side !== 0)
    throw new DatasetError(
      `"${paths.images}" has pictures of ${resolution} px; ${side} px are needed, or a whole multiple: make it again with "portraitgan dataset pack" or "synth --size ${side}"`,
    );
  return {
    ...dataset,
    resolution: side,
    async item(index) {
      const item = await dataset.item(index);
      const shrink = (planes: Uint8Array): Uint8Array => shrinkPlanes(planes, resolution, side);
      return { ...item, image: shrink(item.image), mask: shrink(item.mask) };
    },
  };
}

/** [count, from, from] to [count, to, to], halves rounded up. */
function shrinkPlanes(planes: Uint8Array, from: number, to: number): Uint8Array {
  const factor = from / to;
  const out = new Uint8Array(planes.length / factor ** 2);
  for (let i = 0; i < out.length; i++) {
    const [x, line] = [i % to, Math.floor(i / to)];
    let sum = 0;
    for (let dy = 0; dy < factor; dy++) {
      const at = (line * factor + dy) * from + x * factor;
      for (let dx = 0; dx < factor; dx++) sum += planes[at + dx];
    }
    out[i] = Math.floor(sum / factor ** 2 + 0.5);
  }
  return out;
}
