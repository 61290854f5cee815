/** A knitted beanie with its edge turned up. */

import { builderOf } from './builder.ts';
import { along, type Cast } from './cast.ts';
import { AROUND, type Dome, domePoints, overHair, RINGS, sew } from './dome.ts';
import type { Neutral, Vec3 } from './neutral.ts';
import { smoothstep, valueNoise } from './noise.ts';
import type { MadePart, MadeTexture } from './part.ts';

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

/** The beanie, grey where a colour multiplies it. */
export function beanie(neutral: Neutral, cast: Cast): MadePart {
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
  // From under the band on: what lies beneath the hat meets one smooth surface.
  const ups = Array.from({ length: 21 }, (_, i) => 0.04 + (0.96 * i) / 20);
  const dome = ups.map((t) => row(t, 0, 0.35 + 0.65 * smoothstep(BAND - 0.03, BAND + 0.05, t)));
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
