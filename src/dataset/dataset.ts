/**
 * A dataset as training reads it: pictures with masks, cameras and poses, optionally doubled by mirroring and
 * with rear views repeated (spec page 6.1).
 */

import { DatasetError, UsageError } from '../errors.ts';
import { type Archive, openArchive } from './archive.ts';
import { CAMERA_NUMBERS, LABEL_NUMBERS, mirrorLabel } from './labels.ts';
import { type DatasetPaths, datasetPaths } from './paths.ts';
import { decodePixels, type Pixels, pictureSize, planesOf, sizeProblem } from './pixels.ts';
import { isRearView, rearOrder } from './rear.ts';
import { type Entry, type Problem, readLabels, refusal, surveyDataset } from './survey.ts';

/** One picture with what belongs to it. */
export interface DatasetItem {
  /** [channels, side, side], 0 to 255. */
  readonly image: Uint8Array;
  /** [1, side, side], 0 background, 255 person. */
  readonly mask: Uint8Array;
  /** 25 numbers of the camera. */
  readonly label: Float32Array;
  /** 6 numbers of the pose. */
  readonly pose: Float32Array;
  readonly name: string;
  /** Place among the pictures, sorted by name. */
  readonly rawIndex: number;
  readonly mirrored: boolean;
}

/** How a dataset is opened. */
export interface DatasetOptions {
  /** Adds the mirror image of every item; false by default. */
  readonly mirror?: boolean;
  /** How often rear views occur at least, 1 by default: see {@link rearOrder}. */
  readonly rearRepeat?: number;
  /** The side that pictures must have, in pixels; that of the first picture by default. */
  readonly resolution?: number;
  /** What happens to pictures without a label or a mask, and to a broken first one: an error, by default, or they
   * are left out. What else is broken is found when it is read. */
  readonly onBad?: 'refuse' | 'skip';
}

/** An open dataset. */
export interface Dataset {
  readonly paths: DatasetPaths;
  /** Items, mirrored ones and repetitions included. */
  readonly count: number;
  /** Pictures. */
  readonly rawCount: number;
  /** Side of the square pictures in pixels. */
  readonly resolution: number;
  readonly channels: number;
  /** How often each rear view occurs. */
  readonly rearRepeats: number;
  /** Population standard deviation of the cameras of all pictures, unmirrored, each once: 25 numbers. */
  readonly labelStd: Float32Array;
  /** Pictures that were left out, with the reason. */
  readonly skipped: readonly Problem[];
  /** Decodes an item; calls may overlap.
   *
   * @throws DatasetError naming the picture when it or its mask is broken or has another size.
   */
  item(index: number): Promise<DatasetItem>;
  /** Camera and pose of an item, without its picture. */
  labels(index: number): Pick<DatasetItem, 'label' | 'pose' | 'name' | 'rawIndex' | 'mirrored'>;
  close(): Promise<void>;
}

/** Opens a dataset.
 *
 * @param where  a path by the rule of {@link datasetPaths}, or both archives.
 * @throws DatasetError when something is wrong with it; `portraitgan dataset validate` lists everything.
 */
export async function openDataset(
  where: string | DatasetPaths,
  options: DatasetOptions = {},
): Promise<Dataset> {
  const { rearRepeat = 1 } = options;
  if (!Number.isInteger(rearRepeat) || rearRepeat < 1)
    throw new UsageError(`rearRepeat is ${rearRepeat}; it must be a whole number, at least 1`);
  const paths = typeof where === 'string' ? datasetPaths(where) : where;
  const images = await openArchive(paths.images);
  let masks: Archive | undefined;
  try {
    masks = await openArchive(paths.masks);
    return await build(paths, images, masks, options);
  } catch (error) {
    await masks?.close();
    await images.close();
    throw error;
  }
}

