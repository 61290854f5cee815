/** Cameras of a command line: angles, names of views, and camera files. */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../errors.ts';
import {
  type Camera,
  cameraLabel,
  cameraOfLabel,
  focalOfFov,
  focalOfLegacyFov,
  intrinsics,
  NAMED_VIEWS,
  viewCamera,
} from '../portrait/camera.ts';
import { type NdArray, ndarray } from '../tensor/index.ts';
import { numberOption, refuseTogether, wholeOption, wordsOption } from './parse.ts';

/** A camera with the name its pictures get. */
export interface View {
  /** Part of file names. */
  readonly name: string;
  readonly label: string;
  readonly camera: Camera;
}

/** Texts and numbers of the options that choose cameras. */
export interface ViewOptions {
  readonly yaw?: number;
  readonly pitch?: number;
  readonly views?: readonly string[];
  /** Number of views evenly round the circle. */
  readonly turn?: number;
  readonly camera?: string;
  readonly fov?: number;
  readonly fovLegacy?: number;
}

/** Names that `--views` takes. */
export const VIEW_NAMES = Object.keys(NAMED_VIEWS);

/** Adds the options that choose cameras, `--fov` included. */
export function viewOptions(command: Command): Command {
  return command
    .option('--yaw <degrees>', "positive shows the person's left side", numberOption('--yaw'))
    .option('--pitch <degrees>', 'positive looks from above', numberOption('--pitch', -89.9, 89.9))
    .option(
      '--views <list>',
      `views by name: ${VIEW_NAMES.join(', ')} (default: front)`,
      wordsOption('--views', VIEW_NAMES),
    )
    .option('--turn <n>', 'n views evenly round the circle', wholeOption('--turn', 1, 360))
    .option('--camera <file.json>', '25 numbers, {cam2world, intrinsics}, or a result.json')
    .option('--fov <degrees>', 'true field of view over the side (default: 8.78)', numberOption('--fov'));
}

/** The cameras that the options describe; the front without any.
 *
 * @throws UsageError for options that contradict each other or a file that holds no camera.
 */
export function viewsOf(options: ViewOptions): View[] {
  const { yaw, pitch, views, turn, camera, fov, fovLegacy } = options;
  const angles = yaw !== undefined || pitch !== undefined;
  refuseTogether(
    {
      '--yaw/--pitch': angles,
      '--views': views !== undefined,
      '--turn': turn !== undefined,
      '--camera': camera !== undefined,
    },
    'each says where the camera is',
  );
  refuseTogether(
    { '--fov': fov !== undefined, '--fov-legacy': fovLegacy !== undefined, '--camera': camera !== undefined },
    'each says how wide the camera looks',
  );
  if (camera !== undefined) return camerasOfFile(camera);
  const k = intrinsics(focalOf(options));
  if (angles) {
    const [y, p] = [yaw ?? 0, pitch ?? 0];
    return [
      {
        name: `yaw${y}${p === 0 ? '' : `_pitch${p}`}`,
        label: `yaw ${y}°${p === 0 ? '' : `, pitch ${p}°`}`,
        camera: viewCamera(y, p, { intrinsics: k }),
      },
    ];
  }
  if (turn !== undefined) {
    return Array.from({ length: turn }, (_, i) => {
      const degrees = Math.round((3600 * i) / turn) / 10;
      return {
        name: `yaw${degrees}`,
        label: `${degrees}°`,
        camera: viewCamera((360 * i) / turn, 0, { intrinsics: k }),
      };
    });
  }
  return (views ?? ['front']).map((name) => ({
    name,
    label: name,
    camera: viewCamera(NAMED_VIEWS[name], 0, { intrinsics: k }),
  }));
}

function focalOf({ fov, fovLegacy }: ViewOptions): number | undefined {
  if (fov !== undefined) return focalOfFov(fov);
  return fovLegacy === undefined ? undefined : focalOfLegacyFov(fovLegacy);
}

/** The camera that latents are mapped under: the front one, standard intrinsics.
 *
 * `--fov-legacy` changes it too, as the original's scripts do; `--fov` does not, so that zooming keeps the person.
 */
export function conditionLabel(fovLegacy: number | undefined): NdArray {
  const k = intrinsics(fovLegacy === undefined ? undefined : focalOfLegacyFov(fovLegacy));
  return labelOf(viewCamera(0, 0, { intrinsics: k }));
}

/** A camera as a label [1, 25]. */
export function labelOf(camera: Camera): NdArray {
  return ndarray([1, 25], cameraLabel(camera));
}

/** Cameras of a JSON file: 25 numbers; `{cam2world, intrinsics}`; or `{camera_pose}` of one picture or of
 * many by name, as in a `result.json`. */
export function camerasOfFile(file: string): View[] {
  let text: string;
  let value: unknown;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the camera file: ${(error as Error).message}`);
  }
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`the camera file "${file}" is not JSON: ${(error as Error).message}`);
  }
  const stem = basename(file).replace(/\.json$/i, '');
  try {
    const single = labelNumbers(value);
    if (single !== undefined) return [view(stem, single)];
    const entries = isRecord(value) ? Object.entries(value) : [];
    const views = entries.flatMap(([key, entry]) => {
      const numbers = labelNumbers(entry);
      return numbers === undefined ? [] : [view(key.replace(/\.(png|jpe?g)$/i, ''), numbers)];
    });
    if (views.length > 0 && views.length === entries.length) return views;
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`the camera file "${file}": ${error.message}`);
    throw error;
  }
  throw new UsageError(
    `the camera file "${file}" holds no camera; expected 25 numbers, {"cam2world": 4x4, "intrinsics": 3x3} or {"camera_pose": 4x4}, or a table of the latter by name`,
  );
}

function view(key: string, numbers: readonly number[]): View {
  const name = key.replace(/[^A-Za-z0-9._-]+/g, '_').replace(/^\.+/, '') || 'camera';
  return { name, label: name, camera: cameraOfLabel(numbers) };
}

/** The 25 numbers that a value stands for, or undefined when it is no camera. */
function labelNumbers(value: unknown): number[] | undefined {
  if (Array.isArray(value)) {
    const numbers = flat(value);
    return numbers.length === 25 ? numbers : undefined;
  }
  if (!isRecord(value)) return undefined;
  const pose = value.cam2world ?? value.camera_pose;
  if (pose === undefined) return undefined;
  const matrix = flat(pose);
  if (matrix.length !== 16) throw new UsageError(`a camera matrix has 16 numbers, not ${matrix.length}`);
  const k = value.intrinsics === undefined ? standardIntrinsics() : flat(value.intrinsics);
  if (k.length !== 9) throw new UsageError(`intrinsics are a 3x3 matrix of 9 numbers, not ${k.length}`);
  return [...matrix, ...k];
}

function standardIntrinsics(): number[] {
  const { fx, skew, cx, fy, cy } = intrinsics();
  return [fx, skew, cx, 0, fy, cy, 0, 0, 1];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function flat(value: unknown): number[] {
  if (isRecord(value)) {
    const { fx, fy, cx = 0.5, cy = 0.5, skew = 0 } = value as Record<string, number>;
    return [fx, skew, cx, 0, fy ?? fx, cy, 0, 0, 1].map(Number);
  }
  return (Array.isArray(value) ? value : []).flat(3).map(Number);
}
