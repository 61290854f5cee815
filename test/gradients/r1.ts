/** The gradient penalty on real pictures (Mescheder et al. 2018) with its gradients: a gradient of a gradient. */

import { type DiscriminatorConfig, discriminate } from '../../src/portrait/discriminator.ts';
import { type ParameterShapes, parametersOf } from '../../src/portrait/parameters.ts';
import * as t from '../../src/tensor/index.ts';

/** Spec page 5.4, phase Dreg, with both weights 1 and gain 16.
 *
 * @param held    poses are an input instead of a prediction: what the gradient takes as given, differences move.
 * @returns image, raw, mask, c to `value` and, under the name of each weight, its gradient if it has one.
 */
export function r1Graph(
  shapes: ParameterShapes,
  config: DiscriminatorConfig,
  batch: number,
  rawResolution: number,
  held = false,
): t.Graph {
  const [side, small] = [config.resolution, rawResolution];
  const inputs = {
    image: t.f32(batch, 3, side, side),
    raw: t.f32(batch, 3, small, small),
    mask: t.f32(batch, 1, small, small),
    c: t.f32(batch, 25),
    ...(held ? { pose: t.f32(batch, 6) } : {}),
  };
  return t.trace('r1', inputs as Record<string, t.Aval>, ({ image, raw, mask, c, pose }) => {
    const judged = { image, raw, mask };
    const p = parametersOf(shapes);
    const { logits } = discriminate(p, judged, c, config, pose);
    const slopes = t.grad(t.reduceSum(logits), [image, raw, mask]);
    const penalty = slopes
      .map((slope) => t.reduceSum(t.mul(slope!, slope!), [1, 2, 3]))
      .reduce((sum, part) => t.add(sum, part));
    const value = t.mul(t.mean(t.mul(penalty, 0.5)), 16);
    const names = [...shapes.keys()].filter((name) => !name.endsWith('resample_filter'));
    const gradients = t.grad(
      value,
      names.map((name) => p.get(name)),
    );
    const found = names.flatMap((name, i) => (gradients[i] === undefined ? [] : [[name, gradients[i]]]));
    return { value, ...Object.fromEntries(found) };
  });
}
