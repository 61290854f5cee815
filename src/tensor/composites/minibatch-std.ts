import { ShapeError } from '../../errors.ts';
import type { Tensor } from '../graph.ts';
import { add } from '../primitives/add.ts';
import { broadcastTo } from '../primitives/broadcast.ts';
import { concat } from '../primitives/concat.ts';
import { mul } from '../primitives/mul.ts';
import { reshape } from '../primitives/reshape.ts';
import { sqrt } from '../primitives/sqrt.ts';
import { sub } from '../primitives/sub.ts';
import { showAval } from '../types.ts';
import { mean } from './normalize.ts';

/** Appends channels holding the standard deviation over groups of the batch (Karras et al. 2018, section 3).
 *
 * Sample i belongs to group i mod (N / group): spec page 4.5.
 *
 * @param x        [N, C, H, W]
 * @param group    samples a group; the whole batch if it is smaller. N must be a multiple of it.
 * @param channels number of channels appended, each the mean over C / channels of the input's.
 */
export function minibatchStd(x: Tensor, group: number, channels = 1): Tensor {
  const [batch, features, height, width] = x.shape;
  const size = Math.min(group, batch);
  if (batch % size !== 0 || features % channels !== 0) {
    throw new ShapeError(
      `minibatchStd: ${showAval(x)} cannot be divided into groups of ${size} and ${channels} channels`,
    );
  }
  const groups = batch / size;
  const grouped = reshape(x, [size, groups, channels, features / channels, height, width]);
  const centred = sub(grouped, mean(grouped, [0], true));
  const deviation = sqrt(add(mean(mul(centred, centred), [0]), 1e-8));
  const statistic = mean(deviation, [2, 3, 4]);
  const tiled = broadcastTo(reshape(statistic, [1, groups, channels, 1, 1]), [
    size,
    groups,
    channels,
    height,
    width,
  ]);
  return concat([x, reshape(tiled, [batch, channels, height, width])], 1);
}
