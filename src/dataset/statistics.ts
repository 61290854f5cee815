/** What the labels of a dataset say about its views and poses. */

import { CAMERA_NUMBERS, POSE_NUMBERS } from './labels.ts';
import { isRearView } from './rear.ts';

const DEGREES = 180 / Math.PI;

/** Where a camera is, by the angles a person thinks in. */
export interface ViewAngles {
  /** Degrees round the person: 0 in front, positive towards its left, 180 behind. */
  readonly yaw: number;
  /** Elevation over the origin, degrees; positive looks from above. */
  readonly pitch: number;
  /** Turn of the picture, degrees; positive raises the camera's right side. */
  readonly roll: number;
  /** Distance from the origin, metres. */
  readonly radius: number;
}

/** Angles of a camera label. */
export function viewAngles(label: ArrayLike<number>): ViewAngles {
  const [x, y, z] = [label[3], label[7], label[11]];
  const radius = Math.hypot(x, y, z);
  return {
    yaw: Math.atan2(x, z) * DEGREES,
    pitch: Math.asin(Math.min(Math.max(y / radius, -1), 1)) * DEGREES,
    roll: Math.atan2(label[4], -label[5]) * DEGREES,
    radius,
  };
}

/** Spread of one quantity. */
export interface Spread {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Population standard deviation. */
  readonly std: number;
}

/** One number a picture for each quantity. */
export interface DatasetStatistics {
  readonly count: number;
  readonly yaw: Float64Array;
  readonly pitch: Float64Array;
  readonly roll: Float64Array;
  readonly radius: Float64Array;
  /** Neck x, y, z and head x, y, z in degrees. */
  readonly pose: readonly Float64Array[];
  /** Pictures that count as rear views for repetition. */
  readonly rear: number;
}

/** Names of the six numbers of a pose, in order. */
export const POSE_NAMES = [
  'neck nod',
  'neck turn',
  'neck tilt',
  'head nod',
  'head turn',
  'head tilt',
] as const;

/** Gathers statistics. @param labels  for each picture, `count` of them. */
export function datasetStatistics(
  count: number,
  labels: (index: number) => { readonly label: ArrayLike<number>; readonly pose: ArrayLike<number> },
): DatasetStatistics {
  const column = (): Float64Array => new Float64Array(count);
  const [yaw, pitch, roll, radius] = [column(), column(), column(), column()];
  const pose = Array.from({ length: POSE_NUMBERS }, column);
  let rear = 0;
  for (let i = 0; i < count; i++) {
    const found = labels(i);
    const view = viewAngles(found.label);
    yaw[i] = view.yaw;
    pitch[i] = view.pitch;
    roll[i] = view.roll;
    radius[i] = view.radius;
    pose.forEach((values, k) => {
      values[i] = found.pose[k] * DEGREES;
    });
    if (isRearView(found.label)) rear++;
  }
  return { count, yaw, pitch, roll, radius, pose, rear };
}

/** Least, largest, mean and deviation. */
export function spreadOf(values: Float64Array): Spread {
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (const x of values) {
    min = Math.min(min, x);
    max = Math.max(max, x);
    sum += x;
  }
  const mean = sum / values.length;
  const squares = values.reduce((total, x) => total + (x - mean) ** 2, 0);
  return { min, max, mean, std: Math.sqrt(squares / values.length) };
}

/** How far the rotation of a camera label is from a rotation: the largest entry of |R R' - 1|. */
export function rotationError(label: ArrayLike<number>): number {
  if (label.length < CAMERA_NUMBERS) return Infinity;
  let worst = 0;
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      let dot = i === j ? -1 : 0;
      for (let k = 0; k < 3; k++) dot += label[4 * i + k] * label[4 * j + k];
      worst = Math.max(worst, Math.abs(dot));
    }
  }
  return worst;
}
