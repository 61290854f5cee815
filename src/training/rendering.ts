/** Rendering for training: the fused renderer, whose gradient computes tiles of rays again instead of keeping them. */

import type { Parameters } from '../portrait/parameters.ts';
import { deformationOf, type Posing } from '../portrait/posing.ts';
import { type Rendered, type RenderingOptions, render } from '../portrait/renderer.ts';
import { mul, type Tensor } from '../tensor/index.ts';

export interface TrainingView {
  /** [N, 3 C D, H, W] */
  readonly planes: Tensor;
  /** [N, 25] */
  readonly c: Tensor;
  /** [N, V, 3] posed bodies that gradients reach; undefined: the mesh blocks alone carry the samples. */
  readonly vertices: Tensor | undefined;
  /** Pixels of the raw picture's side. */
  readonly side: number;
  readonly rendering: RenderingOptions;
  readonly posing: Posing;
  /** `mesh`, faces, draws and noise, as `fakeInputs` names them. */
  readonly given: Readonly<Record<string, Tensor | undefined>>;
}

/** Features [N, C, n, n] and opacity [N, 1, n, n]. Depth takes part in no loss. */
export function renderTraining(p: Parameters, view: TrainingView): Pick<Rendered, 'features' | 'opacity'> {
  const { planes, c, vertices, side, rendering, posing, given } = view;
  const { coarseNoise, fineNoise, densityNoise, jitter, quantiles } = given;
  const scaled = (noise: Tensor | undefined): Tensor | undefined =>
    noise && densityNoise && mul(noise, densityNoise);
  const draws = { jitter, quantiles, coarseNoise: scaled(coarseNoise), fineNoise: scaled(fineNoise) };
  const deform = deformationOf(posing, { ...given, vertices });
  const { features, opacity } = render(p, planes, c, side, rendering, draws, deform);
  return { features, opacity };
}
