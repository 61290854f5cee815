/** Ways of the camera through a video (spec page 7.7). */

import { type Camera, type OrbitOptions, orbitCamera } from '../portrait/camera.ts';

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

/** What a frame shows besides the person's styles. A pose of the body belongs here too. */
export interface Moment {
  /** In keyframes, from 0. */
  readonly position: number;
  readonly camera: Camera;
}

/** The state of things at a frame.
 *
 * `turn` goes round once in the whole video, `large` once a keyframe, both from the front towards the person's
 * left; `small` is the original's swaying in front of the face.
 */
export function momentOf(path: CameraPath, frame: number, timing: Timing, orbit: OrbitOptions = {}): Moment {
  const { keyframes, framesPerKeyframe } = timing;
  const position = frame / framesPerKeyframe;
  const whole = 2 * Math.PI * (position / keyframes);
  const front = Math.PI / 2;
  const at = (h: number, v: number): Moment => ({ position, camera: orbitCamera(h, v, orbit) });
  switch (path) {
    case 'turn':
      return at(front + whole, front);
    case 'large':
      return at(front + 2 * Math.PI * position, front);
    case 'small':
      return at(front + 0.35 * Math.sin(whole), front - 0.05 + 0.25 * Math.cos(whole));
    case 'still':
      return at(front, front);
  }
}
