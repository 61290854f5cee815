/** Endless orders of items: the same for the same seed, and able to go on from any place. */

import { UsageError } from '../errors.ts';
import { type RandomState, randomState } from '../weights/random-state.ts';

/** How items follow each other.
 *
 * - `shuffled`: every item once in each pass, each pass in an order of its own.
 * - `original`: the published sampler, for runs that must see the same pictures: one shuffle, then each item
 *   drawn changes places with one of the last half a set, so that some come again before others have come.
 */
export type OrderKind = (typeof ORDERS)[number];

export const ORDERS = ['shuffled', 'original'] as const;

/** An endless sequence of indices. */
export interface Order {
  next(): number;
}

/** Starts an order at its `position`-th index.
 *
 * @param count  number of items.
 */
export function itemOrder(kind: OrderKind, count: number, seed: number, position = 0): Order {
  if (!Number.isInteger(count) || count < 1)
    throw new UsageError(`an order of ${count} items: at least 1 is needed`);
  if (!Number.isSafeInteger(position) || position < 0)
    throw new UsageError(`position ${position}: expected a whole number, at least 0`);
  return kind === 'shuffled' ? shuffledOrder(count, seed, position) : originalOrder(count, seed, position);
}

function shuffledOrder(count: number, seed: number, position: number): Order {
  let pass = Math.floor(position / count);
  let at = position % count;
  let indices = permutation(count, passSeed(seed, pass));
  return {
    next() {
      if (at === count) {
        at = 0;
        pass++;
        indices = permutation(count, passSeed(seed, pass));
      }
      return indices[at++];
    },
  };
}

function permutation(count: number, seed: number): number[] {
  const indices = Array.from({ length: count }, (_, i) => i);
  randomState(seed).shuffle(indices);
  return indices;
}

/** A seed for each pass: the two numbers mixed by the finaliser of MurmurHash3. The first keeps the seed. */
function passSeed(seed: number, pass: number): number {
  if (pass === 0) return seed;
  let h = (seed + Math.imul(pass, 0x9e3779b9)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The published sampler with its window of half the set; a position is reached by drawing up to it. */
function originalOrder(count: number, seed: number, position: number): Order {
  const random = randomState(seed);
  const order = Array.from({ length: count }, (_, i) => i);
  random.shuffle(order);
  const window = roundHalfEven(count / 2);
  let at = 0;
  const next = (): number => {
    const i = at++ % count;
    const drawn = order[i];
    if (window >= 2) {
      const j = (i - below(random, window) + count) % count;
      [order[i], order[j]] = [order[j], order[i]];
    }
    return drawn;
  };
  while (at < position) next();
  return { next };
}

/** As `numpy.rint`. */
function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

/** As `RandomState.randint(bound)`: masked bits, drawn again while they are too large. */
function below(random: RandomState, bound: number): number {
  const mask = 0xffffffff >>> Math.clz32(bound - 1);
  let drawn = (random.uint32() & mask) >>> 0;
  while (drawn >= bound) drawn = (random.uint32() & mask) >>> 0;
  return drawn;
}
