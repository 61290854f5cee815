/** Where beards grow on the neutral face. All distances are metres, positive inside. */

import { SKULL_CENTRE } from './cast.ts';
import { aboveLine, type HeadLine } from './head-line.ts';
import type { Vec3 } from './neutral.ts';

export type BeardShape = 'moustache' | 'goatee' | 'full';

/** The upper border on the cheeks, up into the sideburns. */
const CHEEK: HeadLine = [
  [0, 0.083],
  [12, 0.082],
  [22, 0.073],
  [32, 0.063],
  [42, 0.06],
  [52, 0.066],
  [60, 0.08],
  [66, 0.102],
  [69, 0.128],
  [76, 0.128],
  [84, 0.1],
  [95, 0.05],
  [180, 0.02],
];
/** The lower border on the throat. */
const THROAT: HeadLine = [
  [0, 0.008],
  [35, 0.01],
  [52, 0.026],
  [66, 0.055],
  [75, 0.082],
  [84, 0.1],
  [95, 0.12],
  [180, 0.12],
];
/** Centre and half axes of the lips. */
const LIPS = { y: 0.0632, width: 0.0255, height: 0.0122 };
/** Behind this no place belongs to the mouth's front. */
const FRONT = 0.08;

/** Outside the lips. */
function fromLips([x, y, z]: Vec3): number {
  if (z < FRONT) return Infinity;
  const reach = Math.hypot(x / LIPS.width, (y - LIPS.y) / LIPS.height);
  return (reach - 1) * LIPS.height;
}

/** The strip over the upper lip, sinking towards the corners of the mouth. */
function moustache([x, y, z]: Vec3): number {
  if (z < FRONT) return -1;
  const side = Math.abs(x);
  const middle = 0.0805 - 0.28 * Math.max(0, side - 0.009) - 9 * Math.max(0, side - 0.018) ** 2;
  const half = 0.0062 - 0.06 * Math.max(0, side - 0.014);
  // A little of the groove under the nose shows.
  const groove = 0.0015 * Math.exp(-((side / 0.003) ** 2));
  return Math.min(half - groove - Math.abs(y - middle), 0.032 - side);
}

/** The chin, and a strip beside the mouth up to the moustache. */
function chin([x, y, z]: Vec3): number {
  if (z < 0.07) return -1;
  const side = Math.abs(x);
  const width = 0.026 + 0.1 * Math.max(0, Math.min(0.03, y - 0.045));
  const strip = side > 0.02 ? 0.0055 - Math.abs(side - 0.0285) : -1;
  const below = Math.min(0.053 - y, width - side);
  const beside = Math.min(strip, 0.08 - y);
  return Math.min(Math.max(below, beside), (z - 0.084) * 0.6, y - 0.012);
}

function full(place: Vec3): number {
  return Math.min(-aboveLine(CHEEK, place), aboveLine(THROAT, place));
}

/** Metres from the border of a beard to a place of the neutral. */
export function insideBeard(shape: BeardShape, place: Vec3): number {
  if (place[1] > 0.14 || place[2] < SKULL_CENTRE[2] - 0.01) return -1;
  let inside = moustache(place);
  if (shape === 'goatee') inside = Math.max(inside, chin(place));
  if (shape === 'full') inside = Math.max(inside, full(place), chin(place));
  return Math.min(inside, fromLips(place));
}
