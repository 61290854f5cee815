/** The made hair styles. */

import type { Cast } from './cast.ts';
import type { Neutral, Vec3 } from './neutral.ts';
import { nearestPoint, smoothstep, valueNoise } from './noise.ts';
import type { MadePart } from './part.ts';
import { type ScalpPoint, scalpGrid } from './scalp.ts';
import { type ShellStyle, shellPart } from './shells.ts';

/** Shells shrink towards the hairline over this many metres. */
const EDGE = 0.022;

/** Height near the hairline and on the nape, of 1 well inside. */
function rounded({ inside, place }: ScalpPoint, least: number): number {
  const t = Math.min(1, Math.max(0, inside / EDGE));
  const nape = 0.4 + 0.6 * smoothstep(0.05, 0.13, place[1]);
  return nape * (least + (1 - least) * Math.sqrt(t * (2 - t)));
}

const BUZZ: ShellStyle = {
  name: 'buzz',
  mode: 'blend',
  layers: 4,
  height: (point) => 0.0035 * rounded(point, 0.3),
  hairline: 0.014,
  roots: 0.6,
  lean: ({ normal }, height): Vec3 => [0, -0.5 * height, -0.3 * height * Math.max(0, normal[1])],
  tileCells: 10,
  tileTexels: 256,
  strands(u, v, height) {
    const strand = valueNoise(u, v, 150, 150, 1);
    const tuft = 0.6 * valueNoise(u, v, 40, 40, 2) + 0.4 * valueNoise(u, v, 13, 13, 3);
    const length = 0.62 * strand + 0.38 * tuft;
    return [0.95 * smoothstep(height - 0.42, height - 0.12, length - 0.2), 0.35 + 0.55 * strand + 0.2 * tuft];
  },
};

const CURLS: ShellStyle = {
  name: 'curls',
  mode: 'cutout',
  layers: 4,
  height: (point) => 0.012 * rounded(point, 0.25),
  hairline: 0.008,
  roots: 0.3,
  tileCells: 10,
  tileTexels: 256,
  strands(u, v, height) {
    const warp = 0.02 * (valueNoise(u, v, 8, 8, 21) - 0.5);
    const { distance, dx, dy, own } = nearestPoint(u + warp, v - warp, 9, 11);
    // A spiral of strands round the middle of each lock.
    const turn = Math.atan2(dy, dx) / (2 * Math.PI);
    const spiral = 0.5 + 0.5 * Math.cos(2 * Math.PI * (2.6 * distance + (own > 0.5 ? turn : -turn) + own));
    const fine = valueNoise(u, v, 110, 110, 12);
    const length =
      0.35 + 0.75 * (1 - 1.25 * distance) * (0.7 + 0.3 * own) + 0.16 * spiral + 0.12 * (fine - 0.5);
    return [0.5 + (length - height) * 2.2, 0.5 + 0.4 * spiral + 0.2 * (fine - 0.5)];
  },
  coils: {
    perCell: 0.7,
    from: [0.1, 0.55],
    length: 0.03,
    radius: 0.0055,
    width: 0.0075,
    turns: 2.3,
    droop: 0.85,
    segments: 15,
  },
};

const AFRO: ShellStyle = {
  name: 'afro',
  mode: 'cutout',
  layers: 8,
  height: (point) => {
    const { normal } = point;
    const up = 0.5 + 0.5 * normal[1];
    return (0.027 + 0.011 * up) * rounded(point, 0.3);
  },
  hairline: 0.008,
  roots: 0.25,
  tileCells: 10,
  tileTexels: 256,
  strands(u, v, height) {
    const coil = nearestPoint(u, v, 34, 31);
    const tuft = nearestPoint(u, v, 11, 34);
    const fine = valueNoise(u, v, 120, 120, 37);
    const length =
      0.95 - 0.42 * coil.distance - 0.25 * tuft.distance + 0.25 * (coil.own - 0.5) + 0.2 * (fine - 0.5);
    return [0.5 + (length - height) * 2.2, 0.95 - 0.85 * coil.distance + 0.3 * (fine - 0.5)];
  },
  coils: {
    perCell: 2,
    from: [0.85, 1.12],
    length: 0.009,
    radius: 0.004,
    width: 0.0034,
    turns: 1.1,
    droop: 0.1,
    segments: 6,
  },
};

/** Buzz cut, short curls, afro. */
export function madeHair(neutral: Neutral, cast: Cast): MadePart[] {
  const grid = scalpGrid(cast, 20, 0.006);
  return [BUZZ, CURLS, AFRO].map((style) => shellPart(neutral, grid, style));
}
