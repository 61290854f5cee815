/**
 * The labels of a dataset: 31 numbers a picture, 25 of its camera and 6 of the body's pose, in `dataset.json`.
 *
 * `{"labels": [["folder/name.png", [31 numbers]], ...]}` (spec page 6.1). The file of a large set is longer than
 * a string may be, so the entries are found in the bytes and parsed one by one.
 */

import { DatasetError } from '../errors.ts';
import { MIRRORED_LABEL_ENTRIES, MIRRORED_POSE_ENTRIES } from '../portrait/camera.ts';

/** Numbers of a camera, of a pose, and of both. */
export const CAMERA_NUMBERS = 25;
export const POSE_NUMBERS = 6;
export const LABEL_NUMBERS = CAMERA_NUMBERS + POSE_NUMBERS;

/** Labels by the name of their picture. */
export interface LabelTable {
  /** Names in the order of the file; each once. */
  readonly names: readonly string[];
  /** The 31 numbers, or what is wrong with them, or undefined for a name without a label. */
  find(name: string): Float32Array | string | undefined;
}

/** Parses the bytes of a `dataset.json`.
 *
 * Entries whose numbers are wrong are kept with their problem.
 * @throws DatasetError when the file is no such JSON, or labels a picture twice.
 */
export function parseLabels(bytes: Uint8Array): LabelTable {
  const rows = new Map<string, number>();
  const problems = new Map<string, string>();
  let values = new Float32Array(1024 * LABEL_NUMBERS);
  for (const text of entryTexts(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))) {
    const { name, numbers, problem = labelProblem(numbers) } = parseEntry(text);
    if (rows.has(name)) throw new DatasetError(`dataset.json labels ${JSON.stringify(name)} twice`);
    const row = rows.size;
    rows.set(name, row);
    if ((row + 1) * LABEL_NUMBERS > values.length) {
      const larger = new Float32Array(2 * values.length);
      larger.set(values);
      values = larger;
    }
    if (problem === undefined) values.set(numbers as number[], row * LABEL_NUMBERS);
    else problems.set(name, problem);
  }
  return {
    names: [...rows.keys()],
    find(name) {
      const row = rows.get(name);
      if (row === undefined) return undefined;
      return problems.get(name) ?? values.subarray(row * LABEL_NUMBERS, (row + 1) * LABEL_NUMBERS);
    },
  };
}

/** What is wrong with the numbers of a label, or undefined. */
export function labelProblem(numbers: unknown): string | undefined {
  if (!Array.isArray(numbers) && !(numbers instanceof Float32Array) && !(numbers instanceof Float64Array))
    return `the label is not a list of ${LABEL_NUMBERS} numbers`;
  if (numbers.length !== LABEL_NUMBERS)
    return `the label has ${numbers.length} numbers; ${LABEL_NUMBERS} are needed, ${CAMERA_NUMBERS} of the camera and ${POSE_NUMBERS} of the pose`;
  const wrong = Array.from<unknown>(numbers).findIndex((x) => !Number.isFinite(x));
  if (wrong >= 0)
    return `number ${wrong} of the label is ${String(numbers[wrong])}, which is no finite number`;
  return undefined;
}

/** The camera and the pose of the mirrored picture; the rule is its own inverse (spec page 1.7). */
export function mirrorLabel(camera: Float32Array, pose: Float32Array): void {
  for (const i of MIRRORED_LABEL_ENTRIES) camera[i] = -camera[i];
  for (const i of MIRRORED_POSE_ENTRIES) pose[i] = -pose[i];
}

/** The text of a `dataset.json`, in pieces. */
export function* labelsJson(labels: Iterable<readonly [string, ArrayLike<number>]>): Generator<string> {
  yield '{"labels": [';
  let separator = '\n';
  for (const [name, numbers] of labels) {
    yield `${separator}${JSON.stringify([name, Array.from(numbers)])}`;
    separator = ',\n';
  }
  yield '\n]}\n';
}

interface ParsedEntry {
  readonly name: string;
  readonly numbers: unknown;
  readonly problem?: string;
}

function parseEntry(text: string): ParsedEntry {
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    // Python writes NaN and Infinity as they are, which is no JSON.
    const name = /^\[\s*("(?:[^"\\]|\\.)*")\s*,/.exec(text);
    const word = /[[,]\s*(-?(?:NaN|Infinity))\s*[\],]/.exec(text);
    if (name === null || word === null)
      throw new DatasetError(`dataset.json is broken JSON near ${JSON.stringify(text.slice(0, 60))}`);
    return {
      name: JSON.parse(name[1]),
      numbers: undefined,
      problem: `the label holds ${word[1]}, which is no finite number`,
    };
  }
  if (!Array.isArray(entry) || entry.length !== 2 || typeof entry[0] !== 'string') {
    throw new DatasetError(
      `dataset.json: an entry is ${text.slice(0, 60)}; expected ["name.png", [${LABEL_NUMBERS} numbers]]`,
    );
  }
  const [name, numbers] = entry as [string, unknown];
  const nested = Array.isArray(numbers) && numbers.length === 1 && Array.isArray(numbers[0]);
  return { name, numbers: nested ? (numbers as unknown[])[0] : numbers };
}

const BROKEN = 'dataset.json is broken JSON';

/** The entries of the list under "labels", as texts. */
function* entryTexts(bytes: Buffer): Generator<string> {
  let at = bytes.subarray(0, 3).toString('latin1') === '\xef\xbb\xbf' ? 3 : 0;
  const next = (): string => {
    while (' \t\r\n'.includes(String.fromCharCode(bytes[at]))) at++;
    if (at >= bytes.length) throw new DatasetError(`${BROKEN}: it ends too early`);
    return String.fromCharCode(bytes[at]);
  };
  const expect = (characters: string): string => {
    const found = next();
    if (!characters.includes(found))
      throw new DatasetError(`${BROKEN}: "${found}" at byte ${at} where one of "${characters}" belongs`);
    at++;
    return found;
  };
  const value = (): string => {
    next();
    const start = at;
    at = endOfValue(bytes, at);
    return bytes.toString('utf8', start, at);
  };
  let found = false;
  expect('{');
  for (let more = next() !== '}'; more; more = expect(',}') === ',') {
    const key = value();
    expect(':');
    if (key !== '"labels"' || next() === 'n') {
      value();
      continue;
    }
    if (found) throw new DatasetError('dataset.json has "labels" twice');
    found = true;
    expect('[');
    if (next() === ']') {
      at++;
      continue;
    }
    do yield value();
    while (expect(',]') === ',');
  }
  if (!found) throw new DatasetError('dataset.json has no "labels": every picture needs its 31 numbers');
}

/** The byte after a value: brackets are counted, strings are passed over. */
function endOfValue(bytes: Buffer, start: number): number {
  let depth = 0;
  let at = start;
  for (; at < bytes.length; at++) {
    const c = bytes[at];
    if (c === 0x22) {
      at++;
      while (at < bytes.length && bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1;
      if (depth === 0) return at + 1;
    } else if (c === 0x5b || c === 0x7b) depth++;
    else if (c === 0x5d || c === 0x7d) {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (c === 0x2c || c === 0x3a || c <= 0x20)) return at;
  }
  throw new DatasetError(`${BROKEN}: it ends too early`);
}
