/** Where hair grows on the neutral head, and a regular grid of points there. */

import { type Cast, type Hit, normalised } from './cast.ts';
import { aboveLine, type HeadLine } from './head-line.ts';
import type { Vec3 } from './neutral.ts';

/** The hairline: degrees round the head from the front, and metres above the neck joint. It leaves the forehead
 * free, comes down before the ear, passes over and behind it, and crosses the nape. */
const HAIRLINE: HeadLine = [
  [0, 0.19],
  [14, 0.191],
  [28, 0.189],
  [40, 0.187],
  [50, 0.181],
  [57, 0.17],
  [62, 0.157],
  [66, 0.144],
  [70, 0.128],
  [75, 0.113],
  [83, 0.113],
  [86, 0.128],
  [91, 0.138],
  [100, 0.138],
  [106, 0.128],
  [111, 0.112],
  [117, 0.096],
  [125, 0.082],
  [136, 0.073],
  [155, 0.066],
  [180, 0.063],
];
/** Metres from the hairline to a place: positive where hair grows. */
export function insideHairline(place: Vec3): number {
  return aboveLine(HAIRLINE, place);
}

/** A point of the scalp grid. */
export interface ScalpPoint extends Omit<Hit, 'distance'> {
  /** metres inside the hairline */
  readonly inside: number;
}

export interface ScalpGrid {
  readonly points: readonly ScalpPoint[];
  /** Corners, counter-clockwise from outside, and where each cell lies on its face of the cube: 0 to `cells` - 1. */
  readonly quads: readonly {
    readonly corners: readonly [number, number, number, number];
    readonly column: number;
    readonly row: number;
  }[];
}

/** More than the diagonal of a cell, metres: a cell on the border has all its corners. */
const CELL = 0.02;

/** Faces of a cube about the skull: outwards, to the right and down on it; all but the one below. */
const FACES: readonly (readonly [out: Vec3, right: Vec3, down: Vec3])[] = [
  [
    [0, 0, 1],
    [1, 0, 0],
    [0, -1, 0],
  ], // prettier-ignore
  [
    [1, 0, 0],
    [0, 0, -1],
    [0, -1, 0],
  ], // prettier-ignore
  [
    [0, 0, -1],
    [-1, 0, 0],
    [0, -1, 0],
  ], // prettier-ignore
  [
    [-1, 0, 0],
    [0, 0, 1],
    [0, -1, 0],
  ], // prettier-ignore
  [
    [0, 1, 0],
    [1, 0, 0],
    [0, 0, 1],
  ], // prettier-ignore
];

/** A grid over the scalp with cells of nearly equal size: a cube, `cells` a side, blown up to the head.
 *
 * @param margin metres beyond the hairline that the grid still covers
 */
export function scalpGrid(cast: Cast, cells: number, margin: number): ScalpGrid {
  const numbers = new Map<number, number>();
  const points: ScalpPoint[] = [];
  const side = 2 * cells + 1;
  // Places on the cube in halves of a cell, so that faces share the points of their edges.
  const point = (x: number, y: number, z: number): number => {
    const key = ((x + cells) * side + y + cells) * side + z + cells;
    let number = numbers.get(key);
    if (number === undefined) {
      number = -1;
      const direction = normalised([bent(x / cells), bent(y / cells), bent(z / cells)]);
      // Below this angle there is no scalp.
      const hit = direction[1] < -0.8 ? undefined : cast(direction);
      if (hit !== undefined) {
        const inside = insideHairline(hit.place);
        if (inside > -margin - CELL) number = points.push({ ...hit, inside }) - 1;
      }
      numbers.set(key, number);
    }
    return number;
  };
  const quads: ScalpGrid['quads'][number][] = [];
  for (const [out, right, down] of FACES) {
    const at = (column: number, row: number): number => {
      const on = (k: number): number =>
        cells * out[k] + (2 * column - cells) * right[k] + (2 * row - cells) * down[k];
      return point(on(0), on(1), on(2));
    };
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++) {
        const corners: [number, number, number, number] = [
          at(column, row),
          at(column, row + 1),
          at(column + 1, row + 1),
          at(column + 1, row),
        ];
        if (corners.some((corner) => corner < 0)) continue;
        if (corners.some((corner) => points[corner].inside > -margin)) quads.push({ corners, column, row });
      }
    }
  }
  return { points, quads };
}

/** Cells of equal angle, not of equal length on the cube. */
function bent(x: number): number {
  return Math.tan((x * Math.PI) / 4);
}
