/**
 * Is what the engine computes right? The cases of the tests against the reference engine (sums in double precision),
 * small scenes of the renderer with their gradients, and whole pictures against those of the cpu engine.
 */

import { join } from 'node:path';
import { referenceEngine } from '../../src/engines/reference/index.ts';
import * as t from '../../src/tensor/index.ts';
import { openFileSource } from '../../src/weights/index.ts';
import { materialize } from '../../src/weights/lazy-tensor.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import { composites } from '../../test/gradients/composites.ts';
import { gap, gradientRows } from '../../test/gradients/derived.ts';
import { type Case, disagreements, runCases } from '../../test/primitives/case.ts';
import { table } from '../../test/primitives/table.ts';
import { distance } from '../../test/primitives/values.ts';
import { compose, type Ending, outputs, type Scene } from '../../test/render-scene.ts';
import { allowance } from '../../test/webgpu/adapter.ts';
import type { Gpu } from './gpu.ts';
import { type Fields, round, type Section } from './record.ts';
import { differenceOf, sampled, sceneOutputs, scenesIn } from './scenes.ts';

/** Largest differences in units of the largest value. The worst of the web engine: composites and gradients 1.4e-6,
 * rendering 1.3e-6, pictures 3.3e-6. */
const TOLERANCE = { program: 1e-5, rendering: 1e-5, picture: 2e-5 };

export async function correctnessSection(gpu: Gpu, section: Section): Promise<void> {
  const engine = gpu.engine('f32');
  for (const [name, { cases, tolerance: strict }] of Object.entries(table)) {
    const tolerance = strict * allowance(engine);
    await section.row(`primitive ${name}`, async () => {
      const [found, expected] = await both(engine, name, cases);
      const wrong = disagreements(cases, found, expected, tolerance);
      const worst = Math.max(
        0,
        ...expected.flatMap((arrays, i) => arrays.map((a, k) => distance(found[i][k], a))),
      );
      return {
        ...verdict(worst, tolerance),
        cases: cases.length,
        ...(wrong.length > 0 && { wrong: wrong.slice(0, 3) }),
      };
    });
  }
  // A software adapter compiles for minutes what follows the first pictures; the tests run it there.
  const scenes = Object.entries(RENDERED).slice(0, gpu.small ? 1 : undefined);
  for (const [label, scene] of scenes)
    await section.row(`rendering, ${label}`, () => renderedRow(engine, scene));
  await pictureRows(gpu, engine, section);
  if (!gpu.small) {
    for (const [label, scene] of scenes)
      await section.row(`rendering, ${label}, and its gradient`, () => renderedRow(engine, scene, slopes));
    for (const [name, cases] of Object.entries(composites))
      await section.row(`composite ${name}`, () => gapRow(engine, name, cases));
    for (const [name, cases] of Object.entries(gradientRows))
      await section.row(`gradients ${name}`, () => gapRow(engine, name, cases));
  }
  await engine.dispose();
}

function verdict(worst: number, tolerance: number): Fields {
  return { worst: round(worst), tolerance, within: worst <= tolerance };
}

const reference = referenceEngine();

async function both(engine: t.Engine, name: string, cases: readonly Case[]) {
  return [await runCases(engine, name, cases), await runCases(reference, name, cases)] as const;
}

async function gapRow(engine: t.Engine, name: string, cases: readonly Case[]): Promise<Fields> {
  const tolerance = TOLERANCE.program * allowance(engine);
  const [found, expected] = await both(engine, name, cases);
  const gaps = cases.map((one, i) => ({
    name: one.name,
    worst: Math.max(0, ...expected[i].map((array, k) => gap(found[i][k], array))),
  }));
  const wrong = gaps.filter(({ worst }) => !(worst <= tolerance));
  return {
    ...verdict(Math.max(0, ...gaps.map(({ worst }) => worst)), tolerance),
    ...(wrong.length > 0 && { wrong: wrong.slice(0, 3).map((one) => `${one.name}: ${one.worst}`) }),
  };
}

const RENDERED: Readonly<Record<string, Scene>> = {
  'the published settings': {},
  'two bodies, drawn depths and noise': {
    batch: 2,
    draws: ['jitter', 'quantiles', 'coarseNoise', 'fineNoise'],
  },
  'no importance samples, a sigmoid': { options: { importanceSamples: 0, activation: 'sigmoid' } },
};

/** Gradients of the sum of squares of all that is seen. */
const slopes: Ending = (rendered, planes, decoder) => {
  const seen = Object.values(rendered).map((x) => t.reduceSum(t.mul(x, x)));
  const wrt = { planes, ...decoder };
  const found = t.grad(seen.reduce(t.add), Object.values(wrt));
  return Object.fromEntries(Object.keys(wrt).map((name, i) => [name, found[i]!]));
};

async function renderedRow(engine: t.Engine, scene: Scene, ending?: Ending): Promise<Fields> {
  const program = compose(scene, 11, ending);
  const [found, expected] = [await outputs(engine, program), await outputs(reference, program)];
  const apart = Object.entries(expected).map(
    ([name, { data }]) => [name, differenceOf(found[name].data, data).worst] as const,
  );
  return {
    ...verdict(Math.max(...apart.map(([, worst]) => worst)), TOLERANCE.rendering * allowance(engine)),
    outputs: Object.fromEntries(apart.map(([name, worst]) => [name, round(worst)])),
  };
}

/** Depths times opacity: where nothing is, a depth is the quotient of two numbers near 0, and each engine has its own. */
function whereSeen(depths: Float32Array, mask: Float32Array): Float32Array {
  return depths.map((depth, i) => depth * Math.max(0, mask[i] + 0.001));
}

async function pictureRows(gpu: Gpu, engine: t.Engine, section: Section): Promise<void> {
  const source = openFileSource(join(gpu.data, 'expected.safetensors'));
  const { tensors } = readSafetensors(source);
  for (const scene of scenesIn(gpu.data, gpu.small)) {
    await section.row(`pictures, ${scene.name}`, async () => {
      const found = await scene.open((network) => sceneOutputs(engine, network));
      const expectedOf = (name: string): Float32Array =>
        materialize(tensors.get(`${scene.name}/${name}`)!).data as Float32Array;
      const apart = Object.entries(found).map(([name, value]) => {
        const [own, expected] = [sampled(value), expectedOf(name)];
        if (!name.endsWith('image_depth')) return [name, differenceOf(own, expected)] as const;
        const mask = expectedOf(name.replace('image_depth', 'image_mask'));
        return [name, differenceOf(whereSeen(own, mask), whereSeen(expected, mask))] as const;
      });
      return {
        ...verdict(Math.max(...apart.map(([, { worst }]) => worst)), TOLERANCE.picture * allowance(engine)),
        outputs: Object.fromEntries(
          apart.map(([name, { worst, typical }]) => [name, [round(worst), round(typical)]]),
        ),
      };
    });
  }
  source.close();
}
