/** The loop's iterations are the steps of `train-step`, and a run that goes on is the run that never stopped. */

import { afterAll, describe, expect, test } from 'vitest';
import { createLoader, type LoaderPosition, openDataset } from '../src/dataset/index.ts';
import { shrunkDataset } from '../src/dataset/shrunk.ts';
import { defaultBody } from '../src/default-body.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { initialNetworks } from '../src/load.ts';
import type { JsonObject } from '../src/portrait/config.ts';
import { sharedRanks, threadCollective } from '../src/ranks/thread-collective.ts';
import { type NdArray, ndarray } from '../src/tensor/index.ts';
import { adversarialIteration } from '../src/training/adversarial.ts';
import { chunkStream, drawGenerated, drawPhase } from '../src/training/adversarial-draws.ts';
import { alone } from '../src/training/collective.ts';
import { stepParameters } from '../src/training/optimise.ts';
import { PHASES } from '../src/training/options.ts';
import { trainedParameters } from '../src/training/parameter-groups.ts';
import { residentNetworks } from '../src/training/resident.ts';
import { runNetworks } from '../src/training/run-networks.ts';
import { adamOptionsOf, densityOptionsOf, lossOptionsOf } from '../src/training/run-settings.ts';
import { scheduleAt } from '../src/training/schedules.ts';
import { sharedGradients } from '../src/training/share-gradients.ts';
import { runStep } from '../src/training/step.ts';
import { trainConfig } from '../src/training/train-defaults.ts';

const engine = cpuEngine({ threads: 2 });
afterAll(() => engine.dispose());

const config = trainConfig({ data: 'data/small.zip', preset: 'tiny', batch: 4, kimg: 1, seed: 5 });
const networks = runNetworks(config, defaultBody());
const fresh = initialNetworks(networks.preset, config.seed);
const read = { G: fresh.generator.read, D: fresh.discriminator().read };

async function openData({ data, mirror, batch, seed } = config, position?: LoaderPosition) {
  const opened = await openDataset(data, { mirror });
  const dataset = shrunkDataset(opened, networks.preset.resolution);
  const loader = createLoader(dataset, { batch, seed, ...(position && { position }) });
  const next = async () => {
    const reals = await loader.next();
    return { ...reals, position: { ...loader.position() } as unknown as JsonObject };
  };
  return {
    data: { count: dataset.count, labels: dataset.labels, next },
    close: () => opened.close(),
    loader,
  };
}

function initialTensors(): Map<string, NdArray> {
  const tensors = new Map<string, NdArray>();
  for (const [kind, { shapes }] of [
    ['G', networks.generator],
    ['D', networks.discriminator],
  ] as const)
    for (const name of shapes.keys()) tensors.set(`${kind}/${name}`, read[kind](name));
  return tensors;
}

function shapesOf() {
  const { generator, discriminator } = networks;
  return {
    G: { ...generator, parameters: trainedParameters(planOf(generator.shapes)) },
    D: { ...discriminator, parameters: trainedParameters(planOf(discriminator.shapes)) },
  };
}

/** Plans are shapes with roles. */
function planOf(shapes: unknown) {
  return shapes as Parameters<typeof trainedParameters>[0];
}

