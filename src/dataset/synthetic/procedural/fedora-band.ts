/** The ribbon round the crown of the asset package's fedora, whose own picture is not free to ship. */

import type { ProxyMesh } from '../assets.ts';
import { restNormals } from '../rig.ts';
import { builderOf } from './builder.ts';
import { along, casterOf, dot, type Hit, normalised } from './cast.ts';
import type { Neutral, Vec3 } from './neutral.ts';
import type { MadePart } from './part.ts';
import { onHat, onNeutral, trianglesOf } from './under-hat.ts';

const AROUND = 64;
/** Metres above the place where crown and brim meet: lower and upper edge, and how far it stands off. */
const LOW = 0.002;
const HIGH = 0.021;
const OFF = 0.0016;

/** How far above the brim a place of the crown is: the brim sinks towards the back. */
function aboveBrim([, y, z]: Vec3): number {
  return y - 0.1765 - 0.055 * (z + 0.02) + 0.0015;
}

/** A ring of quads that follows the hat. */
export function fedoraBand(neutral: Neutral, hat: ProxyMesh): MadePart {
  const positions = onNeutral(neutral, hat);
  const triangles = trianglesOf(hat);
  const cast = casterOf({ positions, normals: restNormals(positions, triangles), triangles });
  const builder = builderOf(neutral);
  const uv = builder.uv(0.5, 0.5);
  const rows = [LOW, LOW, (LOW + HIGH) / 2, HIGH, HIGH].map((height, row) =>
    Array.from({ length: AROUND }, (_, i) => {
      const azimuth = (2 * Math.PI * i) / AROUND;
      const { anchor, place, normal } = crownAt(cast, azimuth, height);
      const out = dot(normal, [Math.sin(azimuth), 0, Math.cos(azimuth)]) < 0 ? -1 : 1;
      // Both edges are folded back into the hat.
      const off = row === 0 || row === 4 ? -OFF : OFF;
      return builder.vertex(along(place, out * off, normal), onHat(hat, anchor));
    }),
  );
  for (let row = 0; row + 1 < rows.length; row++) {
    for (let i = 0; i < AROUND; i++) {
      const next = (i + 1) % AROUND;
      builder.quad([rows[row][i], rows[row][next], rows[row + 1][next], rows[row + 1][i]], [uv, uv, uv, uv]);
    }
  }
  return { name: 'fedora band', proxy: builder.build('fedora band', 'hat').proxy, mode: 'opaque' };
}

/** Where the crown is so high above the brim. */
function crownAt(cast: (direction: Vec3) => Hit | undefined, azimuth: number, height: number): Hit {
  let best: Hit | undefined;
  for (let step = 0; step <= 120; step++) {
    const elevation = 0.3 + 0.006 * step;
    const flat = Math.cos(elevation);
    const hit = cast(normalised([flat * Math.sin(azimuth), Math.sin(elevation), flat * Math.cos(azimuth)]));
    if (hit === undefined) continue;
    if (
      best === undefined ||
      Math.abs(aboveBrim(hit.place) - height) < Math.abs(aboveBrim(best.place) - height)
    )
      best = hit;
  }
  if (best === undefined) throw new Error('internal: the fedora has no crown');
  return best;
}
