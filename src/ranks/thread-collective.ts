/**
 * A collective of threads of one process: numbers meet in shared memory.
 *
 * Each rank adds up its part of all of them, in the order of the ranks, so that the sums have the same bits
 * everywhere and in every run.
 */

import type { Collective } from '../training/collective.ts';

const KEEP_ALIVE_MS = 60_000;

/** What the ranks share; made once and handed to each. */
export interface SharedRanks {
  readonly size: number;
  /** A row of numbers for each rank. */
  readonly rows: SharedArrayBuffer;
  /** Ranks that have arrived, and how often all have: two int32. */
  readonly control: SharedArrayBuffer;
}

/** @param longest how many numbers are exchanged at most */
export function sharedRanks(size: number, longest: number): SharedRanks {
  return { size, rows: new SharedArrayBuffer(4 * size * longest), control: new SharedArrayBuffer(8) };
}

/** The end of one rank. */
export function threadCollective(rank: number, { size, rows, control }: SharedRanks): Collective {
  const counts = new Int32Array(control);
  const longest = rows.byteLength / 4 / size;
  const row = (of: number, count: number): Float32Array => new Float32Array(rows, 4 * of * longest, count);
  const fits = (count: number): void => {
    if (count > longest)
      throw new Error(`internal: ranks exchange ${count} numbers; ${longest} are provided for`);
  };

  /** Goes on when all have arrived. */
  const meet = async (): Promise<void> => {
    const round = Atomics.load(counts, 1);
    if (Atomics.add(counts, 0, 1) === size - 1) {
      Atomics.store(counts, 0, 0);
      Atomics.add(counts, 1, 1);
      Atomics.notify(counts, 1);
      return;
    }
    // Such a wait alone would not keep the thread from ending.
    const alive = setInterval(() => undefined, KEEP_ALIVE_MS);
    try {
      while (Atomics.load(counts, 1) === round) {
        const { async: waits, value } = Atomics.waitAsync(counts, 1, round);
        if (waits) await value;
      }
    } finally {
      clearInterval(alive);
    }
  };

  return {
    rank,
    size,
    async broadcast(values) {
      fits(values.length);
      if (rank === 0) row(0, values.length).set(values);
      await meet();
      if (rank !== 0) values.set(row(0, values.length));
      await meet();
    },
    async allReduce(values) {
      const count = values.length;
      fits(count);
      row(rank, count).set(values);
      await meet();
      const [from, to] = [Math.floor((count * rank) / size), Math.floor((count * (rank + 1)) / size)];
      const part = (of: number): Float32Array => row(of, count).subarray(from, to);
      const sum = part(0);
      for (let other = 1; other < size; other++) {
        const own = part(other);
        for (let i = 0; i < sum.length; i++) sum[i] += own[i];
      }
      await meet();
      values.set(row(0, count));
      await meet();
    },
  };
}
