/**
 * NumPy's legacy `RandomState`: the same numbers for the same seed, so that published seeds give their faces.
 *
 * Mersenne Twister MT19937 with the classic integer seeding, 53-bit doubles, polar Gaussians in NumPy's order
 * (spec page 1.9). Browser-safe. Not for secrets, and not NumPy's newer `Generator`.
 */

import { UsageError } from '../errors.ts';
import { preciseLog } from './precise-log.ts';

/** A stream of random numbers equal to `numpy.random.RandomState(seed)`. */
export interface RandomState {
  /** The next `count` standard normal numbers, as `randn(count)`. */
  randn(count: number): Float64Array;
  /** The next uniform number in [0, 1), as `random_sample()`. */
  random(): number;
  /** The next raw 32-bit output. */
  uint32(): number;
  /** Shuffles in place, as `shuffle(list)`. */
  shuffle<T>(items: T[]): void;
}

const N = 624;
const M = 397;

/** A generator for a seed.
 *
 * @param seed  a whole number from 0 to 2^32 - 1.
 * @throws UsageError for any other seed.
 */
export function randomState(seed: number): RandomState {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new UsageError(`seed ${seed}: expected a whole number from 0 to 4294967295`);
  }
  const state = new Uint32Array(N);
  state[0] = seed;
  for (let i = 1; i < N; i++) {
    const previous = state[i - 1] ^ (state[i - 1] >>> 30);
    state[i] = Math.imul(1812433253, previous) + i;
  }
  let next = N;
  let cached: number | undefined;

  function refill(): void {
    for (let i = 0; i < N; i++) {
      const bits = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
      state[i] = state[(i + M) % N] ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
    }
    next = 0;
  }

  function uint32(): number {
    if (next === N) refill();
    let y = state[next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  function random(): number {
    const high = uint32() >>> 5;
    const low = uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  function gauss(): number {
    if (cached !== undefined) {
      const value = cached;
      cached = undefined;
      return value;
    }
    let x1: number;
    let x2: number;
    let r2: number;
    do {
      x1 = 2 * random() - 1;
      x2 = 2 * random() - 1;
      r2 = x1 * x1 + x2 * x2;
    } while (r2 >= 1 || r2 === 0);
    const factor = Math.sqrt((-2 * preciseLog(r2)) / r2);
    cached = factor * x1;
    return factor * x2;
  }

  return {
    randn(count) {
      const out = new Float64Array(count);
      for (let i = 0; i < count; i++) out[i] = gauss();
      return out;
    },
    random,
    uint32,
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const mask = 0xffffffff >>> Math.clz32(i);
        let j = (uint32() & mask) >>> 0;
        while (j > i) j = (uint32() & mask) >>> 0;
        const item = items[i];
        items[i] = items[j];
        items[j] = item;
      }
    },
  };
}
