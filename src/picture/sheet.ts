/** Contact sheets: pictures in rows and columns on white, with dark grey labels and even margins. */

import { UsageError } from '../errors.ts';
import { CAPITAL_ROWS, drawText, textWidth } from './font.ts';
import { blankRaster, type Colour, drawRaster, type Raster } from './raster.ts';

const PAPER: Colour = [255, 255, 255];
const INK: Colour = [72, 72, 72];

/** Longest side of a sheet; more does not open in many viewers. */
const MAX_SIDE = 16384;

/** A table: a label for each column above it, in lines, and for each row to its left. */
export interface TableSheet {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly label: string; readonly cells: readonly Raster[] }[];
  /** One line over everything. */
  readonly title?: string | undefined;
}

/** Cells one after another, row by row, each with its label below. */
export interface GridSheet {
  readonly perRow: number;
  readonly cells: readonly { readonly label: string; readonly picture: Raster }[];
  readonly title?: string | undefined;
}

interface Measures {
  /** Pixels for one dot of the font. */
  readonly scale: number;
  readonly gap: number;
  readonly margin: number;
  readonly side: number;
  /** Height of a line of text with the gap to what it labels. */
  readonly line: number;
}

function measuresOf(pictures: readonly Raster[]): Measures {
  const side = Math.max(...pictures.map(({ width, height }) => Math.max(width, height)));
  const scale = side >= 384 ? 3 : side >= 112 ? 2 : 1;
  return { scale, gap: 4 * scale, margin: 10 * scale, side, line: (CAPITAL_ROWS + 5) * scale };
}

/** Cuts a label that is wider than its place. */
function fitted(label: string, width: number, scale: number): string {
  if (textWidth(label, scale) <= width) return label;
  let kept = label;
  while (kept.length > 0 && textWidth(`${kept}..`, scale) > width) kept = kept.slice(0, -1);
  return `${kept}..`;
}

function paper(width: number, height: number): Raster {
  if (width > MAX_SIDE || height > MAX_SIDE) {
    throw new UsageError(
      `the contact sheet would be ${width} x ${height} pixels; at most ${MAX_SIDE} fit: use fewer pictures or a smaller --size`,
    );
  }
  return blankRaster(width, height, PAPER);
}

function drawTitle(sheet: Raster, title: string | undefined, m: Measures): number {
  if (title === undefined) return m.margin;
  drawText(sheet, fitted(title, sheet.width - 2 * m.margin, m.scale), m.margin, m.margin, m.scale, INK);
  return m.margin + m.line + m.gap;
}

/** Makes a table sheet. */
export function tableSheet({ columns, rows, title }: TableSheet): Raster {
  const m = measuresOf(rows.flatMap(({ cells }) => cells));
  const labelWidth = Math.max(0, ...rows.map(({ label }) => textWidth(label, m.scale)));
  const left = m.margin + labelWidth + (labelWidth > 0 ? 2 * m.gap : 0);
  const heading = m.line * Math.max(...columns.map((column) => column.split('\n').length));
  const step = m.side + m.gap;
  const width = left + columns.length * step - m.gap + m.margin;
  const top = m.margin + (title === undefined ? 0 : m.line + m.gap);
  const sheet = paper(width, top + heading + rows.length * step - m.gap + m.margin);
  drawTitle(sheet, title, m);
  columns.forEach((column, i) => {
    column.split('\n').forEach((line, l) => {
      const label = fitted(line, m.side, m.scale);
      const x = left + i * step + Math.round((m.side - textWidth(label, m.scale)) / 2);
      drawText(sheet, label, x, top + l * m.line, m.scale, INK);
    });
  });
  rows.forEach(({ label, cells }, r) => {
    const y = top + heading + r * step;
    const middle = y + Math.round((m.side - CAPITAL_ROWS * m.scale) / 2);
    drawText(sheet, label, m.margin + labelWidth - textWidth(label, m.scale), middle, m.scale, INK);
    cells.forEach((cell, i) => {
      drawCell(sheet, cell, left + i * step, y, m.side);
    });
  });
  return sheet;
}

/** Makes a grid sheet. */
export function gridSheet({ perRow, cells, title }: GridSheet): Raster {
  const m = measuresOf(cells.map(({ picture }) => picture));
  const lines = Math.ceil(cells.length / perRow);
  const labelled = cells.some(({ label }) => label !== '');
  const [stepX, stepY] = [m.side + m.gap, m.side + m.gap + (labelled ? m.line : 0)];
  const top = m.margin + (title === undefined ? 0 : m.line + m.gap);
  const sheet = paper(2 * m.margin + perRow * stepX - m.gap, top + lines * stepY - m.gap + m.margin);
  drawTitle(sheet, title, m);
  cells.forEach(({ label, picture }, i) => {
    const [x, y] = [m.margin + (i % perRow) * stepX, top + Math.floor(i / perRow) * stepY];
    drawCell(sheet, picture, x, y, m.side);
    const shown = fitted(label, m.side, m.scale);
    const centred = x + Math.round((m.side - textWidth(shown, m.scale)) / 2);
    drawText(sheet, shown, centred, y + m.side + 3 * m.scale, m.scale, INK);
  });
  return sheet;
}

/** Draws a picture in the middle of a square cell. */
function drawCell(sheet: Raster, picture: Raster, x: number, y: number, side: number): void {
  const centre = (size: number): number => Math.floor((side - size) / 2);
  drawRaster(sheet, picture, x + centre(picture.width), y + centre(picture.height));
}
