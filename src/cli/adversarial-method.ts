/** Adversarial training at work: its data, its iteration, its sheets of pictures. */

import { createLoader, type Dataset, openDataset } from '../dataset/index.ts';
import { shrunkDataset } from '../dataset/shrunk.ts';
import { defaultBody } from '../default-body.ts';
import { DatasetError } from '../errors.ts';
import type { JsonObject } from '../portrait/config.ts';
import { type AdversarialData, adversarialIteration } from '../training/adversarial.ts';
import type { TrainConfig } from '../training/config.ts';
import { lossOptionsOf } from '../training/run-settings.ts';
import { scheduleAt } from '../training/schedules.ts';
import { note } from './output.ts';
import { rankPosition, rankSeed } from './rank-data.ts';
import { latentsOfSeeds } from './snapshot-grid.ts';
import { openSnapshots } from './snapshots.ts';
import type { MethodParts, TrainingMethod } from './training-run.ts';

/** Reads the data of a rank, and makes the iteration; the first rank also makes snapshots. */
export async function adversarialMethod(config: TrainConfig, parts: MethodParts): Promise<TrainingMethod> {
  const { engine, networks, residents, snapshotFolder, position, place, collective } = parts;
  const opened = await openDataset(
    config.masks === null ? config.data : { images: config.data, masks: config.masks },
    { mirror: config.mirror, rearRepeat: config.rearRepeat, onBad: config.onBad },
  );
  try {
    for (const { name, problem } of opened.skipped.slice(0, 5)) note(`left out ${name}: ${problem}`);
    const dataset = shrunkDataset(opened, networks.preset.resolution);
    if (dataset.channels !== 3)
      throw new DatasetError(
        `"${config.data}" has pictures of ${dataset.channels} channels; training needs 3`,
      );
    const loader = createLoader(dataset, {
      batch: config.batch / collective.size,
      seed: rankSeed(config.seed, collective),
      ahead: config.prefetch,
      concurrency: config.workers,
      onBad: config.onBad,
      onSkip: (name, error) => note(`left out ${name}: ${error.message}`),
      ...rankPosition(position, config.seed, collective),
    });
    const data = dataOf(dataset, loader);
    const iterate = await adversarialIteration({ residents, networks, config, data, collective });
    const snapshots =
      snapshotFolder === undefined
        ? undefined
        : await openSnapshots({
            ...{ engine, body: defaultBody(), dataset, folder: snapshotFolder },
            latentOf: latentsOfSeeds(networks.generator.config.zDim),
          });
    if (parts.isNew) await snapshots?.reals(place.seen);
    const loss = lossOptionsOf(config);
    const now = (seen: number) => scheduleAt(seen, place.start, loss);
    return {
      iterate,
      snapshot: async (made, seen) => {
        const { neuralResolution, blurSigma } = now(seen);
        await snapshots?.take(made, seen, { neuralResolution, blurSigma, filterMode: loss.filterMode });
      },
      attributes: (seen) => ({ neural_rendering_resolution: now(seen).neuralResolution }),
      async close() {
        await loader.close();
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function dataOf(dataset: Dataset, loader: ReturnType<typeof createLoader>): AdversarialData {
  return {
    count: dataset.count,
    labels: dataset.labels,
    async next() {
      const batch = await loader.next();
      return { ...batch, position: { ...loader.position() } as unknown as JsonObject };
    },
  };
}
