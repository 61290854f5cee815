/** Small random scenes for tests of the renderer. */

import { cameraLabel, viewCamera } from '../src/portrait/camera.ts';
import { decoderWeights, density, field } from '../src/portrait/decoder.ts';
import { parametersOf } from '../src/portrait/parameters.ts';
import { type RenderDraws, type Rendered, type RenderingOptions, render } from '../src/portrait/renderer.ts';
import * as t from '../src/tensor/index.ts';
import { random, randomSource } from './primitives/values.ts';

export const DEFAULTS: RenderingOptions = {
  samples: 8,
  importanceSamples: 8,
  rayStart: 2.25,
  rayEnd: 3.3,
  disparity: false,
  whiteBack: false,
  cropMargin: 0.1,
  depth: 3,
  boxWarp: 1,
  activation: 'none',
  lrMultiplier: 1,
};

export interface Scene {
  readonly options?: Partial<RenderingOptions>;
  readonly batch?: number;
  /** Rays a side, and texels a side. */
  readonly n?: number;
  readonly side?: number;
  readonly channels?: number;
  readonly draws?: readonly (keyof RenderDraws)[];
  /** Added to the decoder's density, which is multiplied by the contrast before. */
  readonly density?: number;
  readonly contrast?: number;
  /** Where densities of thousands magnify roundings: the definition in single precision is 1.2e-4 away. */
  readonly tolerance?: number;
}

export function decoderShapes(channels: number) {
  return new Map<string, t.Aval>([
    ['net.0.weight', t.f32(64, channels)],
    ['net.0.bias', t.f32(64)],
    ['net.2.weight', t.f32(33, 64)],
    ['net.2.bias', t.f32(33)],
  ]);
}

/** What a scene's program gives. */
export type Ending = (
  rendered: Rendered,
  planes: t.Tensor,
  decoder: Readonly<Record<string, t.Tensor>>,
) => Readonly<Record<string, t.Tensor>>;

/** Program, weights and inputs of a scene. */
export function compose(scene: Scene, seed: number, ending: Ending = (rendered) => ({ ...rendered })) {
  const { batch = 1, n = 6, side = 12, channels = 32, draws = [], density = 0, contrast = 1 } = scene;
  const options = { ...DEFAULTS, ...scene.options };
  const shapes = decoderShapes(channels);
  const drawn: Record<keyof RenderDraws, t.Aval> = {
    jitter: t.f32(batch, n * n, options.samples),
    quantiles: t.f32(batch * n * n, options.importanceSamples),
    coarseNoise: t.f32(batch, n * n * options.samples, 1),
    fineNoise: t.f32(batch, n * n * options.importanceSamples, 1),
  };
  const declared: Record<string, t.Aval> = {
    planes: t.f32(batch, 3 * channels * options.depth, side, side),
    c: t.f32(batch, 25),
    ...Object.fromEntries(draws.map((name) => [name, drawn[name]])),
  };
  const graph = t.trace('render', declared, (given) => {
    const chosen = Object.fromEntries(draws.map((name) => [name, given[name]]));
    const p = parametersOf(shapes);
    const decoder = Object.fromEntries([...shapes.keys()].map((name) => [name, p.get(name)]));
    return ending(render(p, given.planes, given.c, n, options, chosen), given.planes, decoder);
  });
  const parameters = Object.fromEntries(
    [...shapes].map(([name, { shape }], i) => [name, random('float32', shape, seed + i)]),
  );
  const row = parameters['net.2.weight'].data.subarray(0, 64);
  row.set(row.map((x) => x * contrast));
  parameters['net.2.bias'].data[0] += density;
  const next = randomSource(seed);
  const labels = Array.from({ length: batch }, () => [
    ...cameraLabel(viewCamera(next() * 360 - 180, next() * 40 - 20)),
  ]);
  const inputs: Record<string, t.NdArray> = {
    planes: random('float32', declared.planes.shape, seed + 10),
    c: t.ndarray([batch, 25], labels.flat()),
  };
  for (const name of draws) {
    const values = random('float32', declared[name].shape, seed + 20);
    if (!name.endsWith('Noise')) values.data.set(values.data.map((x) => (x + 2) / 4.001));
    inputs[name] = values;
  }
  return { graph, parameters, inputs };
}

/** Compiles, runs once and disposes of the program. */
export async function outputs(engine: t.Engine, { graph, parameters, inputs }: ReturnType<typeof compose>) {
  const program = await engine.compile(graph, { parameters });
  const made = await program.run(inputs);
  await program.dispose();
  return made;
}

/** Largest difference in units of the expected array's largest magnitude. */
export function gap(got: t.NdArray, want: t.NdArray): number {
  let [worst, scale] = [0, 1e-30];
  for (let i = 0; i < want.data.length; i++) {
    scale = Math.max(scale, Math.abs(want.data[i]));
    const apart = Math.abs(got.data[i] - want.data[i]);
    worst = Math.max(worst, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
  }
  return worst / scale;
}

/** Gradients of decoded points, of their sum times random numbers, in planes, points and the decoder. */
export function pointGradients(
  inputs: Readonly<Record<string, t.NdArray>>,
  what: 'colours' | 'densities',
  activation: RenderingOptions['activation'],
): t.Graph {
  const options = { ...DEFAULTS, activation };
  const shapes = decoderShapes(32);
  return t.trace('field', inputs, ({ planes, points }) => {
    const p = parametersOf(shapes);
    const weights = decoderWeights(p);
    const made =
      what === 'colours'
        ? Object.values(field(weights, planes, points, options))
        : [density(weights, planes, points, options)];
    const value = made
      .map((tensor: t.Tensor, i) =>
        t.reduceSum(t.mul(tensor, t.constant(random('float32', tensor.shape, 50 + i)))),
      )
      .reduce(t.add);
    const wrt: Record<string, t.Tensor> = { planes, points };
    for (const name of shapes.keys()) wrt[name] = p.get(name);
    const found = t.grad(value, Object.values(wrt));
    return Object.fromEntries(Object.keys(wrt).map((name, i) => [name, found[i]!]));
  });
}
