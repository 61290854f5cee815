/** Plain plots: histograms and clouds of points on white, with axes, a light grid and labels. */

import { CAPITAL_ROWS, drawText, textWidth } from './font.ts';
import { blankRaster, type Colour, drawRaster, type Raster } from './raster.ts';

const PAPER: Colour = [255, 255, 255];
const INK: Colour = [72, 72, 72];
const GRID: Colour = [230, 230, 230];
const FILL: Colour = [76, 120, 168];

/** Pixels for one dot of the font, and what follows from it. */
const SCALE = 2;
const LINE = CAPITAL_ROWS * SCALE;
const GAP = 10;
const TICK = 5;

/** Discs of a cloud: few points are large and dark, many small and light. */
const FEW = { count: 300, radius: 4, opacity: 0.85 };
const MANY = { radius: 2.2, opacity: 0.45 };

/** One direction of a plot. */
export interface Axis {
  readonly min: number;
  readonly max: number;
  /** Where labels and grid lines are. */
  readonly ticks: readonly number[];
  readonly label?: (tick: number) => string;
}

interface Size {
  readonly width: number;
  readonly height: number;
  readonly title: string;
}

/** A histogram. */
export interface HistogramPlot extends Size {
  readonly values: ArrayLike<number>;
  readonly bins: number;
  readonly x: Axis;
}

/** A cloud of points. */
export interface ScatterPlot extends Size {
  readonly xs: ArrayLike<number>;
  readonly ys: ArrayLike<number>;
  readonly x: Axis;
  readonly y: Axis;
}

/** Where the numbers are drawn, inside the axes. */
interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** How many values fall into each of equal bins; what lies outside counts at the ends. */
export function countInBins(values: ArrayLike<number>, min: number, max: number, bins: number): Uint32Array {
  const counts = new Uint32Array(bins);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor(((values[i] - min) / (max - min)) * bins);
    counts[Math.min(Math.max(bin, 0), bins - 1)]++;
  }
  return counts;
}

/** Round numbers from `min` to `max`, at most `count` steps apart. */
export function roundTicks(min: number, max: number, count: number): number[] {
  const rough = (max - min) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((x) => x * power >= rough * 0.999999) as number);
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Draws a histogram; the upright axis counts. */
export function histogramPlot(plot: HistogramPlot): Raster {
  const { values, bins, x } = plot;
  const counts = countInBins(values, x.min, x.max, bins);
  const highest = Math.max(
    1,
    counts.reduce((a, b) => Math.max(a, b), 0),
  );
  const ticks = roundTicks(0, highest * 1.05, 5).filter(Number.isInteger);
  const { picture, area } = framed(plot, x, { min: 0, max: highest * 1.05, ticks });
  const place = (bin: number): number => area.left + ((area.right - area.left) * bin) / bins;
  counts.forEach((count, bin) => {
    const height = (count / (highest * 1.05)) * (area.bottom - area.top);
    const left = Math.round(place(bin));
    // One pixel stays free between bars that are wide enough.
    const right = Math.round(place(bin + 1)) - (place(1) - place(0) >= 6 ? 1 : 0);
    fill(picture, left, Math.round(area.bottom - height), right, area.bottom, FILL);
  });
  drawAxes(picture, area);
  return picture;
}

/** Draws points; where many lie they add up to a darker tone. */
export function scatterPlot(plot: ScatterPlot): Raster {
  const { xs, ys, x, y } = plot;
  const { picture, area } = framed(plot, x, y);
  const disc = xs.length <= FEW.count ? FEW : MANY;
  for (let i = 0; i < xs.length; i++) {
    const at = area.left + ((xs[i] - x.min) / (x.max - x.min)) * (area.right - area.left);
    const over = area.bottom - ((ys[i] - y.min) / (y.max - y.min)) * (area.bottom - area.top);
    drawPoint(picture, area, at, over, disc);
  }
  drawAxes(picture, area);
  return picture;
}

