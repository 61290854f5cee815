/** Views as pictures: each map of a rendered view becomes a raster, a file and a cell of the sheet. */

import { join } from 'node:path';
import { NetworkError, UsageError } from '../errors.ts';
import { depthRaster, maskRaster, normalsRaster } from '../picture/maps.ts';
import { enlargeRaster, resizeRaster, writePng } from '../picture/png.ts';
import { rasterOf } from '../picture/quantise.ts';
import type { Raster } from '../picture/raster.ts';
import { gridSheet, tableSheet } from '../picture/sheet.ts';
import type { Camera } from '../portrait/camera.ts';
import type { View } from '../portrait/session.ts';
import type { NdArray } from '../tensor/index.ts';
import type { MapName, SheetChoice } from './generate-options.ts';

/** A picture with its place in the sheet. */
export interface Cell {
  readonly row: string;
  readonly column: string;
  readonly raster: Raster;
}

/** Side that a sheet's longer edge should not exceed; cells are halved until it fits. */
const COMFORTABLE_SIDE = 4096;

/** Smaller pictures are enlarged in a sheet, by a whole factor, so that labels have room. */
const SMALLEST_CELL = 128;

/** One map of a view as a raster. */
export function rasterOfMap(map: MapName, view: View, camera: Camera): Raster {
  switch (map) {
    case 'image':
      return rasterOf(present(view.image, map));
    case 'raw':
      return rasterOf(view.image_raw);
    case 'background':
      return rasterOf(present(view.image_background, map));
    case 'mask':
      return maskRaster(view.image_mask);
    case 'depth':
      return depthRaster(view.image_depth);
    case 'normals':
      return normalsRaster(view.image_depth, view.image_mask, camera.intrinsics);
  }
}

function present(picture: NdArray | undefined, map: MapName): NdArray {
  if (picture === undefined) throw new NetworkError(`this network makes no ${map} picture`);
  return picture;
}

/** Whether any of the maps needs super-resolution: the raw picture does, as it may change it. */
export function needsSuperresolution(maps: readonly MapName[]): boolean {
  return maps.includes('image') || maps.includes('raw');
}

/** Writes a picture, resized when a side is given. Returns its path. */
export async function writePicture(
  folder: string,
  name: string,
  raster: Raster,
  side: number | undefined,
): Promise<string> {
  const path = join(folder, `${name}.png`);
  await writePng(path, side === undefined ? raster : await resizeRaster(raster, side));
  return path;
}

/** Refuses a grid that is too small before anything is computed. */
export function checkSheet({ shape }: SheetChoice, pictures: number): void {
  if (shape !== undefined && shape.columns * shape.rows < pictures) {
    const places = shape.columns * shape.rows;
    throw new UsageError(
      `--grid ${shape.columns}x${shape.rows} has ${places} places for ${pictures} pictures`,
    );
  }
}

/** Writes the contact sheet: a table when there are rows and columns to tell apart, else a grid. */
export async function writeSheet(
  path: string,
  cells: readonly Cell[],
  choice: SheetChoice,
  title: string,
  side: number | undefined,
): Promise<void> {
  const columns = [...new Set(cells.map(({ column }) => column))];
  const rows = [...new Set(cells.map(({ row }) => row))];
  const table = choice.shape === undefined && columns.length > 1;
  const perRow = choice.shape?.columns ?? Math.ceil(Math.sqrt(cells.length));
  const [across, down] = table
    ? [columns.length, rows.length]
    : [perRow, choice.shape?.rows ?? Math.ceil(cells.length / perRow)];
  const widest = Math.max(...cells.map(({ raster }) => raster.width));
  const largest = side ?? widest * Math.ceil(SMALLEST_CELL / widest);
  const fitting = halvedToFit(largest, Math.max(across, down));
  const pictures = await Promise.all(cells.map(({ raster }) => cellPicture(raster, fitting, side)));
  const sheet = table
    ? tableSheet({
        title,
        columns,
        rows: rows.map((label) => ({
          label,
          cells: pictures.filter((_, i) => cells[i].row === label),
        })),
      })
    : gridSheet({
        title,
        perRow,
        cells: cells.map(({ row, column }, i) => ({
          label: columns.length > 1 ? `${row}, ${column.replace('\n', ', ')}` : row,
          picture: pictures[i],
        })),
      });
  await writePng(path, sheet);
}

function halvedToFit(side: number, count: number): number {
  let fitting = side;
  while (fitting > 64 && fitting * count > COMFORTABLE_SIDE) fitting = Math.ceil(fitting / 2);
  return fitting;
}

/** Small maps are enlarged without smoothing, large pictures shrunk. */
async function cellPicture(raster: Raster, cell: number, side: number | undefined): Promise<Raster> {
  if (side !== undefined || raster.width > cell) return resizeRaster(raster, cell);
  return enlargeRaster(raster, Math.max(1, Math.floor(cell / raster.width)));
}
