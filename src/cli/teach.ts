/** `portraitgan teach`: a generator learns from renders of people whose latents are known. */

import { Command } from 'commander';
import { type LoaderPosition, openDataset } from '../dataset/index.ts';
import { shrunkDataset } from '../dataset/shrunk.ts';
import { openTaughtSet, type TaughtSet } from '../dataset/taught.ts';
import { createTaughtLoader } from '../dataset/taught-loader.ts';
import { defaultBody } from '../default-body.ts';
import { UsageError } from '../errors.ts';
import type { JsonObject } from '../portrait/config.ts';
import { ndarray } from '../tensor/index.ts';
import { alone } from '../training/collective.ts';
import type { RunConfig, TeachConfig } from '../training/config.ts';
import { taughtIteration } from '../training/taught.ts';
import { configOfResumed, resumedState } from './run-start.ts';
import type { LatentOf } from './snapshot-grid.ts';
import { openSnapshots } from './snapshots.ts';
import { givenTeaching, teachConfigOf, teachOptions } from './teach-options.ts';
import type { RunFlags } from './train-options.ts';
import { type MethodParts, type TrainingMethod, trainingRun } from './training-run.ts';

const EXAMPLES = `
The data is a set that "portraitgan dataset synth" made: it knows who is on each picture. The generator learns to make
that person from that person's latent; the discriminator is carried along untouched, so that "train --init" can go on
from here with the published method.

Examples:
  portraitgan dataset synth --count 16000 --views 8 --size 128 --backdrops identity --depth --out people.zip
  portraitgan teach --data people.zip --preset 128-64 --kimg 400
  portraitgan teach --resume latest`;

/** The command. */
export function teachCommand(): Command {
  const command = new Command('teach').description(
    'teach a generator by synthetic portraits whose latents are known',
  );
  return teachOptions(command).addHelpText('after', EXAMPLES).action(teach);
}

async function teach(flags: RunFlags): Promise<void> {
  const resumed = resumedState(flags);
  const config =
    resumed === undefined ? teachConfigOf(flags) : asTeaching(configOfResumed(resumed, givenTeaching(flags)));
  await trainingRun(config, flags, resumed, (parts) => taughtMethod(config, parts));
}

function asTeaching(config: RunConfig): TeachConfig {
  if (config.command === 'teach') return config;
  throw new UsageError(
    `the run was made by "${config.command}": go on with portraitgan ${config.command} --resume`,
  );
}

async function taughtMethod(config: TeachConfig, parts: MethodParts): Promise<TrainingMethod> {
  const { engine, networks, residents, folder, position, place } = parts;
  const set = await openTaughtSet(config.data);
  const opened = await openDataset(config.data);
  const close = async (): Promise<void> => {
    await opened.close();
    await set.close();
  };
  try {
    const { people, views, seed, prefetch } = config;
    const loader = createTaughtLoader(set, {
      ...{ people, views, seed, ahead: prefetch },
      ...(position && { position: position as unknown as LoaderPosition }),
    });
    const data = {
      count: set.count,
      labels: set.labels,
      next: async () => ({
        ...(await loader.next()),
        position: { ...loader.position() } as unknown as JsonObject,
      }),
    };
    const iterate = taughtIteration({ residents, networks, config, data, collective: alone });
    const dataset = shrunkDataset(opened, networks.preset.resolution);
    const latentOf = latentsOfPeople(set, networks.generator.config.zDim);
    const snapshots = await openSnapshots({
      ...{ engine, body: defaultBody(), dataset, folder: folder.snapshots, latentOf },
    });
    if (place.iteration === 0) await snapshots.reals(place.seen);
    const { neuralResolution } = networks.preset;
    return {
      iterate,
      snapshot: async ({ generator }, seen) => {
        await snapshots.take({ generator }, seen, {
          neuralResolution,
          blurSigma: 0,
          filterMode: 'antialiased',
        });
      },
      attributes: () => ({ neural_rendering_resolution: neuralResolution }),
      async close() {
        await loader.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
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
