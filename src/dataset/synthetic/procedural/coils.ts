/** Locks of curly hair: ribbons wound round an axis that leaves the scalp and sinks. */

import type { Builder } from './builder.ts';
import { along, cross, dot, normalised } from './cast.ts';
import type { Vec3 } from './neutral.ts';
import { hash, smoothstep, valueNoise } from './noise.ts';
import type { ScalpGrid, ScalpPoint } from './scalp.ts';

export interface CoilStyle {
  /** Locks a cell of the scalp's grid. */
  readonly perCell: number;
  /** Between these a lock begins, of the height of the shells. */
  readonly from: readonly [number, number];
  /** Metres: of the axis, of the winding, of the ribbon. */
  readonly length: number;
  readonly radius: number;
  readonly width: number;
  readonly turns: number;
  /** How far the axis turns downwards, 0 to 1. */
  readonly droop: number;
  readonly segments: number;
}

/** No lock grows nearer to the hairline, metres. */
const FREE = 0.003;
/** Metres inside the hairline. */
const WALL = 0.014;
const DOWN: Vec3 = [0, -1, 0];

/** Adds the locks of a scalp.
 *
 * @param rowAt texture coordinate v of a place across the ribbon, 0 to 1
 */
export function addCoils(
  builder: Builder,
  { points, quads }: ScalpGrid,
  style: CoilStyle,
  roots: number,
  height: (point: ScalpPoint) => number,
  rowAt: (across: number) => number,
): void {
  const uvs = Array.from({ length: style.segments + 1 }, (_, i) =>
    [0.02, 0.98].map((across) => builder.uv(i / style.segments, rowAt(across))),
  );
  quads.forEach(({ corners }, q) => {
    // At the hairline the shells stand up like a wall: more locks, from lower down, cover it.
    const border = corners.some((corner) => points[corner].inside < WALL);
    const count = style.perCell * (border ? 3 : 1);
    for (let i = 0; i < Math.ceil(count); i++) {
      const random = (purpose: number): number => hash(q, i, 100 + purpose);
      if (random(12) > count - i) continue;
      const [s, t] = [random(0), (i + random(1)) / Math.ceil(count)];
      const shares = [(1 - s) * (1 - t), (1 - s) * t, s * t, s * (1 - t)];
      const blend = (of: (point: ScalpPoint) => number): number =>
        corners.reduce((sum, corner, k) => sum + shares[k] * of(points[corner]), 0);
      if (blend(({ inside }) => inside) < FREE) continue;
      const near = points[corners[shares.indexOf(Math.max(...shares))]];
      const root = {
        anchor: near.anchor,
        place: [0, 1, 2].map((k) => blend(({ place }) => place[k])) as unknown as Vec3,
        normal: normalised([0, 1, 2].map((k) => blend(({ normal }) => normal[k])) as unknown as Vec3),
        inside: blend(({ inside }) => inside),
      };
      addCoil(builder, root, style, roots, height(root), uvs, random);
    }
  });
}

function addCoil(
  builder: Builder,
  root: ScalpPoint,
  { from: [low, high], length, radius, width, turns, droop, segments }: CoilStyle,
  roots: number,
  height: number,
  uvs: readonly (readonly number[])[],
  random: (purpose: number) => number,
): void {
  const scatter = (purpose: number): number => random(purpose) - 0.5;
  const { normal, place } = root;
  const out = normalised([
    normal[0] + 0.5 * scatter(2),
    normal[1] + 0.5 * scatter(3),
    normal[2] + 0.5 * scatter(4),
  ]);
  // What of "down" is along the scalp; on the crown, where nothing is, the lock falls any way.
  let fall = along(DOWN, -dot(DOWN, normal), normal);
  fall = normalised([fall[0] + 0.5 * scatter(5), fall[1], fall[2] + 0.5 * scatter(6)]);
  // Locks shorten with the shells towards the hairline.
  const size = (0.75 + 0.5 * random(7)) * (0.6 + 0.4 * smoothstep(0, 0.02, root.inside));
  const side = random(8) < 0.5 ? 1 : -1;
  const start = 2 * Math.PI * random(9);
  const shade = 0.8 + 0.35 * random(10);
  const least = root.inside < WALL ? Math.min(low, 0.15) : low;
  const from = least + (high - least) * random(13);
  const vertices: number[][] = [];
  for (let i = 0; i <= segments; i++) {
    const t = i / segments;
    const bend = droop * (0.25 + t) * 1.1;
    const axis = normalised(
      along(
        [out[0] * Math.cos(bend), out[1] * Math.cos(bend), out[2] * Math.cos(bend)],
        Math.sin(bend),
        fall,
      ),
    ); // prettier-ignore
    const reach = length * size * t;
    // The axis is a circle's arc from `out` towards `fall`, close enough.
    const middle = along(
      along(place, from * height + reach * Math.cos(bend * 0.6), out),
      reach * Math.sin(bend * 0.6),
      fall,
    ); // prettier-ignore
    const across = normalised(cross(axis, Math.abs(axis[1]) > 0.9 ? [1, 0, 0] : [0, 1, 0]));
    const other = cross(axis, across);
    const angle = start + side * 2 * Math.PI * turns * t;
    const wind = radius * (0.8 + 0.4 * random(11)) * smoothstep(-0.15, 0.3, t);
    const centre = along(along(middle, wind * Math.cos(angle), across), wind * Math.sin(angle), other);
    const taper = 0.5 * width * (1 - 0.55 * smoothstep(0.7, 1, t));
    const above = dot([centre[0] - place[0], centre[1] - place[1], centre[2] - place[2]], normal);
    const light =
      shade * (roots + (1 - roots) * smoothstep(0, 1.1 * (height * from + 0.6 * length * size), above));
    vertices.push(
      [-taper, taper].map((off) =>
        builder.vertex(along(centre, off, axis), root.anchor, [light, light, light, 1]),
      ),
    );
    if (i > 0) {
      const [a, b] = [vertices[i - 1], vertices[i]];
      builder.quad([a[0], b[0], b[1], a[1]], [uvs[i - 1][0], uvs[i][0], uvs[i][1], uvs[i - 1][1]]);
    }
  }
}

/** The tile of a ribbon: strands along u, loose at both edges and at the tip. */
export function coilStrands(u: number, v: number): readonly [alpha: number, lightness: number] {
  const strand = valueNoise(u, v, 3, 16, 51);
  const edge = Math.min(v, 1 - v);
  const loose = edge * 5 + 0.4 * strand - 0.25 - 0.6 * smoothstep(0.85, 1, u);
  return [0.5 + 4 * loose, 0.55 + 0.5 * strand];
}
