/** Which body follows a pose, and the pose itself. */

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type BodyModel, bodyFromFields, readCompactBody } from '../body/index.ts';
import { defaultBody } from '../default-body.ts';
import { FormatError, UsageError } from '../errors.ts';
import { type NdArray, ndarray } from '../tensor/index.ts';
import { type NpyArray, openFileSource, readBodyFile, readNpy, readNpz } from '../weights/index.ts';
import { readingFrom, requireFile } from './input.ts';
import type { OpenNetworks } from './network.ts';
import { note } from './output.ts';
import type { Parser } from './parse.ts';

type Angles = readonly [number, number, number];

export interface PoseFlags {
  /** Degrees: nod, turn, tilt. */
  readonly neck?: Angles;
  readonly head?: Angles;
}

export interface BodyFlags {
  readonly body?: string;
  readonly alignRegressor?: string;
}

/** Adds `--neck` and `--head`. */
export function poseOptions(command: Command): Command {
  const meaning = 'nod,turn,tilt in degrees: positive nods forward, turns to the left, tilts to the right';
  return command
    .option('--neck <angles>', `pose of the neck: ${meaning}`, anglesOption('--neck'))
    .option('--head <angles>', 'pose of the head on the neck, likewise', anglesOption('--head'));
}

/** Adds `--body` and `--align-regressor`. */
export function bodyOptions(command: Command): Command {
  return command
    .option(
      '--body <file>',
      "body that follows the pose: SMPL .pkl or .npz, or our own format (default: the checkpoint's, else the one that ships)",
    )
    .option(
      '--align-regressor <file>',
      '.npy or .npz with the joint regressor whose row 12 is the neck point',
    );
}

function anglesOption(option: string): Parser<Angles> {
  return (text) => {
    const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    if (numbers.length !== 3 || !numbers.every(Number.isFinite)) {
      throw new UsageError(`${option} is "${text}"; expected three numbers of degrees such as 10,-20,0`);
    }
    return numbers as unknown as Angles;
  };
}

/** The pose [1, 6] in radians as axis-angle vectors; undefined when neither option is given. */
export function poseOf({ neck, head }: PoseFlags): NdArray | undefined {
  if (neck === undefined && head === undefined) return undefined;
  const degrees = [...(neck ?? [0, 0, 0]), ...(head ?? [0, 0, 0])];
  return ndarray(
    [1, 6],
    degrees.map((angle) => (angle * Math.PI) / 180),
  );
}

/** Opens the body: the file's, else the checkpoint's, else the one that ships.
 *
 * @throws UsageError for a missing file, FormatError for one that holds no body.
 */
export async function openBody(
  { body, alignRegressor }: BodyFlags,
  networks?: Pick<OpenNetworks, 'body'>,
): Promise<BodyModel> {
  if (body === undefined) {
    if (alignRegressor !== undefined) throw new UsageError('--align-regressor belongs to a --body');
    return networks?.body?.() ?? defaultBody();
  }
  requireFile(body, '--body');
  return readingFrom(body, async () => {
    const bytes = firstBytes(body);
    if (bytes === 'PGANBODY') return readCompactBody(readFileSync(body));
    const fields = await readBodyFile(body);
    const align = alignRegressor === undefined ? undefined : await readRegressor(alignRegressor);
    return bodyFromFields(fields, { alignRegressor: align, onWarning: note });
  });
}

function firstBytes(file: string): string {
  const source = openFileSource(file);
  try {
    return String.fromCharCode(...source.read(0, Math.min(8, source.size)));
  } finally {
    source.close();
  }
}

async function readRegressor(file: string): Promise<NpyArray> {
  requireFile(file, '--align-regressor');
  return readingFrom(file, async () => {
    const bytes = readFileSync(file);
    if (bytes[0] === 0x93) return readNpy(bytes);
    const arrays = await readNpz(bytes);
    const found = arrays.get('align_regressor') ?? (arrays.size === 1 ? [...arrays.values()][0] : undefined);
    if (found === undefined)
      throw new FormatError(`no array "align_regressor"; it holds ${[...arrays.keys()].join(', ')}`);
    return found;
  });
}
