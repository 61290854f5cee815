/** Hats that are pulled over the head: a smooth dome at some distance from the skull. */

import type { Anchor, Builder } from './builder.ts';
import { along, type Cast, normalised, SKULL_CENTRE } from './cast.ts';
import type { Vec3 } from './neutral.ts';
import { smoothstep } from './noise.ts';

/** The shape of a hat that is pulled over the head. */
export interface Dome {
  /** Metres of the rim above the neck joint, by azimuth (0 in front, pi behind); read at the head's usual width. */
  rim(azimuth: number): number;
  /** Metres between skull and hat, by azimuth and by the way from rim (0) to crown (1). */
  clearance(azimuth: number, t: number): number;
}

export const AROUND = 72;
export const RINGS = 18;

export interface DomePoint {
  readonly place: Vec3;
  readonly anchor: Anchor;
  readonly out: Vec3;
}

/** Points of a dome, ring by ring from the rim to the crown. */
export function domePoints(cast: Cast, { rim, clearance }: Dome): DomePoint[][] {
  const crown = normalised([0, 1, -0.12]);
  const distance: number[][] = [];
  const found = Array.from({ length: RINGS + 1 }, (_, ring) =>
    Array.from({ length: AROUND }, (_, i) => {
      const t = ring / RINGS;
      const azimuth = (2 * Math.PI * i) / AROUND;
      const [x, z] = [Math.sin(azimuth), Math.cos(azimuth)];
      // At the head's usual radius, so many metres above the centre.
      const low = Math.atan2(rim(azimuth) - SKULL_CENTRE[1], 0.085);
      const start: Vec3 = [x * Math.cos(low), Math.sin(low), z * Math.cos(low)];
      const direction = slerp(start, crown, t);
      const hit = cast(direction);
      if (hit === undefined) throw new Error('internal: the head has a hole');
      return { hit, direction, azimuth, t };
    }),
  );
  for (const row of found)
    distance.push(
      row.map(
        ({ hit, azimuth, t }) =>
          Math.hypot(...hit.place.map((value, k) => value - SKULL_CENTRE[k])) + clearance(azimuth, t),
      ),
    );
  // A hat is smoother than a head.
  for (let round = 0; round < 6; round++) smooth(distance);
  return found.map((row, ring) =>
    row.map(({ hit, direction }, i) => ({
      place: along(SKULL_CENTRE, distance[ring][i], direction),
      anchor: hit.anchor,
      out: direction,
    })),
  );
}

function slerp(a: Vec3, b: Vec3, t: number): Vec3 {
  const angle = Math.acos(Math.min(1, a[0] * b[0] + a[1] * b[1] + a[2] * b[2]));
  const [p, q] = [Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)];
  return normalised([p * a[0] + q * b[0], p * a[1] + q * b[1], p * a[2] + q * b[2]]);
}

function smooth(grid: number[][]): void {
  const before = grid.map((row) => row.slice());
  const crown = before[RINGS].reduce((a, b) => a + b, 0) / AROUND;
  for (let r = 0; r <= RINGS; r++) {
    for (let i = 0; i < AROUND; i++) {
      const [left, right] = [before[r][(i + AROUND - 1) % AROUND], before[r][(i + 1) % AROUND]];
      const [below, above] = [before[Math.max(0, r - 1)][i], before[Math.min(RINGS, r + 1)][i]];
      grid[r][i] = r === RINGS ? crown : 0.5 * before[r][i] + 0.125 * (left + right + below + above);
    }
  }
}

/** Sews rows of vertices into a surface.
 *
 * @param rows   lower rows first; each goes round to the person's left from the front and closes
 * @param uvRows one v for each row
 */
export function sew(
  builder: Builder,
  rows: readonly (readonly number[])[],
  uvRows: readonly number[],
  turns: number,
): void {
  const uvs = uvRows.map((v) =>
    Array.from({ length: AROUND + 1 }, (_, i) => builder.uv((turns * i) / AROUND, v)),
  );
  for (let r = 0; r + 1 < rows.length; r++) {
    for (let i = 0; i < AROUND; i++) {
      const next = (i + 1) % AROUND;
      builder.quad(
        [rows[r][i], rows[r][next], rows[r + 1][next], rows[r + 1][i]],
        [uvs[r][i], uvs[r][i + 1], uvs[r + 1][i + 1], uvs[r + 1][i]],
      );
    }
  }
}

/** Metres between skull and hat: room for short hair; long hair is pressed down (`under-hat.ts`). */
export function overHair(azimuth: number, t: number): number {
  const [behind, beside] = [0.5 - 0.5 * Math.cos(azimuth), Math.abs(Math.sin(azimuth))];
  const low = 0.0065 + 0.0015 * beside + 0.0025 * behind;
  return low + (0.009 - low) * smoothstep(0.2, 0.9, t);
}
