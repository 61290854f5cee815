/**
 * `npm run bench:render`: the volume renderer of the cpu engine at full size, 128 x 128 rays of 48 + 48 samples in
 * planes of 3 x 3 x 256 x 256 x 32, on one and two threads, beside its own definition on ONNX Runtime.
 *
 * Then its gradient in planes and decoder, and in the pose of our own body; and that of the definition at 64 x 64
 * rays, since it keeps every sample's values. With `--gradient`, nothing else; with `--fast`, no definitions.
 *
 * Random weights and planes: fog everywhere, so that no sample is spared but those outside the crop.
 */

import { posedVertices } from '../src/body/index.ts';
import { defaultBody } from '../src/default-body.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { cameraLabel, viewCamera } from '../src/portrait/camera.ts';
import { generatorConfig } from '../src/portrait/config.ts';
import { densityGraph, fieldGraph, type GeneratorNetwork, renderGraph } from '../src/portrait/generator.ts';
import { initialise } from '../src/portrait/initialise.ts';
import { parametersOf } from '../src/portrait/parameters.ts';
import { followingDeformation, poseBodies, posingOf } from '../src/portrait/posing.ts';
import { generatorPlan, generatorRecord, presetOf } from '../src/portrait/presets.ts';
import { type RenderingOptions, render } from '../src/portrait/renderer.ts';
import {
  type Aval,
  add,
  type Engine,
  f32,
  type Graph,
  grad,
  mul,
  ndarray,
  reduceSum,
  type Tensor,
  trace,
  type Values,
} from '../src/tensor/index.ts';
import { best, machine, normals, table } from './support.ts';

const ROUNDS = 15;
const preset = presetOf('512-128');
const draw = normals();
const values = initialise(generatorPlan(preset), draw);
const record = generatorRecord(preset);
const network: GeneratorNetwork = { config: generatorConfig(record), shapes: record.shapes };
const { rendering, planeResolution } = network.config;
const c = ndarray([1, 25], cameraLabel(viewCamera(20, 5)));
const planeShape = [1, 96 * rendering.depth, planeResolution, planeResolution];
const planes = ndarray(planeShape, draw(planeShape.reduce((a, b) => a * b, 1)));
/** A slab of a regular grid of 128 points a side, as surfaces are sought in. */
const POINTS = 128 * 128 * 16;
const points = ndarray(
  [1, POINTS, 3],
  Float32Array.from({ length: POINTS * 3 }, (_, i) => {
    const point = Math.floor(i / 3);
    return ([point % 128, (point >> 7) % 128, point >> 14][i % 3] + 0.5) / 128 - 0.5;
  }),
);

const programOf = (engine: Engine, graph: Graph) =>
  engine.compile(graph, {
    parameters: Object.fromEntries(graph.parameters.map(({ name }) => [name, values.get(name)!])),
  });

async function timed(engine: Engine, graph: Graph, inputs: Values, rounds = ROUNDS): Promise<number> {
  const program = await programOf(engine, graph);
  const run = async (): Promise<void> => {
    const made = await program.runResident(inputs);
    for (const value of Object.values(made)) await engine.release(value);
  };
  if (rounds > 1) await run();
  const ms = await best(rounds, run);
  await program.dispose();
  return ms;
}

/** The same with planes that are with the engine, but not laid out yet. */
async function timedFresh(engine: Engine, graph: Graph): Promise<number> {
  const program = await programOf(engine, graph);
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    const resident = await engine.upload(planes);
    const start = performance.now();
    const made = await program.runResident({ planes: resident, c });
    smallest = Math.min(smallest, performance.now() - start);
    for (const value of [resident, ...Object.values(made)]) await engine.release(value);
  }
  await program.dispose();
  return smallest;
}

const view = (n: number, changes: Partial<RenderingOptions> = {}): Graph =>
  renderGraph(network, 1, n, { ...rendering, ...changes });

const posing = posingOf(defaultBody(), rendering.boxWarp, 0.25);
const pose = ndarray([1, 6], [0.1, -0.2, 0.05, 0.2, 0.3, -0.1]);
const { mesh } = poseBodies(posing, pose);

/** Cotangents of features and opacity to gradients of planes and decoder, and of the pose if there is one; the picture
 * is computed as well. */
function gradientGraph(n: number, posed: boolean, back: boolean): Graph {
  const declared = {
    planes: f32(...planeShape),
    c: f32(1, 25),
    ...(posed ? { mesh, pose } : {}),
    ...(back ? cotangents(n) : {}),
  };
  return trace('gradient', declared as Readonly<Record<string, Aval>>, (given) => {
    const p = parametersOf(network.shapes).scope('decoder');
    const deform = posed
      ? followingDeformation(posing, given.mesh, posedVertices(posing.body, given.pose))
      : undefined;
    const made = render(p, given.planes, given.c, n, rendering, {}, deform);
    if (!back) return { ...made };
    const seen = add(
      reduceSum(mul(made.features, given.features)),
      reduceSum(mul(made.opacity, given.opacity)),
    );
    const wrt: Record<string, Tensor> = { planes: given.planes };
    if (posed) wrt.pose = given.pose;
    for (const name of ['net.0.weight', 'net.0.bias', 'net.2.weight', 'net.2.bias']) wrt[name] = p.get(name);
    const found = grad(seen, Object.values(wrt));
    return {
      ...made,
      ...Object.fromEntries(Object.keys(wrt).map((name, i) => [`d:${name}`, found[i]!])),
    };
  });
}

const cotangents = (n: number) => ({
  features: ndarray([1, 32, n, n], draw(32 * n * n)),
  opacity: ndarray([1, 1, n, n], draw(n * n)),
});

interface GradientTimes {
  readonly forward: number;
  readonly both: number;
}

