/** Where the camera of each picture stands, and how neck and head are turned. */

import { type Camera, orbitCamera } from '../../portrait/camera.ts';
import type { Stream } from '../../random.ts';

/** How cameras are spread.
 *
 * - `phq`: as in photographs: most from the front, some from all round, a tail from behind; a little roll.
 * - `uniform`: yaw spread evenly over the circle and over the views of an identity.
 * - `ring`: level, the views of an identity at equal steps, the first one in front.
 */
export const CAMERAS = ['phq', 'uniform', 'ring'] as const;
export type CameraSpread = (typeof CAMERAS)[number];

/** `natural`: small turns, nods and tilts of neck and head; `none`: everybody looks ahead. */
export const POSES = ['natural', 'none'] as const;
export type PoseSpread = (typeof POSES)[number];

/** phq: shares of front and rear; the rest is uniform. Spreads in radians of yaw. */
const FRONT = { share: 0.55, spread: 0.55 };
const REAR = { share: 0.15, spread: 0.7 };
/** Spread of the vertical angle v (linear in height) and where it ends. */
const VERTICAL = { spread: 0.16, limit: 0.4 };
const ROLL_SPREAD = 0.035;

/** The camera of one view of an identity. `own` belongs to the picture, `shared` to all views of the identity. */
export function cameraOf(
  spread: CameraSpread,
  view: number,
  views: number,
  shared: Stream,
  own: Stream,
): Camera {
  if (spread === 'ring') return orbitCamera(Math.PI / 2 + (2 * Math.PI * view) / views, Math.PI / 2);
  const v = Math.PI / 2 + Math.max(-VERTICAL.limit, Math.min(VERTICAL.limit, VERTICAL.spread * own.normal()));
  if (spread === 'uniform') {
    const start = shared.uniform();
    return orbitCamera(Math.PI / 2 + 2 * Math.PI * (start + (view + own.uniform()) / views), v);
  }
  const kind = own.uniform();
  const yaw =
    kind < FRONT.share
      ? FRONT.spread * own.normal()
      : kind < FRONT.share + REAR.share
        ? Math.PI + REAR.spread * own.normal()
        : 2 * Math.PI * own.uniform();
  return rolled(orbitCamera(Math.PI / 2 + yaw, v), ROLL_SPREAD * own.normal());
}

/** Turns a camera about its viewing direction. */
function rolled(camera: Camera, angle: number): Camera {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const cam2world = [...camera.cam2world];
  for (let row = 0; row < 3; row++) {
    const [right, down] = [cam2world[4 * row], cam2world[4 * row + 1]];
    cam2world[4 * row] = c * right + s * down;
    cam2world[4 * row + 1] = c * down - s * right;
  }
  return { ...camera, cam2world };
}

/** Spreads of nod, turn and tilt, radians. */
const NECK_SPREAD = [0.07, 0.15, 0.06];
const HEAD_SPREAD = [0.1, 0.2, 0.07];
/** Neck and head turn together, partly. */
const TOGETHER = 0.5;
const MOST = 2.2;

/** Six pose numbers, radians. */
export function poseOf(spread: PoseSpread, own: Stream): number[] {
  if (spread === 'none') return [0, 0, 0, 0, 0, 0];
  const bounded = (value: number): number => MOST * Math.tanh(value / MOST);
  const common = [0, 1, 2].map(() => own.normal());
  return [NECK_SPREAD, HEAD_SPREAD].flatMap((spreads) =>
    spreads.map((width, k) => {
      const z = Math.sqrt(TOGETHER) * common[k] + Math.sqrt(1 - TOGETHER) * own.normal();
      return width * bounded(z);
    }),
  );
}
