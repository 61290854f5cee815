/**
 * `npm run bench:train [-- PRESET...] [--ranks]`: pictures a second of whole training iterations on the cpu engine,
 * where their time goes, and what the loader could deliver beside it, in one run.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLoader, openDataset } from '../src/dataset/index.ts';
import { shrunkDataset } from '../src/dataset/shrunk.ts';
import { installedAssets } from '../src/dataset/synthetic/assets.ts';
import { synthesise } from '../src/dataset/synthetic/synthesise.ts';
import { openTaughtSet } from '../src/dataset/taught.ts';
import { createTaughtLoader } from '../src/dataset/taught-loader.ts';
import { defaultBody } from '../src/default-body.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { initialNetworks } from '../src/load.ts';
import type { PresetName } from '../src/portrait/presets.ts';
import { discriminatorPlan, generatorPlan } from '../src/portrait/presets.ts';
import type { NdArray } from '../src/tensor/index.ts';
import { adversarialIteration } from '../src/training/adversarial.ts';
import { alone } from '../src/training/collective.ts';
import type { RunConfig } from '../src/training/config.ts';
import type { IterationReport, Place } from '../src/training/iteration.ts';
import { trainedParameters } from '../src/training/parameter-groups.ts';
import { type ResidentNetworks, residentNetworks } from '../src/training/resident.ts';
import { type RunNetworks, runNetworks } from '../src/training/run-networks.ts';
import { batchOf } from '../src/training/run-settings.ts';
import { taughtIteration } from '../src/training/taught.ts';
import { teachConfig, trainConfig } from '../src/training/train-defaults.ts';
import { ceiling } from './ceiling.ts';
import { machine, table } from './support.ts';

/** Iterations that are timed: a whole period of the lazy regulariser. */
const ITERATIONS = 16;
/** Batches that the loader is timed with. */
const LOADS = 50;

const SET = {
  ...{
    seed: 1,
    count: 256,
    views: 4,
    cameras: 'phq' as const,
    poses: 'natural' as const,
    heldOut: 0,
    cameraLight: false,
  },
  ...{ backdrops: 'identity' as const, format: 'png' as const, depth: true, workers: 2, resume: false },
  assets: installedAssets(),
};

const threads = Math.min(2, availableParallelism());
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--')) as PresetName[];
const folder = mkdtempSync(join(tmpdir(), 'bench-train-'));
try {
  console.log(machine(threads));
  const r = await ceiling(threads);
  for (const preset of asked.length > 0 ? asked : (['64-32', '128-32'] as const)) {
    const size = preset.startsWith('64') ? 64 : 128;
    const set = join(folder, `${size}.zip`);
    await synthesise({ ...SET, out: set, size });
    await measure(trainConfig({ data: set, preset, kimg: 100 }), r);
    await measure(teachConfig({ data: set, preset, kimg: 100 }), r);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

interface Data {
  readonly iterate: (place: Place) => Promise<IterationReport>;
  /** Pictures a second of the loader alone. */
  readonly loaded: () => Promise<number>;
  readonly close: () => Promise<void>;
}

async function measure(config: RunConfig, r: Awaited<ReturnType<typeof ceiling>>): Promise<void> {
  const engine = cpuEngine({ threads });
  const networks = runNetworks(config, defaultBody());
  const { preset, generator, discriminator } = networks;
  const fresh = initialNetworks(preset, 0);
  const read = { G: fresh.generator.read, D: fresh.discriminator().read };
  const shapes = {
    G: { ...generator, parameters: trainedParameters(generatorPlan(preset)) },
    D: { ...discriminator, parameters: trainedParameters(discriminatorPlan(preset)) },
  };
  const tensors = new Map<string, NdArray>();
  for (const kind of ['G', 'D'] as const)
    for (const name of shapes[kind].shapes.keys()) tensors.set(`${kind}/${name}`, read[kind](name));
  const residents = await residentNetworks(engine, shapes, tensors, {});
  const spent = new Map<string, number>();
  const data = await dataOf(config, networks, timed(residents, spent));
  // The first iteration compiles everything.
  await data.iterate({ iteration: 0, seen: 0, start: 0 });
  spent.clear();
  await r.sample();
  const begun = performance.now();
  for (let iteration = 1; iteration <= ITERATIONS; iteration++)
    await data.iterate({ iteration, seen: iteration * batchOf(config), start: 0 });
  const ms = (performance.now() - begun) / ITERATIONS;
  await r.sample();
  const perSecond = (batchOf(config) / ms) * 1000;
  const loaded = await data.loaded();
  console.log(
    `\n${config.command} ${config.preset}, ${batchOf(config)} pictures an iteration: ${perSecond.toFixed(2)} a second; ` +
      `the loader alone ${loaded.toFixed(0)}, ${(loaded / perSecond).toFixed(0)} times as many; R = ${r.gflops().toFixed(0)} GFLOP/s\n`,
  );
  const engineMs = [...spent.values()].reduce((a, b) => a + b, 0) / ITERATIONS;
  const rows = [...spent].map(([slot, sum]) => [slot, sum / ITERATIONS] as const);
  console.log(
    table(
      ['part', 'ms an iteration', 'share'],
      [...rows.sort((a, b) => b[1] - a[1]), ['plain code between programs', ms - engineMs] as const].map(
        ([part, value]) => [part, value.toFixed(1), `${((100 * value) / ms).toFixed(0)} %`],
      ),
    ),
  );
  await data.close();
  await residents.dispose();
  await engine.dispose();
}

/** The same networks, with the time of each program noted. */
function timed(residents: ResidentNetworks, spent: Map<string, number>): ResidentNetworks {
  const { runner } = residents;
  return {
    ...residents,
    runner: {
      engine: runner.engine,
      async run(slot, ...rest) {
        const begun = performance.now();
        try {
          return await runner.run(slot, ...rest);
        } finally {
          spent.set(slot, (spent.get(slot) ?? 0) + performance.now() - begun);
        }
      },
    },
  };
}

async function dataOf(config: RunConfig, networks: RunNetworks, residents: ResidentNetworks): Promise<Data> {
  const rate = async (next: () => Promise<unknown>): Promise<number> => {
    const begun = performance.now();
    for (let i = 0; i < LOADS; i++) await next();
    return (LOADS * batchOf(config) * 1000) / (performance.now() - begun);
  };
  const collective = alone;
  if (config.command === 'train') {
    const dataset = await openDataset(config.data, { mirror: config.mirror });
    const items = shrunkDataset(dataset, networks.preset.resolution);
    const loader = createLoader(items, { batch: config.batch });
    const next = async () => ({ ...(await loader.next()), position: {} });
    const data = { count: items.count, labels: items.labels, next };
    return {
      iterate: await adversarialIteration({ residents, networks, config, data, collective }),
      loaded: () => rate(() => loader.next()),
      close: async () => {
        await loader.close();
        await dataset.close();
      },
    };
  }
  // Without pictures kept in memory: the loader decodes each.
  const set = await openTaughtSet(config.data, { cacheBytes: 0 });
  const loader = createTaughtLoader(set, { people: config.people, views: config.views });
  const next = async () => ({ ...(await loader.next()), position: {} });
  const data = { count: set.dataset.count, labels: set.dataset.labels, next };
  return {
    iterate: taughtIteration({ residents, networks, config, data, collective }),
    loaded: () => rate(() => loader.next()),
    close: async () => {
      await loader.close();
      await set.close();
    },
  };
}
