import { expect, test } from 'vitest';
import { ndarray } from '../tensor/types.ts';
import { rasterOf, toByte, unitToByte } from './quantise.ts';

test('the 8-bit rule: clamped, then truncated', () => {
  expect([-2, -1, -0.001, 0, 0.5, 0.9999, 1, 3, Number.NaN].map(toByte)).toEqual([
    0, 0, 127, 128, 191, 255, 255, 255, 0,
  ]);
  expect([-0.001, 0, 0.5, 1, 1.001].map(unitToByte)).toEqual([0, 0, 127, 255, 255]);
});

test('planar to interleaved, grey to colour, one of a batch', () => {
  const colour = ndarray([2, 3, 1, 2], [0, 0, 0, 0, 0, 0, -1, 1, 0, 0, 1, -1]);
  expect([...rasterOf(colour, 1).data]).toEqual([0, 128, 255, 255, 128, 0]);
  expect([...rasterOf(ndarray([1, 1, 1, 2], [-1, 1])).data]).toEqual([0, 0, 0, 255, 255, 255]);
  expect(() => rasterOf(ndarray([1, 2, 1, 1], [0, 0]))).toThrow('expected [N, 1 or 3, H, W]');
});
