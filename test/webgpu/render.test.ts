/** The renderer's WGSL against its definitions in float64, on small random scenes. */

import { describe, expect, test } from 'vitest';
import { decoderWeights, density, field } from '../../src/portrait/decoder.ts';
import { parametersOf } from '../../src/portrait/parameters.ts';
import * as t from '../../src/tensor/index.ts';
import { distance, random } from '../primitives/values.ts';
import { compose, DEFAULTS, decoderShapes } from '../render-scene.ts';
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
