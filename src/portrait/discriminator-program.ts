/** The discriminator as a program. */

import { f32, type Graph, trace } from '../tensor/index.ts';
import { type DiscriminatorConfig, discriminate } from './discriminator.ts';
import { type ParameterShapes, parametersOf } from './parameters.ts';

/** image, raw, mask, c to logits [N, 1] and pose [N, 6].
 *
 * @param rawResolution side of the raw image and the mask.
 */
export function discriminatorGraph(
  shapes: ParameterShapes,
  config: DiscriminatorConfig,
  batch: number,
  rawResolution: number,
): Graph {
  const [side, small] = [config.resolution, rawResolution];
  const inputs = {
    image: f32(batch, 3, side, side),
    raw: f32(batch, 3, small, small),
    mask: f32(batch, 1, small, small),
    c: f32(batch, 25),
  };
  return trace('discriminator', inputs, ({ image, raw, mask, c }) =>
    discriminate(parametersOf(shapes), { image, raw, mask }, c, config),
  );
}
