/** Poses of the body through a video: the same all the time, or one joint there and back. */

import type { NdArray } from '../tensor/index.ts';
import { type PoseFlags, poseOf } from './body-options.ts';

/** Names that `--sweep` takes: a joint, and the angle that changes. */
export const SWEEPS = ['head-turn', 'head-nod', 'head-tilt', 'neck-turn', 'neck-nod', 'neck-tilt'] as const;
export type Sweep = (typeof SWEEPS)[number];

export interface SweepFlags extends PoseFlags {
  readonly sweep?: Sweep;
  /** How far it goes. */
  readonly sweepDegrees?: number;
}

/** Degrees that a sweep goes when nothing says otherwise. */
export const SWEEP_DEGREES = 40;

/** Places of the angles in `--neck` and `--head`. */
const ANGLES = { nod: 0, turn: 1, tilt: 2 } as const;

/** The pose [1, 6] at a share of the video in [0, 1); undefined when nothing poses the body.
 *
 * A sweep adds d (1 - cos 2 pi share) / 2 to one of the angles: it starts and ends at the constant pose, is
 * farthest in the middle, and goes on without a jolt when the video repeats.
 */
export function sweptPose(flags: SweepFlags, share: number): NdArray | undefined {
  const { sweep, sweepDegrees = SWEEP_DEGREES } = flags;
  if (sweep === undefined) return poseOf(flags);
  const [joint, angle] = sweep.split('-') as ['neck' | 'head', keyof typeof ANGLES];
  const angles = [...(flags[joint] ?? [0, 0, 0])] as [number, number, number];
  angles[ANGLES[angle]] += (sweepDegrees * (1 - Math.cos(2 * Math.PI * share))) / 2;
  return poseOf({ ...flags, [joint]: angles });
}