describe('an iteration', () => {
  test('steps the generator as train-step does with the same draws, and moves both averages', async () => {
    const { data, close, loader } = await openData();
    const residents = await residentNetworks(engine, shapesOf(), initialTensors(), {});
    const iterate = await adversarialIteration({ residents, networks, config, data, collective: alone });
    const report = await iterate({ iteration: 1, seen: 0, start: 0 });
    const after = await residents.tensors();
    await residents.dispose();
    await loader.close();

    const [loss, density] = [lossOptionsOf(config), densityOptionsOf(config)];
    const own = chunkStream(config.seed, 1, PHASES.indexOf('Gboth'), 0);
    const { generator } = networks;
    const generated = drawGenerated(own, config.batch, generator.config.zDim, data);
    const schedule = scheduleAt(0, 0, loss);
    const drawn = { phase: 'Gboth', batch: config.batch, loss, density, schedule } as const;
    const draws = drawPhase(own, generator, drawn, 0);
    const options = { phase: 'Gboth', gain: 1, loss, density, seen: 0, start: 0, noise: 'random' } as const;
    const step = await runStep(engine, { ...networks, read }, options, { generated, draws });
    const stepped = await stepParameters(engine, step.gradients, read.G, adamOptionsOf(config, 'G'));
    await close();

    expect(report.losses.get('Gboth')![0]).toBeCloseTo(step.losses[0], 5);
    let moved = 0;
    for (const [name, { data: wanted }] of stepped.values) {
      const got = after.get(`G/${name}`)!.data;
      const gradient = step.gradients.get(name)!.data as Float32Array;
      const rms = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0) / gradient.length);
      // With beta1 = 0 a first step is +-lr: a tiny gradient carries a sign only.
      got.forEach((value, i) => {
        if (Math.abs(gradient[i]) < 0.01 * rms || rms < 1e-7) return;
        expect(Math.abs(value - wanted[i])).toBeLessThan(2e-5); // worst measured: 7.6e-6, the last place of weights near 100
        moved++;
      });
      // At the first batch the average is a copy.
      expect(after.get(`G_ema/${name}`)!.data).toEqual(got);
    }
    expect(moved).toBeGreaterThan(10_000);
    expect(Math.max(...after.get('G/backbone.mapping.w_avg')!.data.map(Math.abs))).toBeGreaterThan(0);
  }, 60_000);

  test('that goes on from what was read out gives the bits of one that never stopped', async () => {
    // Two chunks an iteration, and both lazy phases.
    const settings = { batch: 8, microBatch: 4, densityReg: 0.25, densityRegEvery: 2, dRegEvery: 2 } as const;
    const other = trainConfig({ data: 'data/small.zip', preset: 'tiny', kimg: 1, seed: 6, ...settings });
    const run = async (splits: readonly number[]) => {
      let tensors = initialTensors();
      let steps: Record<string, number> = {};
      let position: LoaderPosition | undefined;
      let [iteration, seen] = [0, 0];
      const phases = new Map<string, number>();
      for (const count of splits) {
        const { data, close, loader } = await openData(other, position);
        const residents = await residentNetworks(engine, shapesOf(), tensors, steps);
        const task = { residents, networks, config: other, data, collective: alone };
        const iterate = await adversarialIteration(task);
        for (let i = 0; i < count; i++, iteration++, seen += other.batch) {
          const report = await iterate({ iteration, seen, start: 0 });
          position = report.position as unknown as LoaderPosition;
          for (const [phase, losses] of report.losses)
            phases.set(phase, (phases.get(phase) ?? 0) + losses.length);
        }
        tensors = await residents.tensors();
        steps = Object.fromEntries(
          (['G', 'D'] as const).flatMap((kind) =>
            [...residents.networks[kind]!.steps].map(([name, age]) => [`${kind}/${name}`, age]),
          ),
        );
        await residents.dispose();
        await loader.close();
        await close();
      }
      return { tensors, steps, phases, position };
    };
    const [whole, split] = [await run([2]), await run([1, 1])];
    // Losses of two chunks; fakes and reals are two.
    expect(Object.fromEntries(whole.phases)).toEqual({ Gmain: 4, Greg: 2, Dmain: 8, Dreg: 2 });
    expect(split.steps).toEqual(whole.steps);
    expect(split.position).toEqual(whole.position);
    for (const [name, { data }] of whole.tensors) expect(split.tensors.get(name)!.data, name).toEqual(data);
  }, 120_000);
});

describe('ranks', () => {
  test('numbers become the same sums everywhere, whatever their number', async () => {
    for (const [size, count] of [
      [1, 5],
      [3, 1],
      [3, 1000],
      [5, 7],
    ]) {
      const shared = sharedRanks(size, 1000);
      const results = await Promise.all(
        Array.from({ length: size }, async (_, rank) => {
          const collective = threadCollective(rank, shared);
          const values = Float32Array.from({ length: count }, (_, i) => (rank + 1) * 0.1 + i);
          const first = rank === 0 ? Float32Array.of(7, 8) : new Float32Array(2);
          await collective.allReduce(values);
          await collective.broadcast(first);
          await collective.allReduce(values);
          return [...values, ...first];
        }),
      );
      for (const result of results) expect(result).toEqual(results[0]);
      const each = Array.from({ length: size }, (_, rank) => (rank + 1) * 0.1).reduce((a, b) => a + b, 0);
      expect(results[0][0]).toBeCloseTo(each * size, 4);
      expect(results[0].slice(-2)).toEqual([7, 8]);
    }
    await expect(threadCollective(0, sharedRanks(2, 4)).allReduce(new Float32Array(5))).rejects.toThrow(
      'provided for',
    );
  });

  test('gradients become their mean', async () => {
    const shared = sharedRanks(2, 100);
    const shapes = shapesOf();
    const made = await Promise.all(
      [0, 1].map(async (rank) => {
        const { runner, dispose } = await residentNetworks(engine, shapes, initialTensors(), {});
        const gradients = new Map([
          [
            'a',
            await engine.upload(
              ndarray(
                [2, 3],
                [1, 2, 3, 4, 5, 6].map((x) => x + rank),
              ),
            ),
          ],
          ['b', await engine.upload(ndarray([], [10 * rank]))],
        ]);
        const mean = await sharedGradients(runner, threadCollective(rank, shared), gradients);
        const arrays = await Promise.all(
          [...mean].map(async ([name, value]) => [name, await engine.download(value)]),
        );
        await dispose();
        return Object.fromEntries(arrays) as Record<string, NdArray>;
      }),
    );
    for (const { a, b } of made) {
      expect([...a.data]).toEqual([1.5, 2.5, 3.5, 4.5, 5.5, 6.5]);
      expect([a.shape, [...b.data], b.shape]).toEqual([[2, 3], [5], []]);
    }
  });
});
