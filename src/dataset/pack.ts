/**
 * Packs pictures, masks and labels into a dataset, as the original's tool does in two runs (spec page 6.2).
 *
 * Masks go through what their pictures go through, and belong to them by their stem. Labels are copied: a crop
 * does not change the camera, which is the original's choice too.
 */

import { DatasetError, UsageError } from '../errors.ts';
import type { Archive } from './archive.ts';
import { inOrder } from './limiter.ts';
import { isPictureName } from './names.ts';
import type { DatasetPaths } from './paths.ts';
import { decodePixels, type Pixels } from './pixels.ts';
import { withArchives } from './sources.ts';
import { type Entry, type Problem, readLabels, refusal, type Survey, surveyDataset } from './survey.ts';
import { encodePixels, type Transform, transformPixels } from './transform.ts';
import { createDatasetWriter, type DatasetEntry, type DatasetWriter } from './writer.ts';

/** What to pack, and how. */
export interface PackOptions {
  /** Archives or folders that the pictures and masks come from. */
  readonly from: DatasetPaths;
  /** A `dataset.json`; by default the one with the pictures. */
  readonly labels?: string;
  /** Where the dataset goes: see {@link createDatasetWriter}. */
  readonly out: string;
  /** Side of the packed pictures; by default they stay as large as they are. */
  readonly resolution?: number;
  readonly transform?: Transform;
  /** Takes the first ones only. */
  readonly maxImages?: number;
  /** A picture with something wrong is an error, by default, or is left out. */
  readonly onBad?: 'refuse' | 'skip';
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** What was packed. */
export interface PackReport {
  readonly written: number;
  readonly resolution: number;
  readonly channels: number;
  /** Pictures that the transform leaves out. */
  readonly dropped: readonly string[];
  /** Pictures with something wrong, when they are left out. */
  readonly skipped: readonly Problem[];
  readonly remarks: readonly Problem[];
}

/** Pictures that are worked on at the same time. */
const CONCURRENCY = 8;

/** Packs.
 *
 * @throws DatasetError when something is wrong with a picture; nothing is written then.
 */
export async function packDataset(options: PackOptions): Promise<PackReport> {
  if ((options.transform ?? 'none') !== 'none' && options.resolution === undefined)
    throw new UsageError(`the transform ${options.transform} needs a resolution`);
  return withArchives(options.from, async (images, masks) => {
    const survey = surveyDataset(images, masks, await readLabels(images, options.labels));
    if (options.onBad !== 'skip' && survey.problems.length > 0)
      throw new DatasetError(refusal(survey.problems));
    const writer = await createDatasetWriter(options.out);
    try {
      const report = await packEntries(images, masks, survey, options, writer);
      if (report.written === 0) throw new DatasetError('no picture is left to be packed');
      await writer.finish();
      return report;
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  });
}

async function packEntries(
  images: Archive,
  masks: Archive,
  { entries, problems, remarks }: Survey,
  options: PackOptions,
  writer: DatasetWriter,
): Promise<PackReport> {
  const { maxImages, onBad, onProgress } = options;
  const names = images.names.filter(isPictureName).slice(0, maxImages);
  const known = new Map(entries.map((entry) => [entry.name, entry]));
  const dropped: string[] = [];
  const skipped = [...problems];
  let [number, written] = [0, 0];
  let shape: Shape | undefined;
  const results = inOrder(names.length, CONCURRENCY, async (i) => {
    const entry = known.get(names[i]);
    return entry === undefined ? 'incomplete' : prepare(images, masks, entry, options);
  });
  for await (const result of results) {
    const name = names[number];
    if (result === 'dropped') dropped.push(name);
    else if (result !== 'incomplete') {
      const problem = result instanceof DatasetError ? result.message : otherShape(result.shape, shape);
      if (problem !== undefined && onBad !== 'skip') throw new DatasetError(`${name}: ${problem}`);
      if (problem !== undefined) skipped.push({ name, problem });
      else if (!(result instanceof DatasetError)) {
        shape = result.shape;
        await writer.add({ ...result, name: packedName(number) });
        written++;
      }
    }
    number++;
    onProgress?.({ done: number, total: names.length });
  }
  return {
    written,
    resolution: shape?.width ?? 0,
    channels: shape?.channels ?? 0,
    dropped,
    skipped,
    remarks,
  };
}

type Shape = Pick<Pixels, 'width' | 'channels'>;

interface Prepared extends Omit<DatasetEntry, 'name'> {
  readonly shape: Shape;
}

/** Transforms and encodes a picture and its mask; what is wrong with them is given, not thrown. */
async function prepare(
  images: Archive,
  masks: Archive,
  { name, mask, label }: Entry,
  { transform = 'none', resolution }: PackOptions,
): Promise<Prepared | 'dropped' | DatasetError> {
  try {
    const picture = await decodePixels(await images.read(name));
    const cut = await inMask(async () => decodePixels(await masks.read(mask)));
    refuseMask(cut, picture);
    const shape = transformPixels(picture, transform, resolution);
    const cutShape = transformPixels(cut, transform, resolution);
    if (shape === undefined || cutShape === undefined) return 'dropped';
    refuseShape(shape);
    return { image: await encodePixels(shape), mask: await encodePixels(cutShape), label, shape };
  } catch (error) {
    if (error instanceof DatasetError) return error;
    throw error;
  }
}

async function inMask<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatasetError) throw new DatasetError(`its mask: ${error.message}`);
    throw error;
  }
}

function refuseMask(mask: Pixels, picture: Pixels): void {
  if (mask.channels !== 1) throw new DatasetError(`its mask has ${mask.channels} channels; 1 is needed`);
  if (mask.width !== picture.width || mask.height !== picture.height) {
    throw new DatasetError(
      `its mask has ${mask.width} x ${mask.height} pixels, the picture ${picture.width} x ${picture.height}`,
    );
  }
}

/** What the original's tool asks of its results. */
function refuseShape({ width, height }: Pixels): void {
  const way = 'give a --resolution, or a --transform';
  if (width !== height)
    throw new DatasetError(`the result has ${width} x ${height} pixels, not square: ${way}`);
  if (width < 1 || (width & (width - 1)) !== 0)
    throw new DatasetError(`the result has ${width} pixels a side, which is no power of two: ${way}`);
}

function otherShape(shape: Shape, first: Shape | undefined): string | undefined {
  if (first === undefined || (first.width === shape.width && first.channels === shape.channels))
    return undefined;
  const show = ({ width, channels }: Shape): string => `${width} x ${width} pixels of ${channels} channels`;
  return `the result has ${show(shape)}; those before have ${show(first)}`;
}

/** `0000000000/0000000000.png`: the thousands, then the number. */
function packedName(number: number): string {
  const digits = (value: number): string => String(value).padStart(10, '0');
  return `${digits(Math.floor(number / 1000))}/${digits(number)}.png`;
}
