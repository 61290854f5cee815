import { describe, expect, test } from 'vitest';
import type { Tick } from '../messages.ts';
import { placesOf, plotsOf, shortNumber, smoothed, valuesOf } from './series.ts';

const tick = (timestamp: number, means: Record<string, number | null>): Tick => ({
  timestamp,
  statistics: Object.fromEntries(
    Object.entries(means).map(([name, mean]) => [name, { num: 1, mean, std: 0 }]),
  ),
});

describe('plots', () => {
  test('a plot for what belongs together, nothing twice', () => {
    const names = [
      ...[
        'Loss/G/loss',
        'Loss/G/Dloss',
        'Loss/D/loss',
        'Loss/D/reg',
        'Loss/D/Poseloss',
        'Loss/scores/real',
        'Loss/scores/fake',
      ],
      ...[0, 1, 2, 3, 4, 5].map((k) => `Loss_pose/real_${k}`),
      ...['Progress/kimg', 'Timing/sec_per_kimg', 'Timing/total_sec', 'Own/part', 'alone'],
    ];
    const plots = plotsOf(new Set(names));
    expect(plots.map(({ title, curves }) => [title, curves.map(({ label }) => label).join()])).toEqual([
      ['Losses', 'generator,discriminator'],
      ['Images or views a second', 'rate'],
      ['Losses of poses', "discriminator's prediction"],
      ["Parts of the discriminator's loss", 'reg'],
      ["Discriminator's scores", 'fake,real'],
      ['Pose error on portraits, degrees', 'neck nod,neck turn,neck tilt,head nod,head turn,head tilt'],
      ['Own', 'part'],
      ['', 'alone'],
    ]);
  });

  test('nothing for nothing', () => {
    expect(plotsOf(new Set())).toEqual([]);
  });
});

describe('numbers', () => {
  test('gaps stay gaps, values are turned', () => {
    const ticks = [tick(0, { a: 4 }), tick(1, {}), tick(2, { a: null }), tick(3, { a: 8 })];
    const curve = { label: 'a', statistic: 'a', value: (x: number) => 1000 / x };
    expect(valuesOf(ticks, curve)).toEqual([250, null, null, 125]);
  });

  test('smoothing starts at the first value and keeps a constant', () => {
    expect(smoothed([3, null, 3, 3], 0.9)).toEqual([3, null, 3, 3].map((x) => x && expect.closeTo(x, 12)));
    // By hand: (.5 * .5 * 0 + .5 * 4) / (1 - .25)
    expect(smoothed([0, 4], 0.5)).toEqual([0, expect.closeTo(8 / 3, 12)]);
    expect(smoothed([1, 5, 2], 0)).toEqual([1, 5, 2]);
  });

  test('axes', () => {
    const ticks = [tick(3600, { 'Progress/kimg': 0 }), tick(9000, { 'Progress/kimg': 2.5 })];
    expect(placesOf(ticks, 'kimg')).toEqual([0, 2.5]);
    expect(placesOf(ticks, 'hours')).toEqual([0, 1.5]);
    const counted = [tick(0, { 'Timing/total_hours': 7 })];
    expect(placesOf(counted, 'hours')).toEqual([7]);
  });

  test('short', () => {
    expect([0, 0.00012, 0.123456, 12.3456, 1234.56, 123456].map(shortNumber)).toEqual([
      '0',
      '1.2e-4',
      '0.123',
      '12.3',
      '1235',
      '1.2e+5',
    ]);
  });
});
