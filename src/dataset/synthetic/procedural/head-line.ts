/** Lines drawn round a head, such as where hair begins. */

import { SKULL_CENTRE } from './cast.ts';
import type { Vec3 } from './neutral.ts';

/** Degrees from the front, either side, from 0 to 180, and metres above the neck joint. */
export type HeadLine = readonly (readonly [azimuth: number, height: number])[];

/** Metres of arc for one radian round the head. */
const HEAD_RADIUS = 0.085;
const ARC = (Math.PI * HEAD_RADIUS) / 180;

/** Metres from a line to a place, on the unrolled head: positive above. */
export function aboveLine(line: HeadLine, [x, y, z]: Vec3): number {
  const arc = HEAD_RADIUS * Math.abs(Math.atan2(x, z - SKULL_CENTRE[2]));
  let [nearest, height] = [Infinity, line[line.length - 1][1]];
  for (let i = 1; i < line.length; i++) {
    const [ax, ay] = [ARC * line[i - 1][0], line[i - 1][1]];
    const [ux, uy] = [ARC * line[i][0] - ax, line[i][1] - ay];
    const t = Math.min(1, Math.max(0, ((arc - ax) * ux + (y - ay) * uy) / (ux * ux + uy * uy)));
    const [dx, dy] = [arc - ax - t * ux, y - ay - t * uy];
    nearest = Math.min(nearest, dx * dx + dy * dy);
    if (arc >= ax && arc <= ax + ux) height = ay + ((arc - ax) / ux) * uy;
  }
  return y > height ? Math.sqrt(nearest) : -Math.sqrt(nearest);
}
