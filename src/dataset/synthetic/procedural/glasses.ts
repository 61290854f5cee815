/**
 * Glasses: two rims, a bridge, temples over the ears; and their lenses as a part of its own, because they are blended.
 *
 * The front is one rigid piece that hangs on three places of the face, so that no slider bends it; along the temples
 * the hold passes over to the roots of the ears.
 */

import { type Anchor, type Builder, builderOf, nearestAnchor } from './builder.ts';
import type { Neutral, Vec3 } from './neutral.ts';
import type { MadePart } from './part.ts';
import { addTube, type WirePoint } from './tube.ts';

interface GlassesStyle {
  readonly name: string;
  /** Half width and half height of a lens, metres, and how square it is: 2 is an ellipse. */
  readonly width: number;
  readonly height: number;
  readonly square: number;
  readonly wire: number;
}

const STYLES: readonly GlassesStyle[] = [
  { name: 'round', width: 0.0225, height: 0.0215, square: 2, wire: 0.0012 },
  { name: 'square', width: 0.0255, height: 0.0185, square: 4.5, wire: 0.0018 },
];

/** Centre of the left lens, and how far the lenses stand before the bridge of the nose. */
const LENS_X = 0.0315;
const LENS_Y = 0.1275;
const FRONT_Z = 0.136;
/** Where the temples pass the ears. */
const EAR_ROOT: Vec3 = [0.0653, 0.1335, 0.0485];
const SEGMENTS = 40;

/** The lenses bend round the face and lean in at the cheeks. */
function onFront(x: number, y: number): Vec3 {
  return [x, y, FRONT_Z - 2.3 * x * x + 0.1 * (y - LENS_Y - 0.008)];
}

/** Place of a rim at an angle from the outer corner, counter-clockwise seen from before the left eye. */
function rimAt({ width, height, square }: GlassesStyle, side: number, angle: number): Vec3 {
  const bent = (value: number): number => Math.sign(value) * Math.abs(value) ** (2 / square);
  const x = LENS_X + width * bent(Math.cos(angle));
  return onFront(side * x, LENS_Y + height * bent(Math.sin(angle)));
}

/** Round and square glasses, and the lenses of each. */
export function madeGlasses(neutral: Neutral): MadePart[] {
  const front = frontAnchor(neutral);
  return STYLES.flatMap((style) => [frame(neutral, style, front), lenses(neutral, style, front)]);
}

/** Half on the bridge of the nose, half on the outer ends of the brows. */
function frontAnchor(neutral: Neutral): Anchor {
  const [bridge, left, right] = [
    nearestAnchor(neutral, [0, 0.128, 0.128]),
    nearestAnchor(neutral, [0.05, 0.14, 0.104]),
    nearestAnchor(neutral, [-0.05, 0.14, 0.104]),
  ].map(({ vertices }) => vertices[0]);
  return { vertices: [bridge, left, right], weights: [0.5, 0.25, 0.25] };
}

function frame(neutral: Neutral, style: GlassesStyle, front: Anchor): MadePart {
  const builder = builderOf(neutral);
  for (const side of [1, -1]) {
    const rim = Array.from({ length: SEGMENTS }, (_, i): WirePoint => {
      // Either rim runs the same way round, so that its tube faces outwards.
      const place = rimAt(style, side, (2 * Math.PI * i * side) / SEGMENTS);
      return { place, anchor: front, radius: style.wire };
    });
    addTube(builder, rim, true);
    addTube(builder, temple(neutral, style, front, side), false);
  }
  const start = LENS_X - style.width;
  const bridge = Array.from({ length: 11 }, (_, i): WirePoint => {
    const t = i / 5 - 1;
    const place = onFront(start * t, LENS_Y + 0.004 + 0.0035 * (1 - t * t));
    return {
      place: [place[0], place[1], place[2] + 0.0012 * (1 - t * t)],
      anchor: front,
      radius: style.wire,
    };
  });
  addTube(builder, bridge, false);
  const { proxy } = builder.build(style.name, 'hat');
  return { name: style.name, proxy, mode: 'opaque' };
}

/** From the rim to the ear, over it and down behind it. */
function temple(neutral: Neutral, style: GlassesStyle, front: Anchor, side: number): WirePoint[] {
  const ear = nearestAnchor(neutral, [side * EAR_ROOT[0], EAR_ROOT[1], EAR_ROOT[2]]).vertices[0];
  const [, left, right] = front.vertices;
  const outer = side > 0 ? left : right;
  const hinge = rimAt(style, 1, 0.3);
  // Side x, y, z; share of the ear's hold.
  const path: readonly (readonly [number, number, number, number])[] = [
    [hinge[0], hinge[1], hinge[2], 0],
    [hinge[0] + 0.004, hinge[1] + 0.0005, hinge[2] - 0.001, 0],
    [0.0655, hinge[1] + 0.001, hinge[2] - 0.006, 0.1],
    [0.0685, hinge[1] + 0.001, hinge[2] - 0.014, 0.2],
    [0.0715, 0.1365, 0.085, 0.5],
    [0.0725, 0.1372, 0.06, 0.85],
    [0.0722, 0.1375, 0.045, 1],
    [0.0715, 0.1362, 0.034, 1],
    [0.0705, 0.1315, 0.0255, 1],
    [0.0695, 0.1235, 0.0205, 1],
    [0.0685, 0.1145, 0.0185, 1],
  ];
  return path.map(([x, y, z, hold], i): WirePoint => {
    // The hold passes from the whole front over the near end of the brow to the ear.
    const anchor: Anchor =
      hold === 0
        ? front
        : { vertices: [front.vertices[0], outer, ear], weights: [(1 - hold) * 0.5, (1 - hold) * 0.5, hold] };
    return { place: [side * x, y, z], anchor, radius: style.wire * (i < 3 ? 1 : 0.9) };
  });
}

function lenses(neutral: Neutral, style: GlassesStyle, front: Anchor): MadePart {
  const builder = builderOf(neutral);
  const uv = builder.uv(0.5, 0.5);
  for (const side of [1, -1]) addLens(builder, style, front, side, uv);
  const { proxy, colours } = builder.build(`${style.name} lenses`, 'hat');
  return { name: `${style.name} lenses`, proxy, colours, mode: 'blend' };
}

/** A disc, a little convex; fainter below than above, as sunlight leaves a tint. */
function addLens(builder: Builder, style: GlassesStyle, front: Anchor, side: number, uv: number): void {
  const RINGS = 4;
  const [cx, cy, cz] = onFront(side * LENS_X, LENS_Y);
  const rings = Array.from({ length: RINGS + 1 }, (_, ring) =>
    Array.from({ length: SEGMENTS }, (_, i) => {
      const [x, y, z] = rimAt(style, side, (2 * Math.PI * i * side) / SEGMENTS);
      const t = ring / RINGS;
      const bulge = 0.002 * (1 - t * t);
      const place: Vec3 = [cx + t * (x - cx), cy + t * (y - cy), cz + t * (z - cz) + bulge];
      const alpha = 0.025 + 0.045 * Math.max(0, (place[1] - cy) / style.height);
      return builder.vertex(place, front, [0.5, 0.55, 0.6, alpha]);
    }),
  );
  for (let ring = 0; ring < RINGS; ring++) {
    for (let i = 0; i < SEGMENTS; i++) {
      const next = (i + 1) % SEGMENTS;
      const [a, b, c, d] = [rings[ring][i], rings[ring + 1][i], rings[ring + 1][next], rings[ring][next]];
      builder.quad([a, b, c, d], [uv, uv, uv, uv]);
    }
  }
}