/** Plots below each other and beside each other, under one line of text. */
export function plotSheet(title: string, rows: readonly (readonly Raster[])[]): Raster {
  const widths = rows.map((row) => row.reduce((sum, { width }) => sum + width, (row.length - 1) * 2 * GAP));
  const heights = rows.map((row) => Math.max(...row.map(({ height }) => height)));
  const head = 2 * GAP + LINE + GAP;
  const sheet = blankRaster(
    Math.max(...widths, textWidth(title, SCALE)) + 4 * GAP,
    head + heights.reduce((a, b) => a + b, 0) + rows.length * 2 * GAP,
    PAPER,
  );
  drawText(sheet, title, 2 * GAP, 2 * GAP, SCALE, INK);
  let y = head + GAP;
  rows.forEach((row, r) => {
    let x = 2 * GAP;
    for (const plot of row) {
      drawRaster(sheet, plot, x, y);
      x += plot.width + 2 * GAP;
    }
    y += heights[r] + 2 * GAP;
  });
  return sheet;
}

/** Room for labels of the upright axis: the same for all plots, so that those below each other line up. */
const LEFT = 70;

function framed({ width, height, title }: Size, x: Axis, y: Axis): { picture: Raster; area: Area } {
  const picture = blankRaster(width, height, PAPER);
  const area: Area = {
    left: LEFT,
    top: LINE + 2 * GAP,
    right: width - 2 * GAP,
    bottom: height - LINE - TICK - GAP,
  };
  drawText(picture, title, area.left, 0, SCALE, INK);
  for (const tick of x.ticks) {
    const at = Math.round(area.left + ((tick - x.min) / (x.max - x.min)) * (area.right - area.left));
    const text = x.label?.(tick) ?? String(tick);
    fill(picture, at, area.top, at + 1, area.bottom, GRID);
    fill(picture, at, area.bottom, at + 1, area.bottom + TICK, INK);
    const centred = at - Math.round(textWidth(text, SCALE) / 2);
    drawText(
      picture,
      text,
      Math.min(centred, width - textWidth(text, SCALE)),
      area.bottom + TICK + 5,
      SCALE,
      INK,
    );
  }
  for (const tick of y.ticks) {
    const at = Math.round(area.bottom - ((tick - y.min) / (y.max - y.min)) * (area.bottom - area.top));
    const text = y.label?.(tick) ?? String(tick);
    fill(picture, area.left, at, area.right, at + 1, GRID);
    fill(picture, area.left - TICK, at, area.left, at + 1, INK);
    drawText(picture, text, area.left - TICK - 4 - textWidth(text, SCALE), at - LINE / 2, SCALE, INK);
  }
  return { picture, area };
}

function drawAxes(picture: Raster, { left, top, right, bottom }: Area): void {
  fill(picture, left, bottom, right, bottom + 1, INK);
  fill(picture, left, top, left + 1, bottom, INK);
}

interface Disc {
  readonly radius: number;
  readonly opacity: number;
}

function drawPoint(
  { width, data }: Raster,
  { left, top, right, bottom }: Area,
  x: number,
  y: number,
  disc: Disc,
): void {
  const reach = Math.ceil(disc.radius);
  for (let row = Math.max(top, Math.floor(y) - reach); row <= Math.min(bottom - 1, y + reach); row++) {
    for (let at = Math.max(left, Math.floor(x) - reach); at <= Math.min(right - 1, x + reach); at++) {
      const inside = Math.min(Math.max(disc.radius - Math.hypot(at + 0.5 - x, row + 0.5 - y) + 0.5, 0), 1);
      const opacity = inside * disc.opacity;
      for (let c = 0; c < 3; c++) {
        const i = (row * width + at) * 3 + c;
        data[i] = Math.round(data[i] * (1 - opacity) + FILL[c] * opacity);
      }
    }
  }
}

function fill(
  picture: Raster,
  left: number,
  top: number,
  right: number,
  bottom: number,
  colour: Colour,
): void {
  for (let y = Math.max(0, top); y < Math.min(picture.height, bottom); y++) {
    for (let x = Math.max(0, left); x < Math.min(picture.width, right); x++)
      picture.data.set(colour, (y * picture.width + x) * 3);
  }
}
