/** The renderer's WGSL against its definitions in float64, on small random scenes. */

import { describe, expect, test } from 'vitest';
import { decoderWeights, density, field } from '../../src/portrait/decoder.ts';
import { parametersOf } from '../../src/portrait/parameters.ts';
import * as t from '../../src/tensor/index.ts';
import { distance, random } from '../primitives/values.ts';
import { compose, DEFAULTS, decoderShapes, type Scene } from '../render-scene.ts';
import { computed, defined, deviceOrReason, fusedNamed, inputsOf } from './render-support.ts';

const found = await deviceOrReason();
const reason = typeof found === 'string' ? ` (${found})` : '';
const device = found as GPUDevice;
if (reason !== '') console.warn(`the renderer's shaders are not tested:${reason}`);

describe.skipIf(reason !== '')(`decoded points${reason}`, () => {
  const cases = (['none', 'sigmoid', 'lrelu'] as const).flatMap((activation) =>
    [1, 3].map((depth) => ({ activation, depth })),
  );
  test.each(cases)('$activation, $depth layers', async ({ activation, depth }) => {
    const options = { ...DEFAULTS, activation, depth, boxWarp: depth === 1 ? 1.7 : 1 };
    const declared = { planes: t.f32(2, 96 * depth, 12, 12), points: t.f32(2, 77, 3) };
    const graph = t.trace('field', declared, (given) => {
      const weights = decoderWeights(parametersOf(decoderShapes(32)));
      return {
        ...field(weights, given.planes, given.points, options),
        alone: density(weights, given.planes, given.points, options),
      };
    });
    const { parameters } = compose({}, 5);
    const inputs = {
      planes: random('float32', declared.planes.shape, 6),
      points: random('float32', declared.points.shape, 7),
    };
    inputs.points.data.set(inputs.points.data.map((x) => x / 3));
    const program = { graph, parameters, inputs };
    for (const name of ['decodePoints', 'decodeDensity']) {
      const node = fusedNamed(program, name);
      const given = inputsOf(program, node);
      const expected = defined(node, given);
      const made = await computed(device, node, given);
      for (const [i, array] of made.entries()) {
        if (process.env.SHOW) console.log(name, i, distance(array, expected[i]));
        expect(distance(array, expected[i]), `${name}, output ${i}`).toBeLessThan(4e-5);
      }
    }
  });
});

const scenes: readonly (readonly [string, Scene])[] = [
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
    `thin shells, contrast ${contrast}`,
    { contrast, density, side: 40, tolerance: 1e-4, options: { samples: 48, importanceSamples: 48 } },
  ]),
  ['half opaque', { density: 60, options: { samples: 48, importanceSamples: 48 } }],
];

describe.skipIf(reason !== '')(`rays${reason}`, () => {
  test.each(scenes)('%s', async (_, scene) => {
    const program = compose(scene, 1);
    const node = fusedNamed(program, 'renderRays');
    const given = inputsOf(program, node);
    const expected = defined(node, given);
    const made = await computed(device, node, given);
    for (const [i, array] of made.entries()) {
      const apart = distance(array, expected[i]);
      if (process.env.SHOW) console.log(_, i, apart);
      expect(apart, `output ${i}`).toBeLessThan(4 * (scene.tolerance ?? 1e-5));
    }
  });
});
