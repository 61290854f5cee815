/**
 * One iteration of teaching: a generator against renders of people whose latents are known, then its average.
 *
 * A phase of our own beside the published method; the discriminator takes no part.
 */

import { cameraLabel, viewCamera } from '../portrait/camera.ts';
import type { JsonObject } from '../portrait/config.ts';
import { poseBodies } from '../portrait/posing.ts';
import type { Stream } from '../random.ts';
import { type NdArray, ndarray } from '../tensor/index.ts';
import { chunkStream, type LabelSource, uniforms } from './adversarial-draws.ts';
import type { Collective } from './collective.ts';
import type { TeachConfig } from './config.ts';
import { gradientSum, takeBackward } from './gradients.ts';
import type { IterationReport, Place } from './iteration.ts';
import type { ResidentNetworks } from './resident.ts';
import { averageResident, stepResident } from './resident-optimiser.ts';
import type { RunNetworks } from './run-networks.ts';
import { batchOf, emaBetaOf, taughtAdamAt, taughtSetting } from './run-settings.ts';
import { sharedGradients } from './share-gradients.ts';
import { taughtInputs, taughtLossGraph } from './taught-loss.ts';
import type { TaughtSetting } from './taught-options.ts';
import { type Window, windowCameras, windowDepths, windowMatrices, windowPixels } from './taught-window.ts';

/** I people with their latents [I, K], and V pictures of each, [I * V, ...] as `RealBatch`. */
export interface TaughtPictures {
  readonly latents: Float32Array;
  readonly images: Uint8Array;
  readonly masks: Uint8Array;
  /** [I * V, 1, side, side] in units of .05 mm */
  readonly depths: Uint16Array | undefined;
  readonly labels: Float32Array;
  readonly poses: Float32Array;
  /** Where the data is after them. */
  readonly position: JsonObject;
}

export interface TaughtTask {
  readonly residents: ResidentNetworks;
  readonly networks: RunNetworks;
  readonly config: TeachConfig;
  readonly data: { next(): Promise<TaughtPictures> } & LabelSource;
  readonly collective: Collective;
}

/** Share of the people whose styles are conditioned on the camera and pose of somebody else: the identity must not
 * depend on them. */
const OTHER_CONDITIONS = 0.5;

interface TaughtArrays {
  readonly position: JsonObject;
  readonly arrays: Readonly<Record<string, NdArray>>;
}

/** Makes the iteration. The arrays of the next one are made while the engine computes. */
export function taughtIteration(task: TaughtTask): (place: Place) => Promise<IterationReport> {
  const { residents, networks, config, collective } = task;
  const { runner, engine } = residents;
  const { generator } = networks;
  const setting = settingOf(task);
  const images = batchOf(config);
  let ahead: { readonly iteration: number; readonly made: Promise<TaughtArrays> } | undefined;
  const begin = (iteration: number) => ({ iteration, made: taughtArrays(task, iteration) });

  return async (place) => {
    if (ahead?.iteration !== place.iteration) ahead = begin(place.iteration);
    const { arrays, position } = await ahead.made;
    const running = runner.run('taught', setting, () => taughtLossGraph(generator, setting), arrays);
    ahead = begin(place.iteration + 1);
    // An error of the next arrays is the next iteration's.
    ahead.made.catch(() => undefined);
    const { wAvg, ...outputs } = await running;
    const sums = gradientSum(runner);
    const statistics = new Map<string, NdArray>();
    const loss = await takeBackward(engine, outputs, { gradients: sums, statistics });
    await residents.replace(residents.networks.G!.values, 'backbone.mapping.w_avg', wAvg);
    const gradients = await sharedGradients(runner, collective, sums.values());
    const bad = await stepResident(
      residents,
      'G',
      gradients,
      taughtAdamAt(place.seen, config),
      config.lrScales,
    );
    await averageResident(residents, 'G', emaBetaOf(place.seen, config));
    return {
      images,
      losses: new Map([['Taught', [loss]]]),
      statistics: new Map([...statistics].map(([name, { data }]) => [name, [...data]])),
      bad: new Map([['Taught', bad]]),
      position,
    };
  };
}

/** Sizes and weights of this rank's share of a run. */
function settingOf({ config, collective }: TaughtTask): TaughtSetting {
  const people = config.people / collective.size;
  return taughtSetting({ ...config, people });
}

async function taughtArrays(task: TaughtTask, iteration: number): Promise<TaughtArrays> {
  const { networks, data, collective } = task;
  const { generator } = networks;
  const setting = settingOf(task);
  const { config, posing } = generator;
  const { people, views, rays, neuralResolution: across } = setting;
  const own = chunkStream(task.config.seed, iteration, 0, collective.rank);
  const { latents, images, masks, depths, labels, poses, position } = await data.next();
  const count = people * views;
  const side = Math.sqrt(masks.length / count);
  const density = setting.pixelsPerRay;
  const windows = Array.from({ length: count }, (): Window => {
    const place = (): number => Math.floor(own.uniform() * (across - rays + 1));
    return { x: place(), y: place(), rays, across };
  });
  const known = latents.length / people;
  const z = new Float32Array(people * config.zDim);
  for (let i = 0; i < people; i++)
    z.set(latents.subarray(i * known, i * known + Math.min(known, config.zDim)), i * config.zDim);
  const given: Record<string, NdArray | undefined> = {
    z: ndarray([people, config.zDim], z),
    conditions: conditionsOf(own, people, data),
    c: windowCameras(ndarray([count, 25], labels), windows),
    ...(setting.posed ? { mesh: poseBodies(posing, ndarray([count, 6], poses)).mesh } : {}),
    ...windowMatrices(windows, config.backgroundResolution ?? rays, config.superresolution.antialias),
    image: windowPixels(images, 3, side, windows, density),
    mask: windowPixels(masks, 1, side, windows, density),
    depth: depths && windowDepths(depths, side, windows),
  };
  const inputs = taughtInputs(generator, setting);
  for (const draw of ['jitter', 'quantiles']) {
    const aval = inputs[draw];
    if (aval !== undefined) given[draw] = uniforms(own, aval.shape);
  }
  return { position, arrays: Object.fromEntries(Object.keys(inputs).map((name) => [name, given[name]!])) };
}

/** [I, 31] */
function conditionsOf(own: Stream, people: number, source: LabelSource): NdArray {
  const usual = [...cameraLabel(viewCamera(0, 0)), ...new Array<number>(6).fill(0)];
  const conditions = new Float32Array(people * 31);
  for (let i = 0; i < people; i++) {
    const other = own.uniform() < OTHER_CONDITIONS;
    const { label, pose } = source.labels(Math.floor(own.uniform() * source.count));
    conditions.set(other ? [...Array.from(label), ...Array.from(pose)] : usual, 31 * i);
  }
  return ndarray([people, 31], conditions);
}
