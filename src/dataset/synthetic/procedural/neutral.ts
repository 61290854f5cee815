/**
 * The neutral adult on which made parts are modelled, in the metres of our world.
 *
 * A made part is modelled here once and written down as a mesh fitted to the base (`builder.ts`), so that it follows
 * every face, build and turn of the head as the parts of the asset package do.
 */

import { ANCESTRIES, type Assets } from '../assets.ts';
import { addMacro } from '../macro.ts';
import { jointAt, morph } from '../morph.ts';
import { restNormals } from '../rig.ts';

export type Vec3 = readonly [number, number, number];

export interface Neutral {
  readonly assets: Assets;
  /** [V, 3] decimetres, as morph targets leave it */
  readonly raw: Float32Array;
  /** [V, 3] metres, neck joint at the origin, crown at .23 */
  readonly positions: Float32Array;
  /** [V, 3] unit; of the body's surface, zero elsewhere */
  readonly normals: Float32Array;
  /** [T, 3] triangles of the body's surface, counter-clockwise from outside */
  readonly triangles: Uint32Array;
  /** decimetres for one metre of ours */
  readonly unit: number;
  /** The left eye; the right one is at -x. */
  readonly eye: Vec3;
}

/** Height of the crown; the same as in `person.ts`. */
const CROWN = 0.23;

/** Somebody of 25, average in everything. */
export function neutralOf(assets: Assets): Neutral {
  const weights = new Map<string, number>();
  const share = 1 / ANCESTRIES.length;
  addMacro(
    {
      gender: 0.5,
      age: 25,
      weight: 0.5,
      muscle: 0.5,
      ancestry: { african: share, asian: share, caucasian: share },
    },
    (target, weight) => weights.set(target, (weights.get(target) ?? 0) + weight),
  );
  const raw = morph(assets, weights);
  const bone = (name: string): readonly number[] =>
    assets.bones.find((entry) => entry.name === name)?.joint ?? [];
  const neck = jointAt(raw, bone('neck01'));
  const triangles = bodyTriangles(assets);
  let top = -Infinity;
  for (const v of triangles) top = Math.max(top, raw[3 * v + 1]);
  const unit = (top - neck[1]) / CROWN;
  const positions = raw.map((value, i) => (value - neck[i % 3]) / unit);
  const eye = jointAt(positions, bone('eye.L'));
  return { assets, raw, positions, normals: restNormals(positions, triangles), triangles, unit, eye };
}

/** The quads of the body's surface as triangles. */
function bodyTriangles({ base }: Assets): Uint32Array {
  const out: number[] = [];
  base.quadGroup.forEach((group, q) => {
    if (base.groups[group] !== 'body') return;
    const [a, b, c, d] = base.quads.subarray(4 * q, 4 * q + 4);
    out.push(a, b, c);
    if (d !== a) out.push(a, c, d);
  });
  return Uint32Array.from(out);
}
