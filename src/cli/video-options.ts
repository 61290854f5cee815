/** The options of `video`: parsed once, checked against each other. */

import { UsageError } from '../errors.ts';
import type { BodyFlags } from './body-options.ts';
import type { EngineOptions } from './engine.ts';
import { type GenerateOptions, generateOptions } from './generate-options.ts';
import { type Parser, refuseTogether } from './parse.ts';
import type { CameraPath, Scene, Timing } from './video-path.ts';

/** Pictures that a video can show. */
export const VIDEO_MAPS = ['image', 'depth', 'raw'] as const;
export type VideoMap = (typeof VIDEO_MAPS)[number];

/** Containers; `auto` is MP4 where an encoder is installed, else animated WebP. */
export const VIDEO_FORMATS = ['auto', 'mp4', 'webp'] as const;

export interface GridShape {
  readonly columns: number;
  readonly rows: number;
}

/** What commander collects. */
export interface VideoFlags extends EngineOptions, BodyFlags, Omit<Scene, 'path'> {
  readonly network?: string;
  readonly seeds?: readonly number[];
  readonly latents?: string;
  readonly trunc?: number;
  readonly truncCutoff?: number;
  readonly path?: CameraPath;
  readonly interpolate?: boolean;
  readonly keyframes?: number;
  readonly grid?: GridShape;
  readonly frames: number;
  readonly fps: number;
  readonly size?: number;
  readonly map: VideoMap;
  readonly format: (typeof VIDEO_FORMATS)[number];
  readonly fov?: number;
  readonly fovLegacy?: number;
  readonly samples?: number;
  readonly rayStart?: number;
  readonly neuralResolution?: number;
  readonly outdir: string;
  readonly json?: boolean;
}

/** The options that remain as they are, and those that became something else. */
export interface VideoOptions extends VideoFlags {
  readonly path: CameraPath;
  readonly grid: GridShape;
  readonly whom: GenerateOptions;
}

/** One video: in each cell of the grid a person, or several one after another. */
export interface Shot<T> {
  /** Row by row. */
  readonly cells: readonly (readonly T[])[];
  readonly timing: Timing;
}

/** `4x2` or `4,2`. */
export const gridOption: Parser<GridShape> = (text) => {
  const match = /^(\d+)[x,](\d+)$/.exec(text.trim());
  const [columns, rows] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || columns < 1 || rows < 1)
    throw new UsageError(`--grid is "${text}"; expected WxH such as 4x2`);
  return { columns, rows };
};

/** Checks the options against each other.
 *
 * @throws UsageError naming the options that contradict each other.
 */
export function videoOptions(flags: VideoFlags): VideoOptions {
  if (flags.keyframes !== undefined && !flags.interpolate)
    throw new UsageError('--keyframes without --interpolate has no effect; give --interpolate too');
  const { path, yaw, pitch, sweep, grid = { columns: 1, rows: 1 } } = flags;
  const fixed = yaw !== undefined || pitch !== undefined;
  refuseTogether(
    { [`--path ${path}`]: path !== undefined && path !== 'still', '--yaw/--pitch': fixed },
    'each says where the camera is',
  );
  if (flags.sweepDegrees !== undefined && sweep === undefined)
    throw new UsageError('--sweep-degrees without --sweep has no effect; give --sweep too');
  if (flags.body !== undefined && !isPosed(flags))
    throw new UsageError('--body has no effect without a pose: give --neck, --head or --sweep too');
  const own = fixed || sweep !== undefined ? 'still' : 'turn';
  return { ...flags, path: path ?? own, grid, whom: whomOf(flags) };
}

/** Whether anything poses the body. */
export function isPosed({ neck, head, sweep }: Omit<Scene, 'path'>): boolean {
  return [neck, head, sweep].some((flag) => flag !== undefined);
}

/** Divides people among videos: one each; with a grid or with interpolation a single video of all. People repeat
 * where there are more places, as in the original. */
export function shotsOf<T>(people: readonly T[], options: Omit<VideoOptions, 'whom'>): Shot<T>[] {
  const { grid, interpolate = false, frames } = options;
  const cells = grid.columns * grid.rows;
  const named = `--grid ${grid.columns}x${grid.rows}`;
  const cycle = (index: number): T => people[index % people.length];
  if (!interpolate) {
    const timing = { keyframes: 1, framesPerKeyframe: frames };
    if (cells === 1) return people.map((person) => ({ cells: [[person]], timing }));
    if (people.length > cells)
      throw new UsageError(`${named} has ${cells} places for ${people.length} people; make it larger`);
    return [{ cells: Array.from({ length: cells }, (_, i) => [cycle(i)]), timing }];
  }
  const keyframes = options.keyframes ?? people.length / cells;
  if (!Number.isInteger(keyframes) || keyframes < 2)
    throw new UsageError(
      `--interpolate goes through at least 2 people in each of the ${cells} places of ${named}; ${people.length} do not divide so: give more seeds, or --keyframes`,
    );
  const timing = { keyframes, framesPerKeyframe: frames };
  const cell = (i: number): T[] => Array.from({ length: keyframes }, (_, k) => cycle(i * keyframes + k));
  return [{ cells: Array.from({ length: cells }, (_, i) => cell(i)), timing }];
}

/** Whom to show and how to render, with the checks that `generate` makes. */
function whomOf(flags: VideoFlags): GenerateOptions {
  const { trunc, engine, outdir } = flags;
  const { seeds, latents, truncCutoff, fov, fovLegacy, samples, rayStart, neuralResolution } = flags;
  if (fov !== undefined && fovLegacy !== undefined)
    throw new UsageError('--fov and --fov-legacy contradict each other: each says how wide the camera looks');
  const given = { seeds, latents, truncCutoff, fov, fovLegacy, samples, rayStart, neuralResolution };
  return generateOptions({
    maps: ['image'],
    noise: 'const',
    engine,
    outdir,
    ...(trunc === undefined ? {} : { trunc: [trunc] }),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  });
}
