/** Pictures of what a dataset holds: a sheet of its pictures, and plots of its cameras and poses. */

import type { DatasetItem } from '../dataset/dataset.ts';
import { type DatasetStatistics, POSE_NAMES, spreadOf, viewAngles } from '../dataset/statistics.ts';
import { type Axis, histogramPlot, plotSheet, roundTicks, scatterPlot } from '../picture/plot.ts';
import { enlargeRaster, resizeRaster } from '../picture/png.ts';
import type { Raster } from '../picture/raster.ts';
import { gridSheet } from '../picture/sheet.ts';

/** Side of a picture on the sheet, roughly. */
const CELL = 160;
const PER_ROW = 6;

/** What the mask leaves out is shown in this colour. */
const TINT = [225, 80, 120] as const;
const TINT_STRENGTH = 0.5;

const degrees = (tick: number): string => `${tick}°`;

/** A sheet of pictures with what lies outside the mask tinted. */
export async function itemSheet(title: string, items: readonly DatasetItem[], side: number): Promise<Raster> {
  const cells = await Promise.all(
    items.map(async (item) => {
      const { yaw, pitch } = viewAngles(item.label);
      const label = `${Math.round(yaw) + 0}° ${Math.round(pitch) + 0}°`;
      return { label, picture: await fitted(tinted(item, side)) };
    }),
  );
  return gridSheet({ title, perRow: Math.min(PER_ROW, cells.length), cells });
}

function tinted({ image, mask }: DatasetItem, side: number): Raster {
  const plane = side * side;
  const grey = image.length < 3 * plane;
  const data = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    const strength = TINT_STRENGTH * (1 - mask[i] / 255);
    for (let c = 0; c < 3; c++)
      data[3 * i + c] = Math.round(image[(grey ? 0 : c * plane) + i] * (1 - strength) + TINT[c] * strength);
  }
  return { width: side, height: side, data };
}

async function fitted(raster: Raster): Promise<Raster> {
  const factor = Math.floor(CELL / raster.width);
  return factor >= 2 ? enlargeRaster(raster, factor) : resizeRaster(raster, CELL);
}

const FULL = { width: 1000, height: 240 };
const HALF = { width: 490, height: 240 };

/** Plots of where the cameras are. */
export function cameraPlots(title: string, { yaw, pitch, roll }: DatasetStatistics): Raster {
  const circle: Axis = {
    min: -180,
    max: 180,
    ticks: Array.from({ length: 9 }, (_, i) => 45 * i - 180),
    label: degrees,
  };
  const height = symmetric([pitch], 10);
  const x = circle;
  return plotSheet(title, [
    [histogramPlot({ ...FULL, title: 'yaw: 0° front, 90° left side, 180° back', values: yaw, bins: 72, x })],
    [scatterPlot({ ...FULL, height: 360, title: 'pitch over yaw', xs: yaw, ys: pitch, x, y: height })],
    [
      histogramPlot({ ...HALF, title: titled('pitch', pitch), values: pitch, bins: 40, x: height }),
      histogramPlot({
        ...HALF,
        title: titled('roll', roll),
        values: roll,
        bins: 40,
        x: symmetric([roll], 10),
      }),
    ],
  ]);
}

/** Histograms of the six numbers of the pose. */
export function posePlots(title: string, { pose }: DatasetStatistics): Raster {
  const x = symmetric(pose, 10);
  const plots = pose.map((values, i) =>
    histogramPlot({ ...HALF, title: titled(POSE_NAMES[i], values), values, bins: 40, x }),
  );
  return plotSheet(title, [plots.slice(0, 3), plots.slice(3)]);
}

function titled(name: string, values: Float64Array): string {
  const { mean, std } = spreadOf(values);
  return `${name}: mean ${mean.toFixed(1).replace(/^-(0\.0)$/, '$1')}°, deviation ${std.toFixed(1)}°`;
}

/** An axis as wide on both sides of 0 as the values need, in whole tens. */
function symmetric(columns: readonly Float64Array[], least: number): Axis {
  const reach = columns.reduce(
    (worst, values) => values.reduce((a, b) => Math.max(a, Math.abs(b)), worst),
    0,
  );
  const max = Math.max(least, Math.ceil(reach / 10) * 10);
  return { min: -max, max, ticks: roundTicks(-max, max, 6), label: degrees };
}