async function build(paths: DatasetPaths, images: Archive, masks: Archive, options: DatasetOptions) {
  const { mirror = false, rearRepeat = 1, onBad = 'refuse' } = options;
  const survey = surveyDataset(images, masks, await readLabels(images));
  if (onBad === 'refuse' && survey.problems.length > 0) throw new DatasetError(refusal(survey.problems));
  const { entries, bad, resolution, channels } = await settleShape(images, survey.entries, options);
  const { order, repeats } = rearOrder(
    entries.map(({ label }) => isRearView(label)),
    rearRepeat,
  );

  const labels = (index: number) => {
    if (!Number.isInteger(index) || index < 0 || index >= count)
      throw new UsageError(`item ${index}: the dataset has items 0 to ${count - 1}`);
    const mirrored = index >= order.length;
    const rawIndex = order[index % order.length];
    const { name, label: numbers } = entries[rawIndex];
    const [label, pose] = [numbers.slice(0, CAMERA_NUMBERS), numbers.slice(CAMERA_NUMBERS, LABEL_NUMBERS)];
    if (mirrored) mirrorLabel(label, pose);
    return { label, pose, name, rawIndex, mirrored };
  };
  const count = order.length * (mirror ? 2 : 1);
  const pixels = (archive: Archive, name: string, title: string, channelsWanted: number): Promise<Pixels> =>
    inFile(title, async () => {
      const decoded = await decodePixels(await archive.read(name));
      refuseSize(decoded, resolution, channelsWanted);
      return decoded;
    });
  return {
    paths,
    count,
    rawCount: entries.length,
    resolution,
    channels,
    rearRepeats: repeats,
    labelStd: labelStd(entries.map(({ label }) => label)),
    skipped: [...survey.problems, ...bad],
    labels,
    async item(index: number): Promise<DatasetItem> {
      const known = labels(index);
      const { name, mask } = entries[known.rawIndex];
      const [image, cut] = await Promise.all([
        pixels(images, name, name, channels),
        pixels(masks, mask, `mask of ${name}`, 1),
      ]);
      return { ...known, image: planesOf(image, known.mirrored), mask: planesOf(cut, known.mirrored) };
    },
    async close(): Promise<void> {
      await images.close();
      await masks.close();
    },
  };
}

/** The first picture says what all must be; those before it that cannot be read are left out, if asked for. */
async function settleShape(images: Archive, entries: readonly Entry[], options: DatasetOptions) {
  const bad: Problem[] = [];
  for (const [i, { name }] of entries.entries()) {
    try {
      const first = await pictureSize(await images.read(name));
      const resolution = options.resolution ?? first.width;
      refuseSize(first, resolution, first.channels);
      return { entries: entries.slice(i), bad, resolution, channels: first.channels };
    } catch (error) {
      if (!(error instanceof DatasetError)) throw error;
      if (options.onBad !== 'skip') throw new DatasetError(`${name}: ${error.message}`);
      bad.push({ name, problem: error.message });
    }
  }
  throw new DatasetError(`"${images.path}" holds no picture that can be used`);
}

function refuseSize(pixels: Omit<Pixels, 'data'>, resolution: number, channels: number): void {
  const problem = sizeProblem(pixels, resolution, channels);
  if (problem !== undefined) throw new DatasetError(problem);
}

/** Names the picture in what is wrong with it. */
async function inFile<T>(title: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatasetError) throw new DatasetError(`${title}: ${error.message}`);
    throw error;
  }
}

/** Population standard deviation of each of the 25 numbers. */
export function labelStd(labels: readonly Float32Array[]): Float32Array {
  const [sum, squares] = [new Float64Array(CAMERA_NUMBERS), new Float64Array(CAMERA_NUMBERS)];
  for (const label of labels) for (let i = 0; i < CAMERA_NUMBERS; i++) sum[i] += label[i];
  const mean = sum.map((x) => x / labels.length);
  for (const label of labels)
    for (let i = 0; i < CAMERA_NUMBERS; i++) squares[i] += (label[i] - mean[i]) ** 2;
  return Float32Array.from(squares, (x) => Math.sqrt(x / labels.length));
}
