/**
 * Hair as shells: the same strands cut at several heights (Lengyel, Praun, Finkelstein and Hoppe 2001).
 *
 * Each shell is a copy of the scalp, further out, and sees what is left of the strands there: one tile of a texture
 * for each height. Towards the hairline vertices grow transparent and strands short.
 */

import { builderOf } from './builder.ts';
import { along } from './cast.ts';
import { addCoils, type CoilStyle, coilStrands } from './coils.ts';
import type { Neutral, Vec3 } from './neutral.ts';
import { smoothstep } from './noise.ts';
import type { MadePart, MadeTexture } from './part.ts';
import type { ScalpGrid, ScalpPoint } from './scalp.ts';

export interface ShellStyle {
  readonly name: string;
  readonly mode: MadePart['mode'];
  readonly layers: number;
  /** Height of the outermost shell over a point, metres. */
  height(point: ScalpPoint): number;
  /** Metres over which hair grows dense from the hairline. */
  readonly hairline: number;
  /** Light that reaches the roots, of 1 at the tips. */
  readonly roots: number;
  /** Where strands lean at the tips, metres. */
  lean?(point: ScalpPoint, height: number): Vec3;
  /** What one tile sees: opacity left at a height (0 to 1) and lightness; u and v repeat after 1. */
  strands(u: number, v: number, height: number): readonly [alpha: number, lightness: number];
  /** Cells of the grid that one tile spans. */
  readonly tileCells: number;
  /** Texels a side of a tile in full detail. */
  readonly tileTexels: number;
  /** Ribbons that stand out of the shells: one tile more. */
  readonly coils?: CoilStyle;
}

/** Rows of each tile repeated above and below it, so that smaller levels of the texture see no other tile. */
const GUTTER = 1 / 16;

/** Height of a shell as a share: the first lies close to the skin. */
const shareOf = (layer: number, layers: number): number => (layer + 0.4) / (layers - 0.6);

/** v of a tile's row, 0 to 1. */
const rowAt = (tile: number, row: number, tiles: number): number =>
  (tile + (GUTTER + row) / (1 + 2 * GUTTER)) / tiles;

export function shellPart(neutral: Neutral, grid: ScalpGrid, style: ShellStyle): MadePart {
  const { layers, tileCells, coils } = style;
  const tiles = layers + (coils === undefined ? 0 : 1);
  const builder = builderOf(neutral);
  for (let layer = 0; layer < layers; layer++) {
    const share = shareOf(layer, layers);
    const light = style.roots + (1 - style.roots) * share;
    const numbers = grid.points.map((point) => {
      const height = share * style.height(point);
      let place = along(point.place, height, point.normal);
      if (style.lean !== undefined) place = along(place, share * share, style.lean(point, height));
      // Hair thins out over more of the nape than of the forehead.
      const border = style.hairline * (1 + 1.2 * smoothstep(0.11, 0.075, point.place[1]));
      const dense = smoothstep(-0.25 * border, border, point.inside);
      return builder.vertex(place, point.anchor, [light, light, light, dense]);
    });
    const uvs = Array.from({ length: (tileCells + 1) ** 2 }, (_, i) => {
      const [column, row] = [i % (tileCells + 1), Math.floor(i / (tileCells + 1))];
      return builder.uv(column / tileCells, rowAt(layer, row / tileCells, tiles));
    });
    for (const { corners, column, row } of grid.quads) {
      const uv = (i: number, j: number): number =>
        uvs[((row % tileCells) + j) * (tileCells + 1) + (column % tileCells) + i];
      builder.quad(
        corners.map((corner) => numbers[corner]),
        [uv(0, 0), uv(0, 1), uv(1, 1), uv(1, 0)],
      );
    }
  }
  if (coils !== undefined)
    addCoils(builder, grid, coils, style.roots, style.height, (across) => rowAt(layers, across, tiles));
  const { proxy, colours } = builder.build(style.name, 'hair');
  return {
    name: style.name,
    proxy,
    colours,
    mode: style.mode,
    texture: (detail) => shellTexture(style, detail),
  };
}

function shellTexture({ layers, tileTexels, strands, coils }: ShellStyle, detail: number): MadeTexture {
  const tiles = layers + (coils === undefined ? 0 : 1);
  const width = Math.round(tileTexels * detail);
  const rows = Math.round(width * (1 + 2 * GUTTER));
  const data = new Uint8Array(4 * width * rows * tiles);
  for (let layer = 0; layer < tiles; layer++) {
    const share = shareOf(layer, layers);
    for (let y = 0; y < rows; y++) {
      const v = (y + 0.5) / width - GUTTER;
      for (let x = 0; x < width; x++) {
        const u = (x + 0.5) / width;
        const [alpha, lightness] =
          layer < layers ? strands(u, v - Math.floor(v), share) : coilStrands(u, Math.min(1, Math.max(0, v)));
        const at = 4 * ((layer * rows + y) * width + x);
        data.fill(255 * Math.min(1, Math.max(0, lightness)), at, at + 3);
        data[at + 3] = 255 * Math.min(1, Math.max(0, alpha));
      }
    }
  }
  return { width, height: rows * tiles, data, repeat: true };
}
