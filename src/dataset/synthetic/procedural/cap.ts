/** A baseball cap: six panels, a bill, a button. */

import { type Builder, builderOf } from './builder.ts';
import { along, type Cast } from './cast.ts';
import { AROUND, type Dome, type DomePoint, domePoints, overHair, RINGS, sew } from './dome.ts';
import type { Neutral } from './neutral.ts';
import { smoothstep, valueNoise } from './noise.ts';
import type { MadePart, MadeTexture } from './part.ts';

const CAP: Dome = {
  rim: (azimuth) => 0.15 + 0.024 * Math.cos(azimuth) - 0.004 * Math.cos(azimuth) ** 2,
  clearance: (azimuth, t) =>
    overHair(azimuth, t) +
    0.008 * (0.5 + 0.5 * Math.cos(azimuth)) * smoothstep(0, 0.4, t) * smoothstep(1, 0.6, t),
};

/** The cap, grey where a colour multiplies it. */
export function cap(neutral: Neutral, cast: Cast): MadePart {
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
