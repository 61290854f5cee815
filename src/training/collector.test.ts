import { describe, expect, test } from 'vitest';
import { createCollector } from './collector.ts';

/** Two passes, as a textbook has it. */
function direct(values: readonly number[]) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return { num: values.length, mean, std: Math.sqrt(variance) };
}

const values = Array.from({ length: 500 }, (_, i) => 3 + Math.sin(i * i) * 2);

describe('statistics of a tick', () => {
  test('agree with a direct computation, however the values came', () => {
    const collector = createCollector();
    collector.report('Loss/G/loss', Float64Array.from(values.slice(0, 3)));
    for (const value of values.slice(3, 100)) collector.report('Loss/G/loss', value);
    collector.report('Loss/G/loss', values.slice(100));
    const { num, mean, std } = collector.tick()['Loss/G/loss'];
    const wanted = direct(values);
    expect(num).toBe(wanted.num);
    expect(mean).toBeCloseTo(wanted.mean, 13);
    expect(std).toBeCloseTo(wanted.std, 12);
  });

  test('cover the time since the previous tick only', () => {
    const collector = createCollector();
    collector.report('a', [1, 2, Number.POSITIVE_INFINITY]);
    collector.report('b', 7);
    expect(Object.keys(collector.tick())).toEqual(['a', 'b']);
    collector.report('a', [4, 6]);
    collector.report('c', []);
    expect(collector.tick()).toEqual({ a: { num: 2, mean: 5, std: 1 } });
    expect(collector.tick()).toEqual({});
  });

  test('rounding never makes a negative variance of a constant', () => {
    for (let i = 1; i <= 50; i++) {
      const collector = createCollector();
      collector.report('a', Array(1000).fill(i / 10));
      expect(collector.tick().a.std / i).toBeLessThan(1e-7); // NaN is not; worst measured 2.4e-8
    }
  });
});
