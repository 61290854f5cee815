/** `portraitgan train`: the published adversarial training. */

import { Command } from 'commander';
import { createLoader, type Dataset, type LoaderPosition, openDataset } from '../dataset/index.ts';
import { shrunkDataset } from '../dataset/shrunk.ts';
import { defaultBody } from '../default-body.ts';
import { DatasetError, UsageError } from '../errors.ts';
import type { JsonObject } from '../portrait/config.ts';
import { type AdversarialData, adversarialIteration } from '../training/adversarial.ts';
import { alone } from '../training/collective.ts';
import type { RunConfig, TrainConfig } from '../training/config.ts';
import { lossOptionsOf } from '../training/run-settings.ts';
import { scheduleAt } from '../training/schedules.ts';
import { note } from './output.ts';
import { configOfResumed, resumedState } from './run-start.ts';
import { latentsOfSeeds } from './snapshot-grid.ts';
import { openSnapshots } from './snapshots.ts';
import { givenTraining, type RunFlags, trainConfigOf, trainOptions } from './train-options.ts';
import { type MethodParts, type TrainingMethod, trainingRun } from './training-run.ts';

const EXAMPLES = `
A run has a folder: config.json, log.txt, stats.jsonl, checkpoints/, snapshots/. Ctrl-C saves and leaves;
docs/training.md says what every setting means, docs/checkpoints.md what is kept and when it is safe.

Examples:
  portraitgan train --data people.zip --preset 64-32 --kimg 50
  portraitgan train --data people.zip --dry-run
  portraitgan train --resume latest                  the newest run in runs/
  portraitgan dashboard runs                         watch it`;

/** The command. */
export function trainCommand(): Command {
  const command = new Command('train').description(
    'train generator and discriminator on single-view pictures',
  );
  return trainOptions(command).addHelpText('after', EXAMPLES).action(train);
}

async function train(flags: RunFlags): Promise<void> {
  const resumed = resumedState(flags);
  const config =
    resumed === undefined ? trainConfigOf(flags) : asTraining(configOfResumed(resumed, givenTraining(flags)));
  await trainingRun(config, flags, resumed, (parts) => adversarialMethod(config, parts));
}

function asTraining(config: RunConfig): TrainConfig {
  if (config.command === 'train') return config;
  throw new UsageError(
    `the run was made by "${config.command}": go on with portraitgan ${config.command} --resume`,
  );
}

async function adversarialMethod(config: TrainConfig, parts: MethodParts): Promise<TrainingMethod> {
  const { engine, networks, residents, folder, position, place } = parts;
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
      batch: config.batch,
      seed: config.seed,
      ahead: config.prefetch,
      concurrency: config.workers,
      onBad: config.onBad,
      onSkip: (name, error) => note(`left out ${name}: ${error.message}`),
      ...(position && { position: position as unknown as LoaderPosition }),
    });
    const data = dataOf(dataset, loader);
    const iterate = await adversarialIteration({ residents, networks, config, data, collective: alone });
    const snapshots = await openSnapshots({
      ...{ engine, body: defaultBody(), dataset, folder: folder.snapshots },
      latentOf: latentsOfSeeds(networks.generator.config.zDim),
    });
    if (place.iteration === 0) await snapshots.reals(place.seen);
    const loss = lossOptionsOf(config);
    const now = (seen: number) => scheduleAt(seen, place.start, loss);
    return {
      iterate,
      snapshot: async (made, seen) => {
        const { neuralResolution, blurSigma } = now(seen);
        await snapshots.take(made, seen, { neuralResolution, blurSigma, filterMode: loss.filterMode });
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
