/** The gradient of a posed body's picture in the body's vertices and in its pose. */

import { afterAll, describe, expect, test } from 'vitest';
import { facesInBox, meshBlock, poseBody, posedVertices } from '../src/body/index.ts';
import { defaultBody } from '../src/default-body.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { kernelModule } from '../src/engines/kernels/index.ts';
import { planProgram } from '../src/engines/onnx/planner.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { parametersOf } from '../src/portrait/parameters.ts';
import { followingDeformation } from '../src/portrait/posing.ts';
import { render } from '../src/portrait/renderer.ts';
import { hostArrayOf } from '../src/tensor/host.ts';
import * as t from '../src/tensor/index.ts';
import { differences } from './gradients/differences.ts';
import { random, randomSource } from './primitives/values.ts';
import { compose, DEFAULTS, decoderShapes, gap, outputs } from './render-scene.ts';

const module = kernelModule();
const cpu = cpuEngine({ threads: 2 });
const reference = referenceEngine();
/** The same search in single precision, and the definition of everything else. */
const inParts = cpuEngine({
  threads: 2,
  kernels: { ...module, kernels: module.kernels.filter(({ name }) => !/^(renderRays|decode)/.test(name)) },
});

afterAll(async () => {
  for (const engine of [cpu, reference, inParts]) await engine.dispose();
});

const body = defaultBody();
const faces = facesInBox(body, 1);
const posing = { body, faces, thickness: 0.25 };
const [n, side] = [6, 12];

interface Options {
  readonly batch: number;
  readonly samples: number;
  readonly importanceSamples: number;
  /** Random faces instead of the nearest. */
  readonly given: boolean;
  readonly activation?: 'none' | 'sigmoid';
}

/** Gradients of random sums of features, depth and opacity in planes, decoder, vertices and pose. */
function scene({ batch, samples, importanceSamples, given, activation = 'none' }: Options, seed: number) {
  const options = { ...DEFAULTS, samples, importanceSamples, activation };
  const next = randomSource(seed);
  const poses = Float32Array.from({ length: 6 * batch }, () => (next() - 0.5) * 0.8);
  const blocks = Array.from({ length: batch }, (_, i) =>
    meshBlock({
      posed: poseBody(body, poses.subarray(6 * i, 6 * i + 6)),
      canonical: body.canonical,
      faces,
      thickness: posing.thickness,
    }),
  );
  const words = blocks[0].length;
  const mesh = new Int32Array(batch * words);
  blocks.forEach((block, i) => {
    mesh.set(block, i * words);
  });
  const face = (count: number): t.NdArray => ({
    dtype: 'int32',
    shape: [batch, n * n * count],
    data: Int32Array.from({ length: batch * n * n * count }, () => Math.floor((next() * faces.length) / 3)),
  });
  const inputs: Record<string, t.NdArray> = {
    ...compose({ batch, n, side }, seed).inputs,
    mesh: { dtype: 'int32', shape: [batch, words], data: mesh },
    pose: t.ndarray([batch, 6], poses),
    ...(given ? { coarse: face(samples), fine: face(importanceSamples) } : {}),
  };
  const shapes = decoderShapes(32);
  const parameters = Object.fromEntries(
    [...shapes].map(([name, { shape }], i) => [name, random('float32', shape, seed + i)]),
  );
  const graph = t.trace('posed', inputs, ({ planes, c, mesh: block, pose, coarse, fine }) => {
    const vertices = posedVertices(body, pose);
    const deform = followingDeformation(posing, block, vertices, given ? { coarse, fine } : undefined);
    const p = parametersOf(shapes);
    const rendered = render(p, planes, c, n, options, {}, deform);
    const value = Object.values(rendered)
      .map((tensor: t.Tensor, i) =>
        t.reduceSum(t.mul(tensor, t.constant(random('float32', tensor.shape, seed + 30 + i)))),
      )
      .reduce(t.add);
    const wrt: Record<string, t.Tensor> = { planes, vertices, pose };
    for (const name of shapes.keys()) wrt[name] = p.get(name);
    const found = t.grad(value, Object.values(wrt));
    return { value, ...Object.fromEntries(Object.keys(wrt).map((name, i) => [name, found[i]!])) };
  });
  return { graph, parameters, inputs };
}

function usesKernel({ graph, parameters }: ReturnType<typeof scene>): boolean {
  return planProgram(graph, module, parameters).steps.some(
    (step) => step.kind === 'threaded' && step.entry === 'renderRaysGrad',
  );
}

/** The slope of a look-up jumps between texels: seeds are those at which no sample is rounded to another texel.
 *
 * Frames of small faces in single precision are right to 1e-5, which is most of what remains.
 */
describe('by given faces, against the definition in float64', () => {
  test.each([
    { batch: 1, samples: 8, importanceSamples: 8, given: true },
    { batch: 2, samples: 7, importanceSamples: 5, given: true },
    { batch: 1, samples: 12, importanceSamples: 0, given: true },
    { batch: 2, samples: 8, importanceSamples: 8, given: true, activation: 'sigmoid' },
  ] as const)('batch $batch, $samples + $importanceSamples samples', async (options) => {
    const composed = scene(options, 8);
    expect(usesKernel(composed)).toBe(true);
    const [found, expected] = [await outputs(cpu, composed), await outputs(reference, composed)];
    for (const name of Object.keys(expected)) {
      expect(gap(found[name], expected[name]), name).toBeLessThan(5e-4); // worst measured 9.1e-5, with other seeds 1.7e-4
    }
    expect(found.pose.data.some((x) => x !== 0)).toBe(true);
  });
});

test('by the nearest faces, against the definition over the same search', async () => {
  const composed = scene({ batch: 2, samples: 12, importanceSamples: 12, given: false }, 9);
  expect(usesKernel(composed)).toBe(true);
  const [found, expected] = [await outputs(cpu, composed), await outputs(inParts, composed)];
  for (const name of Object.keys(expected)) {
    expect(gap(found[name], expected[name]), name).toBeLessThan(1e-5); // worst measured 1.8e-6
  }
});

test('the pose has the gradient that differences tell, its samples and faces held still', () => {
  const composed = scene({ batch: 1, samples: 8, importanceSamples: 0, given: true }, 5);
  const values = Object.fromEntries(
    Object.entries({ ...composed.inputs, ...composed.parameters }).map(([name, value]) => [
      name,
      hostArrayOf(value),
    ]),
  );
  const { apart, sloped } = differences(composed.graph, values, ['pose', 'planes'], 1e-6);
  expect(sloped).toBe(true);
  expect(apart).toBeLessThan(1e-6); // measured 3.8e-9
});
