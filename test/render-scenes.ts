/** The scenes that every engine's renderer is tested on, and its gradients. */

import type { Scene } from './render-scene.ts';

/** What of a rendering a gradient starts from. */
export type Seen = 'features' | 'depth' | 'opacity';

export const SCENES: readonly (readonly [string, Scene])[] = [
  ['the published settings', {}],
  ['one layer', { options: { depth: 1 } }],
  ['two layers, two pictures', { options: { depth: 2 }, batch: 2 }],
  ['every draw given', { draws: ['jitter', 'quantiles', 'coarseNoise', 'fineNoise'], batch: 2 }],
  ['no importance pass', { options: { importanceSamples: 0 } }],
  ['no importance pass, jitter', { options: { importanceSamples: 0 }, draws: ['jitter'] }],
  ['disparity', { options: { disparity: true } }],
  ['white behind', { options: { whiteBack: true } }],
  ['no crop', { options: { cropMargin: 0 } }],
  ['everything cropped', { options: { cropMargin: 2 } }],
  ['limits by the cube', { options: { rayStart: 'auto', rayEnd: 'auto' } }],
  ['a larger cube', { options: { boxWarp: 1.7 } }],
  ['sigmoid', { options: { activation: 'sigmoid' } }],
  ['leaky ReLU, slow learning', { options: { activation: 'lrelu', lrMultiplier: 0.5 } }],
  ['odd sizes', { n: 9, side: 13, options: { samples: 5, importanceSamples: 3 } }],
  ['thin fog', { density: -12 }],
  ['beside the crop, as hard as steel', { density: 2500 }],
  ['an opaque body', { density: 400, options: { samples: 48, importanceSamples: 24 } }],
  [
    'an opaque body, every draw given',
    { density: 400, options: { samples: 40 }, draws: ['jitter', 'quantiles', 'coarseNoise', 'fineNoise'] },
  ],
  [
    'an opaque body, samples out of order',
    { density: 300, options: { samples: 48, rayStart: 3.3, rayEnd: 2.25 } },
  ],
  ...(
    [
      [300, -300],
      [3000, 0],
    ] as const
  ).map(([contrast, density]): [string, Scene] => [
    `thin shells, contrast ${contrast}`, // worst measured 3.3e-5
    { contrast, density, side: 40, tolerance: 1e-4, options: { samples: 48, importanceSamples: 48 } },
  ]),
  ['half opaque', { density: 60, options: { samples: 48, importanceSamples: 48 } }],
  ['the same, sigmoid', { density: 2500, options: { activation: 'sigmoid' } }],
];

export const GRADIENT_SCENES: readonly (readonly [string, Scene & { readonly seen?: readonly Seen[] }])[] = [
  ['the published settings', {}],
  ['features alone', { seen: ['features'] }],
  ['opacity alone', { seen: ['opacity'] }],
  // A mean depth does not follow densities that grow together: the last bias has a sum that nearly cancels. The
  // definition in single precision: 1.4e-5.
  ['depth alone', { seen: ['depth'], tolerance: 2e-4 }], // worst measured 6.1e-5
  ['one layer', { options: { depth: 1 } }],
  ['two layers, two pictures', { options: { depth: 2 }, batch: 2 }],
  ['three pictures', { batch: 3, n: 5 }],
  ['every draw given', { draws: ['jitter', 'quantiles', 'coarseNoise', 'fineNoise'], batch: 2 }],
  ['no importance pass', { options: { importanceSamples: 0 } }],
  ['no importance pass, noise', { options: { importanceSamples: 0 }, draws: ['jitter', 'coarseNoise'] }],
  ['disparity', { options: { disparity: true } }],
  ['white behind', { options: { whiteBack: true } }],
  ['no crop', { options: { cropMargin: 0 } }],
  ['everything cropped', { options: { cropMargin: 2 } }],
  ['limits by the cube', { options: { rayStart: 'auto', rayEnd: 'auto' } }],
  ['a larger cube', { options: { boxWarp: 1.7 } }],
  ['sigmoid', { options: { activation: 'sigmoid' } }],
  [
    'leaky ReLU, slow learning, white',
    { options: { activation: 'lrelu', lrMultiplier: 0.5, whiteBack: true } },
  ],
  ['odd sizes', { n: 9, side: 13, options: { samples: 5, importanceSamples: 3 } }],
  // Opacities of 1e-5 are 1 less a number rounded to 6e-8; worst measured 7.5e-3, the definition in single
  // precision 3.4e-2.
  ['thin fog', { density: -12, seen: ['features', 'opacity'], tolerance: 2e-2 }],
  ['an opaque body', { density: 400, options: { samples: 48, importanceSamples: 24 } }],
  ['half opaque', { density: 60, options: { samples: 48, importanceSamples: 48 } }],
  ['half opaque, sigmoid', { density: 60, options: { activation: 'sigmoid', samples: 48 } }],
];
