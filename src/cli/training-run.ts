/** From options to a run at work: what `train` and `teach` share. */

import { defaultBody } from '../default-body.ts';
import { UsageError } from '../errors.ts';
import { presetNetworkOptions } from '../load.ts';
import { giveLock, takeLock } from '../lock.ts';
import type { JsonObject } from '../portrait/config.ts';
import { discriminatorPlan, generatorPlan, type NetworkPlan } from '../portrait/presets.ts';
import { planCarry } from '../runs/carry.ts';
import { type RunFolder, runFolder } from '../runs/run-folder.ts';
import type { Engine, NdArray } from '../tensor/index.ts';
import type { Collective } from '../training/collective.ts';
import type { RunConfig } from '../training/config.ts';
import { checkRanks, remarksOn } from '../training/config-rules.ts';
import type { IterationReport, Place } from '../training/iteration.ts';
import { trainedParameters } from '../training/parameter-groups.ts';
import { type ResidentNetworks, residentNetworks, type TrainedShape } from '../training/resident.ts';
import { type RunNetworks, runNetworks } from '../training/run-networks.ts';
import type { TrainingState } from '../training/state.ts';
import { createTrainer, placeOf, stepsOf, type Trainer } from '../training/trainer.ts';
import { makeEngine } from './engine.ts';
import { gentleStop } from './gentle-stop.ts';
import { note, prepareFile, say, sayJson, showSeconds } from './output.ts';
import { engineOfRank, startRanks } from './ranks.ts';
import { initialState, newRunFolder, type Resumed } from './run-start.ts';
import type { SnapshotNetworks } from './snapshots.ts';
import type { RunFlags } from './train-options.ts';
import { kimgText } from './train-status.ts';
import { type LoopResult, trainingLoop } from './training-loop.ts';

/** What a command trains with. */
export interface TrainingMethod {
  iterate(place: Place): Promise<IterationReport>;
  /** Writes the sheets of pictures of networks that have been read out. */
  snapshot(networks: SnapshotNetworks, seen: number): Promise<void>;
  /** What of the stored networks moves with the run. */
  attributes(seen: number): JsonObject;
  close(): Promise<void>;
}

export interface MethodParts {
  readonly engine: Engine;
  readonly networks: RunNetworks;
  readonly residents: ResidentNetworks;
  readonly collective: Collective;
  /** Where sheets of pictures go; undefined for a rank that writes nothing. */
  readonly snapshotFolder?: string;
  /** Where the data is, as a report said it; undefined at the beginning. */
  readonly position: JsonObject | undefined;
  readonly place: Place;
  /** Whether the run's folder is new. */
  readonly isNew: boolean;
}

/** Sets a run up, trains, and says what became of it. */
export async function trainingRun(
  config: RunConfig,
  flags: RunFlags,
  resumed: Resumed | undefined,
  makeMethod: (parts: MethodParts) => Promise<TrainingMethod>,
): Promise<void> {
  const size = flags.ranks ?? 1;
  checkRanks(config, size);
  if (size > 1 && config.onBad === 'skip')
    throw new UsageError(
      '--on-bad skip goes with one rank only: several would lose count of what they have drawn',
    );
  for (const remark of remarksOn(config)) note(remark);
  const networks = runNetworks(config, defaultBody());
  const state = resumed?.opened.state ?? (await initialState(config, networks.preset));
  if (flags.carry !== undefined) {
    prepareFile(flags.carry);
    planCarry(state.tensors, recordOf(config, networks, {}));
  }
  const folder = resumed?.folder === undefined ? newRunFolder(flags, config) : runFolder(resumed.folder);
  takeLock(folder.root);
  try {
    await runIn({ folder, config, flags, resumed, networks, state, size }, makeMethod);
  } finally {
    giveLock(folder.root);
  }
}

interface RunParts {
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly flags: RunFlags;
  readonly resumed: Resumed | undefined;
  readonly networks: RunNetworks;
  readonly state: TrainingState;
  /** Ranks. */
  readonly size: number;
}

