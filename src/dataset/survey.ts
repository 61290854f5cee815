/**
 * What a dataset's two archives hold and how it fits together: names, labels and masks, without any pixel.
 *
 * Masks belong to pictures of the same stem. (The original pairs the n-th of both sorted lists, so that an extra
 * mask shifts all that follow.)
 */

import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatasetError, UsageError } from '../errors.ts';
import type { Archive } from './archive.ts';
import { type LabelTable, parseLabels } from './labels.ts';
import { isForeignPictureName, isPictureName, stemOf } from './names.ts';

/** A picture with all that belongs to it. */
export interface Entry {
  readonly name: string;
  readonly mask: string;
  /** 31 numbers. */
  readonly label: Float32Array;
}

/** Something wrong with one picture, or with a whole archive where `name` is empty. */
export interface Problem {
  readonly name: string;
  readonly problem: string;
}

/** What was found. */
export interface Survey {
  /** Complete pictures, sorted by code point. */
  readonly entries: readonly Entry[];
  /** Pictures that lack something; none of them is among the entries. */
  readonly problems: readonly Problem[];
  /** Not wrong, but perhaps not meant. */
  readonly remarks: readonly Problem[];
}

const LABELS_NAME = 'dataset.json';
const MAX_LABELS_BYTES = 2 ** 31;

/** The problem as a line. */
export function problemLine({ name, problem }: Problem): string {
  return name === '' ? problem : `${name}: ${problem}`;
}

/** Reads the labels that belong to an archive of pictures.
 *
 * @param file  a `dataset.json` elsewhere.
 * @throws DatasetError when there is none, or it is broken.
 */
export async function readLabels(images: Archive, file?: string): Promise<LabelTable> {
  if (file !== undefined) return parseLabels(await labelsFile(file));
  if (images.has(LABELS_NAME)) return parseLabels(await images.read(LABELS_NAME, MAX_LABELS_BYTES));
  const beside = join(dirname(images.path), LABELS_NAME);
  if (existsSync(images.path) && (await stat(images.path)).isDirectory() && existsSync(beside))
    return parseLabels(await labelsFile(beside));
  throw new DatasetError(`"${images.path}" has no ${LABELS_NAME}: every picture needs a label of 31 numbers`);
}

async function labelsFile(file: string): Promise<Uint8Array> {
  if (!existsSync(file)) throw new UsageError(`there is no file "${file}"`);
  const { size } = await stat(file);
  if (size > MAX_LABELS_BYTES)
    throw new DatasetError(`"${file}" has ${size} bytes; at most ${MAX_LABELS_BYTES} are read`);
  return readFile(file);
}

/** Pairs pictures, masks and labels. @throws DatasetError when there is no picture at all. */
export function surveyDataset(images: Archive, masks: Archive, labels: LabelTable): Survey {
  const problems: Problem[] = foreign(images);
  const maskOf = new Map<string, string>();
  for (const mask of masks.names.filter(isPictureName)) {
    const stem = stemOf(mask);
    const other = maskOf.get(stem);
    if (other === undefined) maskOf.set(stem, mask);
    else problems.push({ name: mask, problem: `the masks have ${JSON.stringify(other)} of the same stem` });
  }
  const entries: Entry[] = [];
  const stems = new Map<string, string>();
  const names = images.names.filter(isPictureName);
  if (names.length === 0) throw new DatasetError(`"${images.path}" holds no pictures (.png, .jpg)`);
  for (const name of names) {
    const stem = stemOf(name);
    const [twin, mask, label] = [stems.get(stem), maskOf.get(stem), labels.find(name)];
    stems.set(stem, name);
    if (twin !== undefined)
      problems.push({
        name,
        problem: `there is also ${JSON.stringify(twin)}: both would have the same mask`,
      });
    else if (label === undefined) problems.push({ name, problem: `${LABELS_NAME} has no label for it` });
    else if (typeof label === 'string') problems.push({ name, problem: label });
    else if (mask === undefined) problems.push({ name, problem: `"${masks.path}" has no mask for it` });
    else entries.push({ name, mask, label });
  }
  return { entries, problems, remarks: [...extraMasks(maskOf, stems), ...extraLabels(labels, images)] };
}

function foreign(images: Archive): Problem[] {
  return images.names
    .filter(isForeignPictureName)
    .map((name) => ({ name, problem: 'is not a picture that can be used: save it as PNG or JPEG' }));
}

function extraMasks(maskOf: ReadonlyMap<string, string>, stems: ReadonlyMap<string, string>): Problem[] {
  return [...maskOf]
    .filter(([stem]) => !stems.has(stem))
    .map(([, name]) => ({
      name,
      problem:
        'is a mask without a picture: left out here, the original would pair masks wrongly from here on',
    }));
}

function extraLabels(labels: LabelTable, images: Archive): Problem[] {
  return labels.names
    .filter((name) => !images.has(name))
    .map((name) => ({ name, problem: 'is labelled, but there is no such picture' }));
}

/** The first of several problems as the message of an error. */
export function refusal(problems: readonly Problem[]): string {
  const more = problems.length - 1;
  const others = more === 0 ? '' : ` (and ${more} more such ${more === 1 ? 'problem' : 'problems'})`;
  return `${problemLine(problems[0])}${others}; "portraitgan dataset validate" lists what is wrong`;
}
