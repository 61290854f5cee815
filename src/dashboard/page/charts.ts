/** Plots of the page, drawn by uPlot: made anew when the curves or colours change, else given new numbers. */

import uPlot from 'uplot';
import type { Tick } from '../messages.ts';
import { type AxisName, type Plot, placesOf, plotsOf, shortNumber, smoothed, valuesOf } from './series.ts';

export interface ChartView {
  readonly axis: AxisName;
  /** 0 to 1: how much of a curve's past counts. */
  readonly smoothing: number;
  readonly logarithmic: boolean;
}

const HEIGHT = 210;

interface Chart {
  readonly figure: HTMLElement;
  readonly drawn: uPlot;
}

/** Keeps plots in a container. */
export function chartWall(container: HTMLElement) {
  let charts: Chart[] = [];
  let key = '';
  const sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      const chart = charts.find(({ figure }) => figure === target);
      if (chart !== undefined && contentRect.width > 0)
        chart.drawn.setSize({ width: contentRect.width, height: HEIGHT });
    }
  });
  const clear = (): void => {
    for (const { drawn, figure } of charts) {
      sizes.unobserve(figure);
      drawn.destroy();
    }
    container.replaceChildren();
    charts = [];
  };
  return {
    show(ticks: readonly Tick[], view: ChartView): void {
      const names = new Set(ticks.flatMap(({ statistics }) => Object.keys(statistics)));
      const plots = plotsOf(names);
      const data = plots.map((plot) => dataOf(plot, ticks, view));
      const logs = data.map((columns) => view.logarithmic && allPositive(columns));
      const wanted = JSON.stringify([plots, logs, view.axis]);
      if (wanted !== key) {
        clear();
        key = wanted;
        charts = plots.map((plot, i) => makeChart(container, plot, data[i], view.axis, logs[i]));
        for (const { figure } of charts) sizes.observe(figure);
      } else {
        charts.forEach(({ drawn }, i) => {
          drawn.setData(data[i]);
          showLast(drawn);
        });
      }
    },
    /** Colours have changed: the next `show` draws everything anew. */
    forget(): void {
      key = '';
    },
  };
}

function dataOf(plot: Plot, ticks: readonly Tick[], { axis, smoothing }: ChartView): uPlot.AlignedData {
  return [placesOf(ticks, axis), ...plot.curves.map((curve) => smoothed(valuesOf(ticks, curve), smoothing))];
}

function allPositive([, ...columns]: uPlot.AlignedData): boolean {
  return columns.every((column) => Array.from(column).every((value) => value == null || value > 0));
}

function makeChart(
  container: HTMLElement,
  plot: Plot,
  data: uPlot.AlignedData,
  axisName: AxisName,
  logarithmic: boolean,
): Chart {
  const figure = document.createElement('figure');
  const caption = document.createElement('figcaption');
  caption.textContent = plot.title;
  figure.append(caption);
  container.append(figure);
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
    font: '11px system-ui, sans-serif',
  };
  const unit = axisName === 'kimg' ? 'kimg' : 'h';
  const number = (_: uPlot, value: number | null): string => (value === null ? '–' : shortNumber(value));
  const drawn = new uPlot(
    {
      width: figure.clientWidth - 24,
      height: HEIGHT,
      scales: { x: { time: false }, y: logarithmic ? { distr: 3, range: closeRange } : {} },
      axes: [
        { ...axis, size: 30 },
        { ...axis, size: 58, values: (_, splits) => splits.map((v) => (v == null ? '' : shortNumber(v))) },
      ],
      cursor: { sync: { key: 'run' }, points: { size: 6 } },
      hooks: { setCursor: [showLast] },
      series: [
        { label: unit, value: number },
        ...plot.curves.map(({ label }, i) => ({
          label,
          stroke: colour(`--series-${(i % 6) + 1}`),
          width: 1.5,
          dash: i < 6 ? [] : [6, 3],
          spanGaps: true,
          points: { show: data[0].length < 40, size: 4 },
          value: number,
        })),
      ],
    },
    data,
    figure,
  );
  showLast(drawn);
  return { figure, drawn };
}

/** Without whole decades round it. Both ends are missing where there is nothing to show. */
const closeRange: uPlot.Range.Function = (_, min, max) =>
  min == null || max == null ? [1, 10] : [min * 0.9, max * 1.1];

/** The legend has the last values while the pointer is elsewhere. */
function showLast(drawn: uPlot): void {
  if (drawn.cursor.idx == null) drawn.setLegend({ idx: drawn.data[0].length - 1 }, false);
}
