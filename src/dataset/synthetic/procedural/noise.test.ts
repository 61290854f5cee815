import { expect, it } from 'vitest';
import { hash, nearestPoint, valueNoise } from './noise.ts';

it('repeats after 1 in both directions, without a step', () => {
  for (let i = 0; i < 50; i++) {
    const [u, v] = [hash(i, 0, 1), hash(i, 1, 1)];
    expect(valueNoise(u + 1, v - 1, 7, 11, 3)).toBeCloseTo(valueNoise(u, v, 7, 11, 3), 9);
    expect(nearestPoint(u - 1, v + 2, 9, 5).distance).toBeCloseTo(nearestPoint(u, v, 9, 5).distance, 9);
    expect(Math.abs(valueNoise(1 - 1e-7, v, 7, 11, 3) - valueNoise(1e-7, v, 7, 11, 3))).toBeLessThan(1e-5);
  }
});

it('has numbers spread over 0 to 1', () => {
  const values = Array.from({ length: 4000 }, (_, i) => hash(i % 64, Math.floor(i / 64), 9));
  expect(values.reduce((a, b) => a + b, 0) / values.length).toBeCloseTo(0.5, 1);
  expect(Math.min(...values)).toBeLessThan(0.01);
  expect(Math.max(...values)).toBeGreaterThan(0.99);
});
