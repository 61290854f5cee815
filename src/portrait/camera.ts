/**
 * Cameras and their 25-number labels (spec page 1).
 *
 * World: right-handed, metres, y up; the body faces +z, its left is +x. A camera is a cam2world matrix whose
 * columns are image right, image down, viewing direction and centre, and intrinsics in units of the picture.
 */

import { UsageError } from '../errors.ts';

/** A pinhole camera. */
export interface Camera {
  /** 16 numbers, row-major 4 x 4; columns right, down, forward, centre. */
  readonly cam2world: readonly number[];
  readonly intrinsics: Intrinsics;
}

/** Focal lengths, skew and centre in units of the image side. */
export interface Intrinsics {
  readonly fx: number;
  readonly fy: number;
  readonly skew: number;
  readonly cx: number;
  readonly cy: number;
}

type Vec3 = readonly [number, number, number];

/** 5000 / 1024 / .75: the focal length of every training picture. */
export const STANDARD_FOCAL = 5000 / 1024 / 0.75;
/** Distance of the camera from the origin, metres. */
export const STANDARD_RADIUS = 2.7;
/** Where every ready-made camera looks. */
export const STANDARD_LOOK_AT: Vec3 = [0, 0.0649, 0];

export function intrinsics(focal: number = STANDARD_FOCAL): Intrinsics {
  return { fx: focal, fy: focal, skew: 0, cx: 0.5, cy: 0.5 };
}

/** Focal length for a true field of view, degrees over the picture's side. */
export function focalOfFov(fovDegrees: number): number {
  if (!(fovDegrees > 0 && fovDegrees < 180))
    throw new UsageError(`field of view is ${fovDegrees} degrees; it must be between 0 and 180`);
  return 0.5 / Math.tan((fovDegrees * Math.PI) / 360);
}

/** The published helper's formula with its rounded constants: not the true field of view. */
export function focalOfLegacyFov(fovDegrees: number): number {
  if (!(fovDegrees > 0 && fovDegrees < 180))
    throw new UsageError(`field of view is ${fovDegrees} degrees; it must be between 0 and 180`);
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: the published digits are the formula
  return 1 / (Math.tan((fovDegrees * 3.14159) / 360) * 1.414);
}

export interface OrbitOptions {
  readonly radius?: number;
  readonly lookAt?: Vec3;
  readonly intrinsics?: Intrinsics;
}

/** A camera on the sphere round the origin, by the samplers' own angles.
 *
 * @param h horizontal, radians: pi/2 is the front, larger moves towards +x, the body's left.
 * @param v vertical: pi/2 is level; the height is `radius (1 - 2 v / pi)`, linear in v. Clamped off the poles.
 */
export function orbitCamera(h: number, v: number, options: OrbitOptions = {}): Camera {
  const { radius = STANDARD_RADIUS, lookAt = STANDARD_LOOK_AT } = options;
  const clamped = Math.min(Math.max(v, 1e-5), Math.PI - 1e-5);
  const phi = Math.acos(1 - (2 * clamped) / Math.PI);
  const centre: Vec3 = [
    radius * Math.sin(phi) * Math.cos(Math.PI - h),
    radius * Math.cos(phi),
    radius * Math.sin(phi) * Math.sin(Math.PI - h),
  ];
  return lookAtCamera(centre, lookAt, options.intrinsics ?? intrinsics());
}

/** A camera without roll at `centre`, looking at `target`. */
export function lookAtCamera(centre: Vec3, target: Vec3, k: Intrinsics): Camera {
  const forward = normalize([target[0] - centre[0], target[1] - centre[1], target[2] - centre[2]]);
  const side = normalize(cross([0, 1, 0], forward));
  const right: Vec3 = [-side[0], -side[1], -side[2]];
  const down = normalize(cross(forward, right));
  const rows = [0, 1, 2].map((i) => [right[i], down[i], forward[i], centre[i]]);
  return { cam2world: [...rows.flat(), 0, 0, 0, 1], intrinsics: k };
}

