/** Gradients by the renderer's WGSL, against the automatic gradients of the definitions in float64. */

import { describe, expect, test } from 'vitest';
import * as t from '../../src/tensor/index.ts';
import { random } from '../primitives/values.ts';
import { compose, DEFAULTS, gap, pointGradients, type Scene } from '../render-scene.ts';
import { GRADIENT_SCENES, type Seen } from '../render-scenes.ts';
import {
  ALL,
  computed,
  defined,
  deviceOrReason,
  fusedNamed,
  gradients,
  inputsOf,
  posedScene,
} from './render-support.ts';

const found = await deviceOrReason();
const reason = typeof found === 'string' ? ` (${found})` : '';
const device = found as GPUDevice;
if (reason !== '') console.warn(`the renderer's gradients are not tested:${reason}`);

const gradientScenes: readonly (readonly [
  string,
  Scene & { readonly seen?: readonly Seen[]; readonly wanted?: readonly string[] },
])[] = [
  ...GRADIENT_SCENES,
  ['the planes alone', { wanted: ['planes'] }],
  ['the decoder alone', { wanted: ['net.0.weight', 'net.2.bias'] }],
];

describe.skipIf(reason !== '')(`gradients of rays${reason}`, () => {
  test.each(gradientScenes)('%s', async (_, scene) => {
    const program = compose(scene, 1, gradients(scene.seen ?? ALL, scene.wanted));
    const node = fusedNamed(program, 'renderRaysGrad');
    const given = inputsOf(program, node);
    const expected = defined(node, given);
    const made = await computed(device, node, given);
    const { outputs } = node.attrs.options as unknown as { outputs: string[] };
    for (const [i, array] of made.entries()) {
      const apart = gap(array, expected[i]);
      if (process.env.SHOW) console.log(_, outputs[i], apart);
      expect(apart, outputs[i]).toBeLessThan(scene.tolerance ?? 3e-5); // worst measured 3.6e-6
    }
  });
});

describe.skipIf(reason !== '')(`gradients of rays through a posed body${reason}`, () => {
  test.each([
    ['maps', {}],
    ['faces', {}],
    ['faces', { samples: 7, importanceSamples: 5, activation: 'sigmoid' }],
    ['faces', { importanceSamples: 0 }],
    ['block', {}],
  ] as const)('by %s, %o', async (by, changes) => {
    const program = posedScene(by, { ...DEFAULTS, ...changes }, [6, 12], (rendered, planes, posed) => {
      const value = ALL.map((name, i) => {
        const weights = random('float32', rendered[name].shape, 40 + i);
        return t.reduceSum(t.mul(rendered[name], t.constant(weights)));
      }).reduce(t.add);
      const found = t.grad(value, by === 'block' ? [planes] : [planes, posed]);
      return Object.fromEntries(found.map((tensor, i) => [`${i}`, tensor!]));
    });
    const node = fusedNamed(program, 'renderRaysGrad');
    const given = inputsOf(program, node);
    const expected = defined(node, given);
    const made = await computed(device, node, given);
    const { outputs } = node.attrs.options as unknown as { outputs: string[] };
    expect(outputs).toEqual(by === 'block' ? ['planes'] : ['planes', 'maps']);
    for (const [i, array] of made.entries()) {
      const apart = gap(array, expected[i]);
      if (process.env.SHOW) console.log(by, outputs[i], apart);
      expect(apart, outputs[i]).toBeLessThan(3e-5); // worst measured 2.3e-6
    }
  });
});

describe.skipIf(reason !== '')(`gradients of decoded points${reason}`, () => {
  const cases = (['none', 'sigmoid', 'lrelu'] as const).flatMap((activation) =>
    (['colours', 'densities'] as const).map((what) => ({ activation, what })),
  );
  test.each(cases)('$activation, $what', async ({ activation, what }) => {
    const inputs: Record<string, t.NdArray> = {
      planes: random('float32', [2, 288, 12, 12], 6),
      points: random('float32', [2, 77, 3], 7),
    };
    inputs.points.data.set(inputs.points.data.map((x) => x / 3));
    const graph = pointGradients(inputs, what, activation);
    const { parameters } = compose({}, 5);
    const program = { graph, parameters, inputs };
    const node = fusedNamed(program, 'decodePointsGrad');
    const given = inputsOf(program, node);
    const expected = defined(node, given);
    const made = await computed(device, node, given);
    const { outputs } = node.attrs.options as unknown as { outputs: string[] };
    expect(outputs.length).toBe(6);
    for (const [i, array] of made.entries()) {
      const apart = gap(array, expected[i]);
      if (process.env.SHOW) console.log(activation, what, outputs[i], apart);
      expect(apart, outputs[i]).toBeLessThan(3e-5); // worst measured 4.4e-6
    }
  });
});
