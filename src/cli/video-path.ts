/** Ways of the camera through a video (spec page 7.7), and the pose at each frame. */

import { type Camera, type OrbitOptions, orbitCamera, viewCamera } from '../portrait/camera.ts';
import type { NdArray } from '../tensor/index.ts';
import { type SweepFlags, sweptPose } from './video-pose.ts';

/** Names that `--path` takes. */
export const CAMERA_PATHS = ['turn', 'small', 'large', 'still'] as const;
export type CameraPath = (typeof CAMERA_PATHS)[number];

/** How long a video is. */
export interface Timing {
  /** Styles it goes through; 1 without interpolation. */
  readonly keyframes: number;
  /** From one keyframe to the next. */
  readonly framesPerKeyframe: number;
}

/** What a frame shows besides the person's styles. */
export interface Moment {
  /** In keyframes, from 0. */
  readonly position: number;
  readonly camera: Camera;
  /** [1, 6] radians; undefined for the canonical body. */
  readonly pose: NdArray | undefined;
}

/** What a video shows besides its people. */
export interface Scene extends SweepFlags {
  readonly path: CameraPath;
  /** Degrees: where the camera of `still` stays. */
  readonly yaw?: number;
  readonly pitch?: number;
}

/** The state of things at a frame.
 *
 * `turn` goes round once in the whole video, `large` once a keyframe, both from the front towards the person's
 * left; `small` is the original's swaying in front of the face. A sweep goes there and back in the whole video.
 */
export function momentOf(scene: Scene, frame: number, timing: Timing, orbit: OrbitOptions = {}): Moment {
  const { keyframes, framesPerKeyframe } = timing;
  const position = frame / framesPerKeyframe;
  const share = position / keyframes;
  return { position, camera: cameraOf(scene, share, position, orbit), pose: sweptPose(scene, share) };
}

function cameraOf(
  { path, yaw = 0, pitch = 0 }: Scene,
  share: number,
  position: number,
  orbit: OrbitOptions,
): Camera {
  const whole = 2 * Math.PI * share;
  const front = Math.PI / 2;
  switch (path) {
    case 'turn':
      return orbitCamera(front + whole, front, orbit);
    case 'large':
      return orbitCamera(front + 2 * Math.PI * position, front, orbit);
    case 'small':
      return orbitCamera(front + 0.35 * Math.sin(whole), front - 0.05 + 0.25 * Math.cos(whole), orbit);
    case 'still':
      return viewCamera(yaw, pitch, orbit);
  }
}
