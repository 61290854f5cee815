/** Composites to differentiate, under the names that `portraitgan/tensor` exports. */

import type { Shape, Tensor } from '../../src/tensor/index.ts';
import * as t from '../../src/tensor/index.ts';
import type { Case } from '../primitives/case.ts';
import { random } from '../primitives/values.ts';

function of(
  name: string,
  shapes: readonly Shape[],
  program: (...inputs: Tensor[]) => Tensor | Tensor[],
): Case {
  return { name, inputs: shapes.map((shape) => random('float32', shape)), program };
}

const activations = t.ACTIVATION_NAMES.flatMap((activation) => [
  of(activation, [[2, 3, 4], [3]], (x, b) => t.biasAct(x, b, { activation })),
  of(`${activation}, gain and clamp`, [[2, 3, 4], [3]], (x, b) =>
    t.biasAct(x, b, { activation, gain: 0.7, clamp: 0.5 }),
  ),
]);

const resampled = (
  [
    { padding: 1 },
    { down: 2, padding: 1 },
    { up: 2, padding: 1 },
    { up: 2, padding: 1, flipWeight: false },
  ] as const
).map((options) =>
  of(
    JSON.stringify(options),
    [
      [2, 3, 6, 6],
      [2, 3, 3, 3],
    ],
    (x, w) => t.conv2dResample(x, w, t.DEFAULT_TAPS, options),
  ),
);

const modulated = (['weights', 'activations'] as const).flatMap((form) =>
  [{ padding: 1 }, { padding: 1, up: 2, taps: t.DEFAULT_TAPS }, { padding: 1, demodulate: false }].map(
    (options) =>
      of(
        `${form} ${JSON.stringify(Object.keys(options))}`,
        [
          [2, 3, 4, 4],
          [2, 3, 3, 3],
          [2, 3],
        ],
        (x, w, s) => t.modulatedConv2d(x, w, s, { ...options, form }),
      ),
  ),
);

const LAYER: readonly Shape[] = [[2, 3, 4, 4], [5, 3, 3, 3], [5], [2, 3], [2, 5]];

function layer(
  build: typeof t.synthesisLayer,
  noise: Shape,
  options: { clamp?: number; keep?: boolean },
): Case {
  return of(JSON.stringify(options), [...LAYER, noise], (x, weight, bias, styles, next, noises) => {
    const tensors = { weight, bias, styles, next, noise: noises };
    return Object.values(build(t.modulate(x, styles), tensors, options)).filter((y) => y !== undefined);
  });
}

export const composites: Readonly<Record<string, readonly Case[]>> = {
  biasAct: activations,
  adamStep: [
    of('', [[5], [5], [5], [5], [1]], (value, first, second, gradient, step) => {
      const state = { value, first, second: t.add(t.mul(second, second), 0.2) };
      const settings = { beta1: 0.4, beta2: 0.8, eps: 1e-3 };
      const stepped = t.adamStep(state, gradient, settings, t.reshape(step, []), 0.7);
      return [stepped.value, stepped.first, stepped.second, stepped.gradient];
    }),
  ],
  emaStep: [
    of(
      '',
      [
        [4, 2],
        [4, 2],
      ],
      (average, value) => t.emaStep(average, value, 0.9),
    ),
  ],
  clampAbs: [of('', [[9]], (x) => t.clampAbs(x, 0.8))],
  conv2dResample: resampled,
  upfirdn2d: [
    of('up and down', [[1, 2, 5, 4]], (x) => t.upfirdn2d(x, t.DEFAULT_TAPS, { up: 2, down: 3, padding: 2 })),
    of('cropped', [[1, 2, 7, 6]], (x) => t.upfirdn2d(x, t.DEFAULT_TAPS, { padding: -1, flip: true })),
  ],
  upsample2d: [of('', [[1, 2, 5, 4]], (x) => t.upsample2d(x))],
  downsample2d: [of('', [[2, 1, 6, 8]], (x) => t.downsample2d(x))],
  filter2d: [of('', [[1, 2, 4, 4]], (x) => t.filter2d(x, t.DEFAULT_TAPS))],
  gaussianBlur: [of('', [[1, 1, 7, 7]], (x) => t.gaussianBlur(x, 1.2))],
  fusedMultiplyAdd: [
    of('', [[2, 3], [3], [2, 1]], (a, b, c) => t.fusedMultiplyAdd(a, b, c)),
    of('a square', [[4], [4]], (a, c) => t.fusedMultiplyAdd(a, a, c)),
  ],
  fullyConnected: [
    of('lrelu', [[2, 3], [4, 3], [4]], (x, w, b) =>
      t.fullyConnected(x, w, b, { activation: 'lrelu', lrMultiplier: 0.1 }),
    ),
  ],
  minibatchStd: [
    of('one group', [[3, 2, 2, 2]], (x) => t.minibatchStd(x, 4)),
    of('two groups, two channels', [[4, 4, 2, 2]], (x) => t.minibatchStd(x, 2, 2)),
  ],
  demodulation: [
    of(
      '',
      [
        [4, 3, 2, 2],
        [2, 3],
      ],
      (w, s) => t.demodulation(w, s),
    ),
  ],
  modulatedConv2d: modulated,
  mean: [of('', [[2, 3, 4]], (x) => t.mean(x, [0, 2]))],
  normalizeSecondMoment: [of('', [[3, 5]], (x) => t.normalizeSecondMoment(x))],
  resizeBilinear: [
    of('smaller, antialiased', [[1, 2, 7, 6]], (x) => t.resizeBilinear(x, 3, 4, true)),
    of('larger', [[1, 2, 3, 4]], (x) => t.resizeBilinear(x, 8, 7, false)),
  ],
  filteredResize: [of('', [[1, 1, 4, 4]], (x) => t.filteredResize(x, 6, 0.3))],
  softplus: [of('', [[9]], (x) => t.softplus(x))],
  softplusExact: [of('', [[9]], (x) => t.softplusExact(x))],
  log1p: [of('', [[9]], (x) => t.log1p(t.exp(x)))],
  sigmoid: [of('', [[9]], (x) => t.sigmoid(x))],
  modulate: [
    of(
      '',
      [
        [2, 3, 2, 2],
        [2, 3],
      ],
      (x, s) => t.modulate(x, s),
    ),
  ],
  skipUp: [of('', [[1, 2, 3, 4], [1, 2, 6, 8], [2]], (previous, y, b) => t.skipUp(previous, y, b, 0.9))],
  synthesisLayer: [
    layer(t.synthesisLayer, [1, 4, 4], { clamp: 0.9 }),
    layer(t.synthesisLayer, [2, 4, 4], { keep: false }),
  ],
  synthesisUpLayer: [
    layer(t.synthesisUpLayer, [2, 8, 8], {}),
    layer(t.synthesisUpLayer, [1, 8, 8], { clamp: 0.9, keep: false }),
  ],
  toRgb: [
    of(
      '',
      [
        [2, 4, 3, 5],
        [3, 4, 1, 1],
        [2, 4],
      ],
      (x, w, s) => t.toRgb(x, w, s),
    ),
  ],
  sampleTrigrid: [
    of(
      'inside and outside',
      [
        [2, 12, 4, 5],
        [2, 9, 3],
      ],
      (planes, points) => t.sampleTrigrid(planes, points, 2, 3.1),
    ),
  ],
};