async function runIn(
  { folder, config, flags, resumed, networks, state, size }: RunParts,
  makeMethod: (parts: MethodParts) => Promise<TrainingMethod>,
): Promise<void> {
  const began = performance.now();
  const stop = gentleStop('the state is being saved');
  const options = engineOfRank(flags, size);
  const engine = await makeEngine(options);
  const ranks = startRanks(size, { config, engine: options, state }, networks);
  try {
    const { record } = state;
    if (typeof record.ranks === 'number' && record.ranks !== size)
      note(`the run had ${record.ranks} ranks, now ${size}: it goes on, but not with the same bits`);
    note(`${folder.root}: ${config.command} ${config.preset} on the ${engine.name} engine`);
    const { collective } = ranks;
    const isNew = resumed?.folder === undefined;
    const shown = { snapshotFolder: folder.snapshots, isNew };
    const parts = { config, networks, state, engine, collective, ...shown };
    const { trainer, method, residents } = await ranks.withOthers(trainerOf(parts, makeMethod));
    const together = {
      ...trainer,
      step: async () => {
        await ranks.goOn(true);
        return trainer.step();
      },
    };
    try {
      const loop = trainingLoop({
        ...{ config, folder, trainer: together, stop },
        record: () => ({
          ...recordOf(config, networks, method.attributes(trainer.place().seen)),
          ranks: size,
        }),
        isNew,
        carry: flags.carry,
        earlierSeconds: typeof record.seconds === 'number' ? record.seconds : 0,
        snapshot: async (seen) => method.snapshot(await readOut(residents, networks), seen),
      });
      const result = await ranks.withOthers(loop);
      await ranks.goOn(false);
      tellResult({ config, flags, folder, result, seconds: (performance.now() - began) / 1000 });
    } finally {
      await method.close();
      await residents.dispose();
    }
  } finally {
    await ranks.end();
    await engine.dispose();
  }
}

/** A trainer with its weights on its engine. */
export async function trainerOf(
  given: Pick<MethodParts, 'networks' | 'engine' | 'collective' | 'snapshotFolder' | 'isNew'> & {
    readonly config: RunConfig;
    readonly state: TrainingState;
  },
  makeMethod: (parts: MethodParts) => Promise<TrainingMethod>,
): Promise<{ trainer: Trainer; method: TrainingMethod; residents: ResidentNetworks }> {
  const { networks, state, engine } = given;
  const { record, tensors } = state;
  const residents = await residentNetworks(engine, trainedShapes(networks), tensors, stepsOf(record));
  const place = placeOf(record);
  const position = record.loader as JsonObject | undefined;
  const method = await makeMethod({ ...given, residents, position, place });
  return { trainer: createTrainer(residents, method.iterate, place, position), method, residents };
}

function tellResult(told: {
  readonly config: RunConfig;
  readonly flags: RunFlags;
  readonly folder: RunFolder;
  readonly result: LoopResult;
  readonly seconds: number;
}): void {
  const { config, flags, folder, result, seconds } = told;
  if (flags.json) {
    sayJson({ run: folder.root, ...result, seconds });
    return;
  }
  say(`${folder.root}: ${result.reason}, ${kimgText(result.seen)}, ${showSeconds(seconds)}`);
  if (result.reason === 'done')
    say(`take the model with: portraitgan export ${folder.root} --out model.safetensors`);
  else say(`go on with: portraitgan ${config.command} --resume ${folder.root}`);
}

function trainedShapes({ preset, generator, discriminator }: RunNetworks): Record<'G' | 'D', TrainedShape> {
  const shape = (plan: NetworkPlan, trainable: readonly string[]): TrainedShape => ({
    shapes: plan,
    trainable,
    parameters: trainedParameters(plan),
  });
  return {
    G: shape(generatorPlan(preset), generator.trainable),
    D: shape(discriminatorPlan(preset), discriminator.trainable),
  };
}

function recordOf(config: RunConfig, { preset }: RunNetworks, attributes: JsonObject): JsonObject {
  const { G, D } = presetNetworkOptions(preset);
  return {
    settings: config as unknown as JsonObject,
    networks: { G: { ...G, attributes: { ...G.attributes, ...attributes } }, D } as unknown as JsonObject,
  };
}

/** The averaged networks as they are now. */
async function readOut(residents: ResidentNetworks, { preset }: RunNetworks): Promise<SnapshotNetworks> {
  const tensors = await residents.tensors(['values', 'average']);
  const { G, D } = presetNetworkOptions(preset);
  const network = (kind: 'G' | 'D', options: typeof G, plan: NetworkPlan) => ({
    record: {
      shapes: plan,
      initKwargs: options.initKwargs,
      attributes: options.attributes,
      moduleAttributes: new Map(),
    },
    read: (name: string): NdArray => tensors.get(`${kind}_ema/${name}`)!,
  });
  return {
    generator: network('G', G, generatorPlan(preset)),
    discriminator: network('D', D, discriminatorPlan(preset)),
  };
}
