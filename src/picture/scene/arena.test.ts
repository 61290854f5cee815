import { expect, test } from 'vitest';
import { randomNumbers } from '../../../test/scene-support.ts';
import { createArena } from './arena.ts';

test('places never overlap, and what was given back is used again', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const arena = createArena(memory, 1000);
  const random = randomNumbers(1);
  const taken: [number, number][] = [];
  for (let i = 0; i < 2000; i++) {
    if (taken.length > 20 || (taken.length > 0 && random() < 0.4)) {
      const [[place]] = taken.splice(Math.floor(random() * taken.length), 1);
      arena.give(place);
      continue;
    }
    const bytes = Math.floor(random() * 40_000);
    const place = arena.take(bytes);
    expect(place % 16).toBe(0);
    expect(place).toBeGreaterThanOrEqual(1000);
    expect(place + bytes).toBeLessThanOrEqual(arena.u8.length);
    for (const [other, size] of taken)
      expect(place >= other + size || place + Math.max(1, bytes) <= other).toBe(true);
    taken.push([place, bytes]);
  }
  for (const [place] of taken) arena.give(place);
  const size = memory.buffer.byteLength;
  expect(size).toBeLessThan(2_000_000);
  arena.take(size - 2000);
  expect(memory.buffer.byteLength).toBe(size);
  expect(() => arena.give(64)).toThrow('internal:');
});