/** A camera by the angles a person thinks in.
 *
 * @param yawDegrees   0 is the front; positive shows the person's left side; 180 is the back.
 * @param pitchDegrees positive looks from above: elevation of the camera over the origin.
 */
export function viewCamera(yawDegrees: number, pitchDegrees: number, options: OrbitOptions = {}): Camera {
  if (!Number.isFinite(yawDegrees))
    throw new UsageError(`yaw is ${yawDegrees}; it must be a number of degrees`);
  if (!(Math.abs(pitchDegrees) < 90))
    throw new UsageError(`pitch is ${pitchDegrees} degrees; it must be between -90 and 90`);
  const elevation = (pitchDegrees * Math.PI) / 180;
  const h = Math.PI / 2 + (yawDegrees * Math.PI) / 180;
  return orbitCamera(h, (Math.PI / 2) * (1 - Math.sin(elevation)), options);
}

/** Yaw of the four views that have names. */
export const NAMED_VIEWS: Readonly<Record<string, number>> = { front: 0, left: 90, back: 180, right: -90 };

/** Sampler means and spreads, radians; draws are injected. */
export interface CameraDistribution extends OrbitOptions {
  readonly kind: 'gaussian' | 'uniform';
  readonly h: number;
  readonly v: number;
  readonly hSpread: number;
  readonly vSpread: number;
}

/** A random camera. `draw` gives standard normals for 'gaussian', numbers in [0, 1) for 'uniform'. */
export function sampleCamera(distribution: CameraDistribution, draw: () => number): Camera {
  const spread = (width: number): number =>
    width * (distribution.kind === 'gaussian' ? draw() : 2 * draw() - 1);
  const h = distribution.h + spread(distribution.hSpread);
  const v = distribution.v + spread(distribution.vSpread);
  return orbitCamera(h, v, distribution);
}

/** The label: 16 numbers of cam2world, then 9 of the intrinsic matrix, row-major. */
export function cameraLabel(camera: Camera): Float32Array {
  const { fx, fy, skew, cx, cy } = camera.intrinsics;
  return Float32Array.from([...camera.cam2world, fx, skew, cx, 0, fy, cy, 0, 0, 1]);
}

/** Reads a label. @throws UsageError when it is no camera: wrong length, not finite, not a rigid motion. */
export function cameraOfLabel(label: ArrayLike<number>): Camera {
  const numbers = Array.from(label);
  if (numbers.length !== 25) throw new UsageError(`a camera label has 25 numbers, not ${numbers.length}`);
  if (!numbers.every(Number.isFinite))
    throw new UsageError('a camera label holds a number that is not finite');
  const m = numbers.slice(0, 16);
  const determinant =
    m[0] * (m[5] * m[10] - m[6] * m[9]) -
    m[1] * (m[4] * m[10] - m[6] * m[8]) +
    m[2] * (m[4] * m[9] - m[5] * m[8]);
  if (Math.abs(determinant - 1) > 0.01) {
    throw new UsageError(`the camera's rotation has determinant ${determinant.toFixed(4)} instead of 1`);
  }
  if (!(numbers[16] > 0 && numbers[20] > 0))
    throw new UsageError(`focal lengths are ${numbers[16]} and ${numbers[20]}; they must be positive`);
  return {
    cam2world: m,
    intrinsics: { fx: numbers[16], skew: numbers[17], cx: numbers[18], fy: numbers[20], cy: numbers[21] },
  };
}

/** Label entries that change sign when the world is mirrored in x. */
export const MIRRORED_LABEL_ENTRIES: readonly number[] = [1, 2, 3, 4, 8];
/** Pose entries that do: the turn and the tilt of both joints. */
export const MIRRORED_POSE_ENTRIES: readonly number[] = [1, 2, 4, 5];

function cross(a: Vec3, b: Vec3): Vec3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function normalize(a: Vec3): Vec3 {
  const length = Math.hypot(...a);
  return [a[0] / length, a[1] / length, a[2] / length];
}