async function measureGradient(
  engine: Engine,
  n: number,
  posed = false,
  rounds = ROUNDS,
): Promise<GradientTimes> {
  const resident = await engine.upload(planes);
  const inputs = { planes: resident, c, ...(posed ? { mesh, pose } : {}) };
  const forward = await timed(engine, gradientGraph(n, posed, false), inputs, rounds);
  const both = await timed(engine, gradientGraph(n, posed, true), { ...inputs, ...cotangents(n) }, rounds);
  await engine.release(resident);
  return { forward, both };
}

const peakMegabytes = (): number => process.resourceUsage().maxRSS / 1024;

interface Times {
  readonly whole: number;
  readonly uncropped: number;
  readonly bare: number;
  readonly preview: number;
  readonly fresh: number;
  readonly sent: number;
  readonly points: number;
  readonly densities: number;
}

async function measure(threads: number): Promise<Times> {
  const engine = cpuEngine({ threads });
  const resident = await engine.upload(planes);
  const inputs = { planes: resident, c };
  const times = {
    whole: await timed(engine, view(128), inputs),
    uncropped: await timed(engine, view(128, { cropMargin: 0 }), inputs),
    // A margin wider than the box: every sample is cropped, rays and marching remain.
    bare: await timed(engine, view(128, { cropMargin: rendering.boxWarp }), inputs),
    preview: await timed(engine, view(64), inputs),
    fresh: await timedFresh(engine, view(128)),
    sent: await timed(engine, view(128), { planes, c }),
    points: await timed(engine, fieldGraph(network, 1, POINTS), { planes: resident, points }),
    densities: await timed(engine, densityGraph(network, 1, POINTS), { planes: resident, points }),
  };
  await engine.dispose();
  return times;
}

const gradients: Record<string, GradientTimes> = {};
for (const threads of [1, 2]) {
  const engine = cpuEngine({ threads });
  for (const n of [64, 128]) {
    for (const posed of [false, true]) {
      gradients[`${n}/${threads}/${posed}`] = await measureGradient(engine, n, posed);
    }
  }
  await engine.dispose();
}
const peakOfKernels = peakMegabytes();
const whole = !process.argv.includes('--gradient');
const results = whole ? [await measure(1), await measure(2)] : [];
const definition = cpuEngine({ threads: 2, kernels: 'none' });
const slow = process.argv.includes('--fast') ? undefined : await measureGradient(definition, 64, false, 1);
const peakOfDefinition = peakMegabytes();
const onnx =
  process.argv.includes('--fast') || !whole
    ? Number.NaN
    : await timed(definition, view(128), { planes, c }, 1);
await definition.dispose();

const samples = 128 * 128 * (rendering.samples + rendering.importanceSamples);
const ms = (select: (times: Times) => number): string[] => results.map((times) => select(times).toFixed(0));
const rate = (select: (times: Times) => number, count: number): string[] =>
  results.map((times) => `${(count / select(times) / 1000).toFixed(2)} M/s`);
console.log(`${machine(2)}; relaxed SIMD; smallest of ${ROUNDS}\n`);
if (whole)
  console.log(
    table(
      ['rendering 128 x 128 rays, 48 + 48 samples', '1 thread', '2 threads'],
      [
        ['**whole, planes kept**, ms', ...ms(({ whole }) => whole)],
        ['nothing cropped (1,572,864 samples), ms', ...ms(({ uncropped }) => uncropped)],
        ['everything cropped: rays, march, importance, ms', ...ms(({ bare }) => bare)],
        ['look-up and decoder, samples', ...rate(({ uncropped, bare }) => uncropped - bare, samples)],
        [
          'share of look-up and decoder',
          ...results.map((t) => `${((1 - t.bare / t.whole) * 100).toFixed(0)} %`),
        ],
        ['first picture of resident planes: copied and laid out, ms more', ...ms((t) => t.fresh - t.whole)],
        ['planes given as an array: sent as well, ms more', ...ms((t) => t.sent - t.whole)],
        ['preview 64 x 64 rays, ms', ...ms(({ preview }) => preview)],
        ['grid points with colours (field)', ...rate((t) => t.points, POINTS)],
        ['grid points, density alone', ...rate((t) => t.densities, POINTS)],
        ['definition on ONNX Runtime, ms', '', onnx.toFixed(0)],
        ['definition / kernel', '', (onnx / results[1].whole).toFixed(1)],
      ],
    ),
  );

const row = (n: number, threads: number, posed = false): string[] => {
  const { forward, both } = gradients[`${n}/${threads}/${posed}`];
  const back = both - forward;
  return [
    `${n} x ${n} rays${posed ? ', and in the pose' : ''}, ${threads} thread${threads > 1 ? 's' : ''}`,
    forward.toFixed(0),
    back.toFixed(0),
    (back / forward).toFixed(2),
  ];
};
console.log(
  `\n${table(
    ['gradient in planes and decoder, 48 + 48 samples', 'forward, ms', 'backward, ms', 'backward / forward'],
    [
      row(64, 1),
      row(64, 2),
      row(128, 1),
      row(128, 2),
      row(64, 2, true),
      row(128, 2, true),
      [
        '64 x 64 rays by the definition, 2 threads',
        slow?.forward.toFixed(0) ?? '',
        slow === undefined ? '' : (slow.both - slow.forward).toFixed(0),
        slow === undefined ? '' : ((slow.both - slow.forward) / slow.forward).toFixed(2),
      ],
    ],
  )}`,
);
console.log(
  `\npeak memory of the process: ${peakOfKernels.toFixed(0)} MiB with kernels (128 x 128 rays included), ` +
    `${peakOfDefinition.toFixed(0)} MiB with the definition`,
);
