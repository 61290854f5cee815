/** Beanie and baseball cap, built outside the hairs that are worn under hats. */

import { type Anchor, type Builder, builderOf } from './builder.ts';
import { along, type Cast, normalised, SKULL_CENTRE } from './cast.ts';
import type { Neutral, Vec3 } from './neutral.ts';
import { smoothstep, valueNoise } from './noise.ts';
import type { MadePart, MadeTexture } from './part.ts';

/** The shape of a hat that is pulled over the head. */
interface Dome {
  /** Height of the rim (metres) over the forehead and per metre further forward. */
  readonly rim: (azimuth: number) => number;
  /** Metres between skull and hat, by azimuth (0 in front, pi behind) and by the way from rim (0) to crown (1). */
  clearance(azimuth: number, t: number): number;
}

const AROUND = 72;
const RINGS = 18;

interface DomePoint {
  readonly place: Vec3;
  readonly anchor: Anchor;
  readonly out: Vec3;
}

/** Points of a dome, ring by ring from the rim to the crown. */
function domePoints(cast: Cast, { rim, clearance }: Dome): DomePoint[][] {
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
function sew(
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
function overHair(azimuth: number, t: number): number {
  const [behind, beside] = [0.5 - 0.5 * Math.cos(azimuth), Math.abs(Math.sin(azimuth))];
  const low = 0.0065 + 0.0015 * beside + 0.0025 * behind;
  return low + (0.009 - low) * smoothstep(0.2, 0.9, t);
}

const BEANIE: Dome = {
  rim: (azimuth) => 0.146 + 0.027 * Math.cos(azimuth) - 0.008 * Math.cos(azimuth) ** 2,
  clearance: (azimuth, t) =>
    overHair(azimuth, t) + 0.012 * smoothstep(0.55, 1, t) * (0.6 - 0.4 * Math.cos(azimuth)),
};
/** The band that is turned up, of the way to the crown. */
const BAND = 0.34;
/** Across the edge of the band: of the way to the crown, and metres out. */
const BAND_PROFILE: readonly (readonly [t: number, out: number])[] = [
  [0.06, -0.003],
  [0, -0.0015],
  [-0.012, 0.0015],
  [-0.004, 0.0045],
  [0.03, 0.006],
  [BAND * 0.5, 0.0065],
  [BAND - 0.03, 0.006],
  [BAND - 0.005, 0.0045],
  [BAND, 0.002],
  [BAND - 0.015, 0],
];

function beanie(neutral: Neutral, cast: Cast): MadePart {
  const points = domePoints(cast, BEANIE);
  const builder = builderOf(neutral);
  const row = (t: number, out: number, light: number): number[] =>
    Array.from({ length: AROUND }, (_, i) => {
      const at = Math.min(RINGS - 1e-6, Math.max(0, t * RINGS));
      const [r, f] = [Math.floor(at), at - Math.floor(at)];
      const [a, b] = [points[r][i], points[r + 1][i]];
      let place: Vec3 = [0, 1, 2].map((k) => a.place[k] + f * (b.place[k] - a.place[k])) as never;
      // Below the rim the hat goes on straight down.
      if (t < 0) place = along(place, t * RINGS, [0, 1, 2].map((k) => b.place[k] - a.place[k]) as never);
      // Ribs run up the band and, finer, over the crown.
      const rib = 0.0007 * Math.cos((i * 2 * Math.PI * 36) / AROUND) * (1 - smoothstep(0.7, 1, t));
      return builder.vertex(along(place, out + rib, a.out), (f < 0.5 ? a : b).anchor, [
        light,
        light,
        light,
        1,
      ]);
    });
  const band = BAND_PROFILE.map(([t, out], i) => row(t, out, i === 0 ? 0.4 : i > 7 ? 0.6 : 1));
  sew(
    builder,
    band,
    BAND_PROFILE.map(([t]) => t * 6),
    36,
  );
  const ups = Array.from({ length: 15 }, (_, i) => BAND - 0.03 + ((1 - BAND + 0.03) * i) / 14);
  const dome = ups.map((t, i) => row(t, 0, i === 0 ? 0.35 : i === 1 ? 0.85 : 1));
  sew(
    builder,
    dome,
    ups.map((t) => t * 6),
    36,
  );
  const { proxy, colours } = builder.build('beanie', 'hat');
  return { name: 'beanie', proxy, colours, mode: 'opaque', texture: knit };
}

/** One rib of knitting, repeated: rows of V stitches with a groove on either side. */
function knit(detail: number): MadeTexture {
  const side = Math.max(16, Math.round(64 * detail));
  const data = new Uint8Array(4 * side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [u, v] = [(x + 0.5) / side, (y + 0.5) / side];
      const across = Math.abs(2 * u - 1);
      const stitch = (8 * v + 0.9 * (1 - across)) % 1;
      const yarn = 0.5 + 0.5 * Math.cos(2 * Math.PI * stitch);
      const wool = valueNoise(u, v, 24, 24, 81);
      const light =
        (1 - 0.45 * smoothstep(0.55, 1, across)) * (0.78 + 0.16 * yarn + 0.06 * wool) -
        0.1 * smoothstep(0.12, 0, across);
      const at = 4 * (y * side + x);
      data.fill(255 * Math.min(1, Math.max(0, light)), at, at + 3);
      data[at + 3] = 255;
    }
  }
  return { width: side, height: side, data, repeat: true };
}

const CAP: Dome = {
  rim: (azimuth) => 0.15 + 0.024 * Math.cos(azimuth) - 0.004 * Math.cos(azimuth) ** 2,
  clearance: (azimuth, t) =>
    overHair(azimuth, t) +
    0.008 * (0.5 + 0.5 * Math.cos(azimuth)) * smoothstep(0, 0.4, t) * smoothstep(1, 0.6, t),
};

function cap(neutral: Neutral, cast: Cast): MadePart {
  const points = domePoints(cast, CAP);
  const builder = builderOf(neutral);
  const rows = points.map((ring, r) =>
    ring.map(({ place, anchor, out }, i) => {
      // Panels meet in shallow seams.
      const seam = i % 12 === 0 ? 0.0006 * smoothstep(0.1, 0.3, r / RINGS) : 0;
      return builder.vertex(along(place, -seam, out), anchor);
    }),
  );
  const inner = points[0].map(({ place, anchor, out }) =>
    builder.vertex(along([place[0], place[1] + 0.006, place[2]], -0.004, out), anchor, [0.4, 0.4, 0.4, 1]),
  );
  sew(builder, [inner, ...rows], [0, ...rows.map((_, r) => r / RINGS)], 6);
  addBill(builder, points[0]);
  addButton(builder, points[RINGS][0]);
  const { proxy, colours } = builder.build('cap', 'hat');
  return { name: 'cap', proxy, colours, mode: 'opaque', texture: twill };
}

/** The bill: above and below, from the rim forwards; its sides sink. */
function addBill(builder: Builder, rim: readonly DomePoint[]): void {
  const HALF = 12;
  const STEPS = 8;
  const LENGTH = 0.06;
  const middle = rim[0];
  const columns = Array.from({ length: 2 * HALF + 1 }, (_, c) => c - HALF);
  const uvOf = columns.map((c) =>
    Array.from({ length: STEPS + 1 }, (_, s) => builder.uv(0.5 + (0.4 * c) / HALF, 0.25 + (0.5 * s) / STEPS)),
  );
  const sheet = (below: number, light: number): number[][] =>
    columns.map((c) => {
      const from = rim[(c + AROUND) % AROUND];
      const across = c / HALF;
      const reach = LENGTH * Math.sqrt(Math.max(0, 1 - Math.abs(across) ** 2.6));
      return Array.from({ length: STEPS + 1 }, (_, s) => {
        const t = s / STEPS;
        // It begins inside the cap.
        const sewn = s === 0 ? 0.004 : 0;
        const x = from.place[0] * (1 + 0.06 * t * (1 - Math.abs(across))) - sewn * from.out[0];
        const y =
          from.place[1] +
          sewn -
          0.2 * reach * t -
          0.1 * reach * t * t +
          0.007 * t * (1 - across * across) -
          below;
        const z =
          from.place[2] + reach * t + (middle.place[2] - from.place[2]) * 0.12 * t - sewn * from.out[2];
        return builder.vertex([x, y, z], from.anchor, [light, light, light, 1]);
      });
    });
  const [top, bottom] = [sheet(0, 1), sheet(0.0028, 0.75)];
  for (let c = 0; c < 2 * HALF; c++) {
    for (let s = 0; s < STEPS; s++) {
      const uv = [uvOf[c][s], uvOf[c][s + 1], uvOf[c + 1][s + 1], uvOf[c + 1][s]];
      builder.quad([top[c][s], top[c][s + 1], top[c + 1][s + 1], top[c + 1][s]], uv);
      builder.quad(
        [bottom[c][s], bottom[c + 1][s], bottom[c + 1][s + 1], bottom[c][s + 1]],
        [uv[0], uv[3], uv[2], uv[1]],
      );
    }
    const [s, uv] = [STEPS, [uvOf[c][STEPS], uvOf[c][STEPS], uvOf[c + 1][STEPS], uvOf[c + 1][STEPS]]];
    builder.quad([top[c][s], bottom[c][s], bottom[c + 1][s], top[c + 1][s]], uv);
  }
}

/** The button on the crown. */
function addButton(builder: Builder, { place, anchor, out }: DomePoint): void {
  const uv = builder.uv(0.25, 0.5);
  const SIDES = 10;
  const rings = [
    [0.007, -0.001],
    [0.0062, 0.002],
    [0.0035, 0.0036],
  ].map(([radius, up]) =>
    Array.from({ length: SIDES }, (_, i) => {
      const angle = (2 * Math.PI * i) / SIDES;
      const on = along(place, up, out);
      return builder.vertex(
        [on[0] + radius * Math.sin(angle), on[1], on[2] + radius * Math.cos(angle)],
        anchor,
      );
    }),
  );
  const top = builder.vertex(along(place, 0.004, out), anchor);
  for (let i = 0; i < SIDES; i++) {
    const next = (i + 1) % SIDES;
    for (let r = 0; r < 2; r++)
      builder.quad([rings[r][i], rings[r][next], rings[r + 1][next], rings[r + 1][i]], [uv, uv, uv, uv]);
    builder.quad([rings[2][i], rings[2][next], top, rings[2][i]], [uv, uv, uv, uv]);
  }
}

/** One panel of cloth: a weave, a seam at its edges with a row of stitches on either side. */
function twill(detail: number): MadeTexture {
  const side = Math.max(32, Math.round(256 * detail));
  const data = new Uint8Array(4 * side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [u, v] = [(x + 0.5) / side, (y + 0.5) / side];
      const edge = Math.min(u, 1 - u);
      const seam = smoothstep(0.012, 0.002, edge);
      const stitch = smoothstep(0.012, 0.004, Math.abs(edge - 0.045)) * (Math.floor(v * 60) % 2);
      const weave = 0.5 + 0.5 * Math.cos(2 * Math.PI * 40 * (u + v));
      const light = 0.9 + 0.05 * weave + 0.05 * valueNoise(u, v, 60, 60, 91) - 0.4 * seam - 0.14 * stitch;
      const at = 4 * (y * side + x);
      data.fill(255 * Math.min(1, light), at, at + 3);
      data[at + 3] = 255;
    }
  }
  return { width: side, height: side, data, repeat: true };
}

/** Beanie and cap. */
export function madeHats(neutral: Neutral, cast: Cast): MadePart[] {
  return [beanie(neutral, cast), cap(neutral, cast)];
}
