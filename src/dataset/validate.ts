/** Looks at everything in a dataset and lists what is wrong. */

import { existsSync } from 'node:fs';
import { DatasetError, PortraitganError } from '../errors.ts';
import { cameraOfLabel } from '../portrait/camera.ts';
import type { Archive } from './archive.ts';
import { CAMERA_NUMBERS } from './labels.ts';
import { inOrder } from './limiter.ts';
import type { DatasetPaths } from './paths.ts';
import { decodePixels, type Pixels, sizeProblem } from './pixels.ts';
import { withArchives } from './sources.ts';
import { rotationError } from './statistics.ts';
import { type Entry, type Problem, readLabels, surveyDataset } from './survey.ts';

/** How a dataset is looked at. */
export interface ValidateOptions {
  /** Side that pictures must have; that of the first one by default. */
  readonly resolution?: number;
  /** Problems, and remarks, that are listed; more are only counted. 100 by default. */
  readonly maxProblems?: number;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** What was found. */
export interface ValidateReport {
  readonly paths: DatasetPaths;
  /** Complete pictures: with label, mask and nothing wrong. */
  readonly good: number;
  readonly resolution: number | undefined;
  readonly channels: number | undefined;
  /** What training cannot use. */
  readonly problems: readonly Problem[];
  readonly problemCount: number;
  /** What is perhaps not meant. */
  readonly remarks: readonly Problem[];
  readonly remarkCount: number;
}

const CONCURRENCY = 8;

/** Rotations further from one than this are no rounding. */
const MAX_ROTATION_ERROR = 1e-2;

/** Decodes every picture and mask, and checks every label.
 *
 * Whatever is wrong with the data becomes a problem of the report; only a path without anything is an error.
 */
export async function validateDataset(
  paths: DatasetPaths,
  options: ValidateOptions = {},
): Promise<ValidateReport> {
  const findings = collect(options.maxProblems ?? 100);
  const shape: { resolution: number | undefined; channels: number | undefined } = {
    resolution: options.resolution,
    channels: undefined,
  };
  let good = 0;
  try {
    await withArchives(paths, async (images, masks) => {
      const survey = surveyDataset(images, masks, await readLabels(images));
      survey.problems.forEach(findings.problem);
      survey.remarks.forEach(findings.remark);
      const { entries } = survey;
      let done = 0;
      for await (const { picture, mask } of inOrder(entries.length, CONCURRENCY, (i) =>
        decodeBoth(images, masks, entries[i]),
      )) {
        const entry = entries[done];
        const problems = entryProblems(entry, picture, mask, shape);
        for (const problem of problems) findings.problem({ name: entry.name, problem });
        if (problems.length === 0) good++;
        for (const problem of entryRemarks(entry, mask)) findings.remark({ name: entry.name, problem });
        done++;
        options.onProgress?.({ done, total: entries.length });
      }
    });
  } catch (error) {
    // An archive that cannot be opened, or a list of labels that cannot be read, ends the search.
    if (!(error instanceof DatasetError) && !missing(error, paths)) throw error;
    findings.problem({ name: '', problem: error.message });
  }
  const { resolution } = shape;
  if (resolution !== undefined && (resolution & (resolution - 1)) !== 0)
    findings.remark({ name: '', problem: `${resolution} pixels a side are no power of two` });
  if (shape.channels !== undefined && shape.channels !== 3)
    findings.remark({ name: '', problem: `the pictures have ${shape.channels} channels; networks take 3` });
  return { paths, good, ...shape, ...findings.found() };
}

/** One of both archives lacking is something wrong with a dataset; nothing at all is a wrong path. */
function missing(error: unknown, paths: DatasetPaths): error is PortraitganError {
  return error instanceof PortraitganError && existsSync(paths.images) && !existsSync(paths.masks);
}

type Decoded = Pixels | DatasetError;

async function decodeBoth(images: Archive, masks: Archive, { name, mask }: Entry) {
  const decode = async (archive: Archive, file: string): Promise<Decoded> => {
    try {
      return await decodePixels(await archive.read(file));
    } catch (error) {
      if (error instanceof DatasetError) return error;
      throw error;
    }
  };
  const [picture, cut] = await Promise.all([decode(images, name), decode(masks, mask)]);
  return { picture, mask: cut };
}

/** All that is wrong; the first good picture settles the shape of the others. */
function entryProblems(
  { label }: Entry,
  picture: Decoded,
  mask: Decoded,
  shape: { resolution: number | undefined; channels: number | undefined },
): string[] {
  const problems: (string | undefined)[] = [];
  if (picture instanceof DatasetError) problems.push(picture.message);
  else {
    shape.resolution ??= picture.width === picture.height ? picture.width : undefined;
    shape.channels ??= picture.channels;
    problems.push(sizeProblem(picture, shape.resolution ?? picture.width, shape.channels));
  }
  if (mask instanceof DatasetError) problems.push(`its mask: ${mask.message}`);
  else {
    const wanted = shape.resolution ?? mask.width;
    const problem = sizeProblem(mask, wanted, 1);
    if (problem !== undefined) problems.push(`its mask: ${problem}`);
  }
  problems.push(cameraProblem(label));
  return problems.filter((problem) => problem !== undefined);
}

function cameraProblem(label: Float32Array): string | undefined {
  try {
    cameraOfLabel(label.subarray(0, CAMERA_NUMBERS));
  } catch (error) {
    if (error instanceof PortraitganError) return error.message;
    throw error;
  }
  const off = rotationError(label);
  if (off > MAX_ROTATION_ERROR) return `the camera's rotation is off by ${off.toFixed(3)}`;
  const last = [label[12], label[13], label[14], label[15] - 1, label[22], label[23], label[24] - 1];
  return last.every((x) => Math.abs(x) < 1e-3)
    ? undefined
    : 'the camera matrices do not end in 0 0 0 1 and 0 0 1: are the numbers in another order?';
}

function entryRemarks({ label }: Entry, mask: Decoded): string[] {
  const remarks: string[] = [];
  if (label.subarray(CAMERA_NUMBERS).some((x) => Math.abs(x) > Math.PI))
    remarks.push('the pose holds more than half a turn: radians are needed, not degrees');
  if (!(mask instanceof DatasetError)) {
    const highest = mask.data.reduce((a, b) => Math.max(a, b), 0);
    if (highest === 0) remarks.push('its mask shows nobody');
    else if (highest < 128) remarks.push(`its mask ends at ${highest}; a person is 255`);
  }
  return remarks;
}

function collect(bound: number) {
  const [problems, remarks]: [Problem[], Problem[]] = [[], []];
  let [problemCount, remarkCount] = [0, 0];
  return {
    problem(problem: Problem): void {
      if (++problemCount <= bound) problems.push(problem);
    },
    remark(remark: Problem): void {
      if (++remarkCount <= bound) remarks.push(remark);
    },
    found: () => ({ problems, problemCount, remarks, remarkCount }),
  };
}
