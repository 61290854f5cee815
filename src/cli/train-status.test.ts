import { expect, test } from 'vitest';
import { kimgText, lossesOf, statusText } from './train-status.ts';

const STATUS = { seen: 1250, total: 25_000, unit: 'images', perSecond: undefined, losses: {} } as const;

test('says no more than is known', () => {
  expect(statusText(STATUS)).toBe('1.25 of 25 kimg (5%)');
  expect(statusText({ ...STATUS, seen: 0, total: 0 })).toBe('0 of 0 kimg');
});

test('rate, time left and losses', () => {
  const losses = { G: 0.81234, D: 0.00001234, taught: Number.NaN };
  expect(statusText({ ...STATUS, perSecond: 3.14, losses })).toBe(
    '1.25 of 25 kimg (5%), 3.1 images/s, about 2.1 h left, G 0.812, D 1.2e-5, taught NaN',
  );
  expect(statusText({ ...STATUS, seen: 25_008, unit: 'views', perSecond: 317.6 })).toBe(
    '25.008 of 25 kimg (100%), 318 views/s',
  );
  expect([0, 8, 1000, 123_456].map((seen) => kimgText(seen))).toEqual([
    '0 kimg',
    '0.008 kimg',
    '1 kimg',
    '123.456 kimg',
  ]);
});

test('losses are the means of a tick', () => {
  const summary = (mean: number) => ({ num: 4, mean, std: 1 });
  expect(lossesOf({ 'Loss/D/loss': summary(1.5), 'Loss/G/loss': summary(0.5), other: summary(9) })).toEqual({
    G: 0.5,
    D: 1.5,
  });
});
