import { expect, test } from 'vitest';
import { countInBins, histogramPlot, plotSheet, roundTicks, scatterPlot } from './plot.ts';
import type { Raster } from './raster.ts';

const axis = { min: -10, max: 10, ticks: [-10, 0, 10] };
const BLUE = [76, 120, 168];

function coloured({ data }: Raster, colour: readonly number[]): number {
  let count = 0;
  for (let i = 0; i < data.length; i += 3) if (colour.every((x, c) => data[i + c] === x)) count++;
  return count;
}

test('bins count every value, those outside at the ends', () => {
  expect([...countInBins([-11, -10, -0.1, 0, 9.9, 10, 12], -10, 10, 4)]).toEqual([2, 1, 1, 3]);
});

test('ticks are round and inside', () => {
  expect(roundTicks(0, 63, 4)).toEqual([0, 20, 40, 60]);
  expect(roundTicks(-40, 40, 6)).toEqual([-40, -20, 0, 20, 40]);
  expect(roundTicks(0, 1.05, 5)).toEqual([0, 0.5, 1]);
});

test('bars are as high as their counts', () => {
  const size = { width: 300, height: 200, title: '' };
  const bars = (values: number[]): number =>
    coloured(histogramPlot({ ...size, values, bins: 2, x: axis }), BLUE);
  // A second bar of half the height adds half the area; the gaps make it a little less.
  expect(bars([-5, -5, 5]) / bars([-5, -5])).toBeCloseTo(1.5, 1);
  expect(bars([])).toBe(0);
});

test('points are drawn where they are, and sheets hold all plots', () => {
  const size = { width: 300, height: 200, title: 'x' };
  const plot = scatterPlot({ ...size, xs: [5], ys: [5], x: axis, y: axis });
  let [right, left] = [0, 0];
  for (let i = 0; i < plot.data.length; i += 3) {
    const isPoint = plot.data[i + 2] > plot.data[i] + 40;
    if (isPoint && (i / 3) % 300 > 185) right++;
    else if (isPoint) left++;
  }
  expect([left, right > 20]).toEqual([0, true]);
  const sheet = plotSheet('two', [[plot, plot], [plot]]);
  expect([sheet.width >= 600, sheet.height >= 400]).toEqual([true, true]);
});
