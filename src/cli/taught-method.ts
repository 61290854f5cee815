/** Teaching at work: its set, its iteration, its sheets of pictures. */

import { shrunkDataset } from '../dataset/shrunk.ts';
import { openTaughtSet, type TaughtSet } from '../dataset/taught.ts';
import { createTaughtLoader } from '../dataset/taught-loader.ts';
import { defaultBody } from '../default-body.ts';
import { UsageError } from '../errors.ts';
import type { JsonObject } from '../portrait/config.ts';
import { ndarray } from '../tensor/index.ts';
import type { TeachConfig } from '../training/config.ts';
import { taughtIteration } from '../training/taught.ts';
import { rankPosition, rankSeed } from './rank-data.ts';
import type { LatentOf } from './snapshot-grid.ts';
import { openSnapshots } from './snapshots.ts';
import type { MethodParts, TrainingMethod } from './training-run.ts';

/** Reads the set of a rank, and makes the iteration; the first rank also makes snapshots. */
export async function taughtMethod(config: TeachConfig, parts: MethodParts): Promise<TrainingMethod> {
  const { engine, networks, residents, snapshotFolder, position, place, collective } = parts;
  const set = await openTaughtSet(config.data);
  try {
    checkSet(set, config);
    const { people, views, seed, prefetch } = config;
    const loader = createTaughtLoader(set, {
      ...{ people: people / collective.size, views, seed: rankSeed(seed, collective), ahead: prefetch },
      ...rankPosition(position, seed, collective),
    });
    const data = {
      count: set.dataset.count,
      labels: set.dataset.labels,
      next: async () => ({
        ...(await loader.next()),
        position: { ...loader.position() } as unknown as JsonObject,
      }),
    };
    const iterate = taughtIteration({ residents, networks, config, data, collective });
    const dataset = shrunkDataset(set.dataset, networks.preset.resolution);
    const latentOf = latentsOfPeople(set, networks.generator.config.zDim);
    const snapshots =
      snapshotFolder === undefined
        ? undefined
        : await openSnapshots({ engine, body: defaultBody(), dataset, folder: snapshotFolder, latentOf });
    if (parts.isNew) await snapshots?.reals(place.seen);
    const { neuralResolution } = networks.preset;
    return {
      iterate,
      snapshot: async ({ generator }, seen) => {
        await snapshots?.take({ generator }, seen, {
          neuralResolution,
          blurSigma: 0,
          filterMode: 'antialiased',
        });
      },
      attributes: () => ({ neural_rendering_resolution: neuralResolution }),
      async close() {
        await loader.close();
        await set.close();
      },
    };
  } catch (error) {
    await set.close();
    throw error;
  }
}

/** Whether a set can be looked at as the settings say. @throws UsageError naming what does not fit. */
function checkSet({ hasDepth, resolution }: TaughtSet, config: TeachConfig): void {
  const { across, pixelsPerRay, weights } = config;
  if (weights.depth > 0 && !hasDepth)
    throw new UsageError(
      'the loss weighs depths, but the set has none: make it with --depth, or set --weights depth=0',
    );
  const wanted = across * pixelsPerRay;
  if (resolution % wanted !== 0)
    throw new UsageError(
      `the set has pictures of ${resolution} px, but across ${across} times pixelsPerRay ${pixelsPerRay} is ${wanted}: ` +
        'a whole multiple is needed',
    );
}

/** The person on each portrait of the set. */
function latentsOfPeople({ people }: TaughtSet, zDim: number): LatentOf {
  const owners = new Map(
    people.flatMap(({ latent, pictures }) => pictures.map((item) => [item, latent] as const)),
  );
  return ({ rawIndex }) => {
    const z = new Float32Array(zDim);
    z.set(owners.get(rawIndex)!.subarray(0, zDim));
    return ndarray([1, zDim], z);
  };
}
