import { expect, test } from 'vitest';
import { golden } from '../../test/corpus/golden.ts';
import { UsageError } from '../errors.ts';
import { preciseLog } from './precise-log.ts';
import { randomState } from './random-state.ts';

test.each(Object.entries(golden.random))(
  "seed %s gives NumPy's numbers to the last bit",
  (seed, expected) => {
    const state = randomState(Number(seed));
    expect([...state.randn(5)]).toEqual(expected.randn);
    expect([state.random(), state.random(), state.random()]).toEqual(expected.random);
  },
);

test('seed 1 starts as published', () => {
  expect([...randomState(1).randn(3)].map((x) => x.toFixed(8))).toEqual([
    '1.62434536',
    '-0.61175641',
    '-0.52817175',
  ]);
});

test('far down the stream, in pieces or at once', () => {
  expect([...randomState(5).randn(2001).subarray(1999)]).toEqual(golden.randnFar);
  const state = randomState(5);
  const pieces = [...state.randn(3), ...state.randn(1998)];
  expect(pieces).toEqual([...randomState(5).randn(2001)]);
});

test('shuffle as NumPy does', () => {
  const items = [...Array(10).keys()];
  randomState(golden.shuffle.seed).shuffle(items);
  expect(items).toEqual(golden.shuffle.result);
});

test('raw outputs of seed 1', () => {
  const state = randomState(1);
  expect([state.uint32(), state.uint32(), state.uint32()]).toEqual([1791095845, 4282876139, 3093770124]);
});

test.each([-1, 0.5, 4294967296, Number.NaN])('seed %d is refused', (seed) => {
  expect(() => randomState(seed)).toThrow(UsageError);
});

test("the logarithm inverts powers and stays within one unit of the engine's", () => {
  expect(preciseLog(1)).toBe(0);
  expect(preciseLog(2)).toBe(Math.LN2);
  expect(preciseLog(0.5)).toBe(-Math.LN2);
  const state = randomState(3);
  for (let i = 0; i < 2000; i++) {
    const x = state.random() + 1e-300;
    // One unit in the last place is at most 2^-52 of the value.
    expect(Math.abs(preciseLog(x) - Math.log(x))).toBeLessThanOrEqual(Math.abs(Math.log(x)) * 2 ** -52);
  }
});
