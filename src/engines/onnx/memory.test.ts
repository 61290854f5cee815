import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeLifetimes } from './memory.ts';

test('lives that overlap share no byte, and offsets are aligned', () => {
  const lifetime = fc
    .tuple(fc.nat(500), fc.nat(10), fc.nat(10))
    .map(([bytes, from, length]) => ({ bytes, from, until: from + length }));
  fc.assert(
    fc.property(fc.array(lifetime, { maxLength: 20 }), fc.nat(200), (lives, start) => {
      const { offsets, end } = placeLifetimes(lives, start);
      lives.forEach((a, i) => {
        expect(offsets[i] % 64).toBe(0);
        expect(offsets[i]).toBeGreaterThanOrEqual(start);
        expect(offsets[i] + a.bytes).toBeLessThanOrEqual(end);
        lives.slice(i + 1).forEach((b, k) => {
          const together = a.from <= b.until && b.from <= a.until;
          const [left, right] = [offsets[i], offsets[i + 1 + k]];
          if (together) expect(left + a.bytes <= right || right + b.bytes <= left).toBe(true);
        });
      });
    }),
  );
});

test('a range is used again when its life is over', () => {
  const lives = [0, 1, 2, 3].map((from) => ({ bytes: 64, from, until: from + 1 }));
  expect(placeLifetimes(lives, 0)).toEqual({ offsets: [0, 64, 0, 64], end: 128 });
});
