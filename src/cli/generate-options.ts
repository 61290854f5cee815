/** The options of `generate`: parsed once, checked against each other. */

import { UsageError } from '../errors.ts';
import type { BodyFlags, PoseFlags } from './body-options.ts';
import type { EngineOptions } from './engine.ts';
import { refuseTogether } from './parse.ts';
import type { ViewOptions } from './views.ts';

/** Pictures that a view can be written as. */
export const MAPS = ['image', 'raw', 'mask', 'depth', 'background', 'normals'] as const;
export type MapName = (typeof MAPS)[number];

/** What commander collects. */
export interface GenerateFlags extends EngineOptions, ViewOptions, PoseFlags, BodyFlags {
  readonly network?: string;
  readonly seeds?: readonly number[];
  readonly latents?: string;
  readonly trunc?: readonly number[];
  readonly truncCutoff?: number;
  readonly mix?: number;
  readonly mixLayers?: readonly [number, number];
  readonly interpolate?: number;
  readonly size?: number;
  /** `true` without a value. */
  readonly grid?: string | true;
  readonly maps: readonly MapName[];
  readonly samples?: number;
  readonly rayStart?: number;
  readonly neuralResolution?: number;
  readonly noise: 'const' | 'random' | 'none';
  readonly saveLatents?: string;
  readonly outdir: string;
  readonly json?: boolean;
}

/** The shape of a contact sheet. */
export interface SheetChoice {
  /** Only the sheet is written. */
  readonly only: boolean;
  readonly shape?: { readonly columns: number; readonly rows: number };
}

/** The options that remain as they are, and those that became something else. */
export interface GenerateOptions
  extends Omit<GenerateFlags, 'seeds' | 'trunc' | 'grid' | 'mix' | 'mixLayers'> {
  /** Empty when latents are given. */
  readonly seeds: readonly number[];
  readonly psis: readonly number[];
  readonly mix?: { readonly seed: number; readonly first: number; readonly last: number };
  readonly sheet: SheetChoice;
}

/** Checks the options against each other.
 *
 * @throws UsageError naming the options that contradict each other.
 */
export function generateOptions(flags: GenerateFlags): GenerateOptions {
  const { seeds, trunc, grid, mix, mixLayers, ...rest } = flags;
  const { latents, interpolate } = rest;
  refuseTogether(
    { '--seeds': seeds !== undefined, '--latents': latents !== undefined },
    'each says whom to show',
  );
  refuseTogether({ '--mix': mix !== undefined, '--latents': latents !== undefined }, 'mixing takes seeds');
  refuseTogether(
    { '--mix': mix !== undefined, '--interpolate': interpolate !== undefined },
    'mixing and interpolation both make new styles',
  );
  const psis = trunc ?? [1];
  refuseTogether(
    { 'a sweep of --trunc': psis.length > 1, '--interpolate': interpolate !== undefined },
    'both make a row of pictures',
  );
  if (mix !== undefined && mixLayers === undefined)
    throw new UsageError('--mix needs --mix-layers: which rows come from the other seed, such as 0-6');
  if (mix === undefined && mixLayers !== undefined)
    throw new UsageError('--mix-layers needs --mix SEED: the seed that gives these rows');
  if (rest.truncCutoff !== undefined && trunc === undefined)
    throw new UsageError('--trunc-cutoff without --trunc has no effect; give --trunc too');
  if (rest.body !== undefined && rest.neck === undefined && rest.head === undefined)
    throw new UsageError('--body has no effect without a pose: give --neck or --head too');
  const chosen = seeds ?? (latents === undefined ? [0] : []);
  if (interpolate !== undefined && latents === undefined && chosen.length < 2)
    throw new UsageError('--interpolate needs at least two seeds');
  return {
    ...rest,
    seeds: chosen,
    psis,
    ...(mix === undefined || mixLayers === undefined
      ? {}
      : { mix: { seed: mix, first: mixLayers[0], last: mixLayers[1] } }),
    sheet: sheetChoice(grid),
  };
}

function sheetChoice(grid: string | true | undefined): SheetChoice {
  if (grid === undefined) return { only: false };
  if (grid === true) return { only: true };
  const match = /^([1-9]\d{0,3})[x,]([1-9]\d{0,3})$/.exec(grid);
  if (match === null)
    throw new UsageError(`--grid is "${grid}"; expected WxH such as 4x2, or nothing after it`);
  return { only: true, shape: { columns: Number(match[1]), rows: Number(match[2]) } };
}
