/** The ribbon round the crown of the asset package's fedora, whose own picture is not free to ship. */

import type { ProxyMesh } from '../assets.ts';
import { restNormals } from '../rig.ts';
import { builderOf } from './builder.ts';
import { along } from './cast.ts';
import type { Neutral, Vec3 } from './neutral.ts';
import type { MadePart } from './part.ts';
import { onNeutral, trianglesOf } from './under-hat.ts';

/** Metres above the place where crown and brim meet between which a quad of the hat belongs to the band. */
const LOWEST = -0.004;
const HIGHEST = 0.03;
/** How tall such a quad is at least, and how upright: the brim is neither. */
const TALL = 0.009;
const UPRIGHT = 0.75;
/** How far the band stands off. */
const OFF = 0.0015;

/** How far above the brim a place of the crown is: the brim sinks towards the back. */
function aboveBrim([, y, z]: Vec3): number {
  return y - 0.175 - 0.055 * (z + 0.02);
}

/** Copies of the hat's own quads, a little further out: they follow it on every head. */
export function fedoraBand(neutral: Neutral, hat: ProxyMesh): MadePart {
  const positions = onNeutral(neutral, hat);
  const normals = restNormals(positions, trianglesOf(hat));
  const vector = (of: Float32Array, v: number): Vec3 => [of[3 * v], of[3 * v + 1], of[3 * v + 2]];
  const builder = builderOf(neutral);
  const uv = builder.uv(0.5, 0.5);
  const numbers = new Map<number, number>();
  const copy = (v: number): number => {
    const { refs, weights } = hat;
    const number =
      numbers.get(v) ??
      builder.vertex(along(vector(positions, v), OFF, vector(normals, v)), {
        vertices: [refs[3 * v], refs[3 * v + 1], refs[3 * v + 2]],
        weights: vector(weights, v),
      });
    numbers.set(v, number);
    return number;
  };
  for (let q = 0; q < hat.quads.length; q += 4) {
    const corners = [...hat.quads.subarray(q, q + 4)];
    const heights = corners.map((v) => aboveBrim(vector(positions, v)));
    const [low, high] = [Math.min(...heights), Math.max(...heights)];
    if (low < LOWEST || high > HIGHEST || high - low < TALL) continue;
    if (corners.some((v) => Math.abs(normals[3 * v + 1]) > UPRIGHT)) continue;
    builder.quad(corners.map(copy), [uv, uv, uv, uv]);
  }
  return { name: 'fedora band', proxy: builder.build('fedora band', 'hat').proxy, mode: 'opaque' };
}
