/** Rendering for training: one item of the batch at a time, so that what gradients need of one is gone before the
 * next begins. */

import type { Parameters } from '../portrait/parameters.ts';
import { deformationOf, type Posing } from '../portrait/posing.ts';
import { type Rendered, type RenderingOptions, render } from '../portrait/renderer.ts';
import { concat, mul, rematerialise, sliceAxis, type Tensor } from '../tensor/index.ts';

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
  /** Computes each item again for its gradient instead of keeping what is inside. */
  readonly again: boolean;
}

/** Features [N, C, n, n] and opacity [N, 1, n, n]. Depth takes part in no loss. */
export function renderTraining(p: Parameters, view: TrainingView): Pick<Rendered, 'features' | 'opacity'> {
  const batch = view.planes.shape[0];
  if (!view.again || batch === 1) return renderAll(p, view);
  const items = Array.from({ length: batch }, (_, n) => {
    const own = itemOf(view, n);
    return rematerialise('render', [own.planes, own.vertices!], () => ({ ...renderAll(p, own) }));
  });
  return {
    features: concat(
      items.map(({ features }) => features),
      0,
    ),
    opacity: concat(
      items.map(({ opacity }) => opacity),
      0,
    ),
  };
}

function renderAll(p: Parameters, view: TrainingView): Pick<Rendered, 'features' | 'opacity'> {
  const { planes, c, vertices, side, rendering, posing, given } = view;
  const { coarseNoise, fineNoise, densityNoise, jitter, quantiles } = given;
  const scaled = (noise: Tensor | undefined): Tensor | undefined =>
    noise && densityNoise && mul(noise, densityNoise);
  const draws = { jitter, quantiles, coarseNoise: scaled(coarseNoise), fineNoise: scaled(fineNoise) };
  const deform = deformationOf(posing, { ...given, vertices });
  const { features, opacity } = render(p, planes, c, side, rendering, draws, deform);
  return { features, opacity };
}

/** Inputs whose rows belong to the items of a batch. */
const PER_ITEM = ['mesh', 'coarseFaces', 'fineFaces', 'coarseNoise', 'fineNoise', 'jitter', 'quantiles'];

function itemOf(view: TrainingView, n: number): TrainingView {
  const batch = view.planes.shape[0];
  const own = (x: Tensor): Tensor => {
    const rows = x.shape[0] / batch;
    return sliceAxis(x, 0, n * rows, (n + 1) * rows);
  };
  const given = { ...view.given };
  for (const name of PER_ITEM) {
    const value = given[name];
    if (value !== undefined) given[name] = own(value);
  }
  const { vertices } = view;
  return { ...view, planes: own(view.planes), c: own(view.c), vertices: vertices && own(vertices), given };
}
