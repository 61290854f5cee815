/**
 * Sampling a density where its surface is: a coarse pass, then only the blocks that the surface runs through.
 *
 * A block of `stride`^3 cubes is sampled in full when the values at its corners pass the level, or come within
 * half of their own spread of it. Where a sampled block shows the surface leaving through a side, the
 * neighbour is sampled too, until the surface is closed. So every part of the surface that one sampled block
 * meets is complete and equal to that of the full grid, number for number. Missed are only closed parts that
 * lie wholly in blocks whose corners are all on one side of the level and far from it: specks and hollows
 * less than `stride` samples across that hang together with nothing else.
 */

import { PortraitganError, UsageError } from '../../errors.ts';
import type { ActiveBlocks, SampledGrid } from './marching-cubes.ts';

/** Values at samples given by flat index, last axis fastest. */
export type Sampler = (indices: Uint32Array) => Promise<Float32Array>;

export interface VolumeOptions {
  /** Samples a side. */
  readonly side: number;
  readonly level: number;
  /** Layers at the border that count as empty: at least 1 closes the surface where it leaves the cube. */
  readonly pad: number;
  /** Samples from one coarse sample to the next; 1 samples everything. */
  readonly stride: number;
  /** Samples asked for at once. */
  readonly batch: number;
  /** Called between batches. */
  readonly progress?: (state: { readonly done: number; readonly known: number }) => void;
}

export interface Volume extends SampledGrid {
  /** Samples that were computed. */
  readonly computed: number;
  /** Smallest and largest of them. */
  readonly range: readonly [number, number];
}

/** The value of samples that count as empty, as the original writes it. */
export const EMPTY = -1000;

/** Samples a density for the surface at a level.
 *
 * @throws UsageError when the border takes everything.
 */
export async function sampleVolume(sampler: Sampler, options: VolumeOptions): Promise<Volume> {
  const { side, pad, stride } = options;
  if (side - 2 * pad < 1)
    throw new UsageError(
      `a grid of ${side} samples a side with ${pad} empty layers at its border has nothing inside`,
    );
  const store = sampleStore(sampler, options);
  return stride === 1 ? sampleEverything(store, options) : sampleBlocks(store, options);
}

/** Refuses a level that no surface is at.
 *
 * @throws UsageError naming the range of the data.
 */
export function checkLevel({ range: [low, high] }: Volume, level: number, stride: number): void {
  if (level >= low && level < high) return;
  const where = stride === 1 ? '' : ' on the coarse grid';
  throw new UsageError(
    `there is no surface at level ${level}: the density goes from ${low.toPrecision(4)} to ${high.toPrecision(4)}${where}; choose a --level between`,
  );
}

/** Computed values, and which ones they are. */
interface SampleStore {
  readonly values: Float32Array;
  /** Asks for a sample unless it is known; samples at the border become empty. */
  want(x: number, y: number, z: number): void;
  /** Computes what was asked for. */
  compute(): Promise<void>;
  readonly computed: number;
  readonly range: readonly [number, number];
}

function sampleStore(sampler: Sampler, { side: n, pad, batch, progress }: VolumeOptions): SampleStore {
  // Memory that is never touched is never given out by the system: a sparse volume costs what it uses.
  const values = new Float32Array(n ** 3);
  const known = new Uint8Array(n ** 3);
  let wanted = new Uint32Array(batch);
  let count = 0;
  let computed = 0;
  let [low, high] = [Infinity, -Infinity];
  const inside = (i: number): boolean => i >= pad && i < n - pad;
  return {
    values,
    want(x, y, z) {
      const index = (x * n + y) * n + z;
      if (known[index] !== 0) return;
      known[index] = 1;
      if (!(inside(x) && inside(y) && inside(z))) {
        values[index] = EMPTY;
        return;
      }
      if (count === wanted.length) {
        const larger = new Uint32Array(wanted.length * 2);
        larger.set(wanted);
        wanted = larger;
      }
      wanted[count++] = index;
    },
    async compute() {
      const from = computed;
      for (let start = 0; start < count; start += batch) {
        progress?.({ done: computed, known: from + count });
        const part = wanted.subarray(start, Math.min(start + batch, count));
        const found = await sampler(part);
        for (let i = 0; i < part.length; i++) {
          const value = found[i];
          if (!Number.isFinite(value))
            throw new PortraitganError(
              `the density at sample ${part[i]} of the grid is ${value}, which is no number`,
            );
          values[part[i]] = value;
          if (value < low) low = value;
          if (value > high) high = value;
        }
        computed += part.length;
      }
      count = 0;
    },
    get computed() {
      return computed;
    },
    get range() {
      return [low, high] as const;
    },
  };
}

async function sampleEverything(store: SampleStore, { side: n }: VolumeOptions): Promise<Volume> {
  for (let x = 0; x < n; x++) {
    for (let y = 0; y < n; y++) for (let z = 0; z < n; z++) store.want(x, y, z);
    if (x % 8 === 7 || x === n - 1) await store.compute();
  }
  return { shape: [n, n, n], values: store.values, computed: store.computed, range: store.range };
}

async function sampleBlocks(store: SampleStore, options: VolumeOptions): Promise<Volume> {
  const { side: n, stride, level } = options;
  const count = Math.ceil((n - 1) / stride);
  const at = (b: number): number => Math.min(b * stride, n - 1);
  for (let x = 0; x <= count; x++)
    for (let y = 0; y <= count; y++) for (let z = 0; z <= count; z++) store.want(at(x), at(y), at(z));
  await store.compute();

  const active = new Uint8Array(count ** 3);
  let wave: number[] = [];
  const activate = (bx: number, by: number, bz: number): void => {
    if (Math.min(bx, by, bz) < 0 || Math.max(bx, by, bz) >= count) return;
    const block = (bx * count + by) * count + bz;
    if (active[block] !== 0) return;
    active[block] = 1;
    wave.push(block);
  };
  const { values } = store;
  const value = (x: number, y: number, z: number): number => values[(x * n + y) * n + z];
  for (let x = 0; x < count; x++) {
    for (let y = 0; y < count; y++) {
      for (let z = 0; z < count; z++) {
        const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((c) =>
          value(at(x + (c & 1)), at(y + ((c >> 1) & 1)), at(z + (c >> 2))),
        );
        if (mayMeet(corners, level)) activate(x, y, z);
      }
    }
  }

  while (wave.length > 0) {
    const blocks = wave;
    wave = [];
    for (const block of blocks) eachOf(boxOf(block), store.want);
    await store.compute();
    for (const block of blocks) {
      const box = boxOf(block);
      for (let axis = 0; axis < 3; axis++) {
        for (const end of [0, 1]) {
          if (!meets(sideOf(box, axis, end))) continue;
          const neighbour = place(block);
          neighbour[axis] += end === 0 ? -1 : 1;
          activate(neighbour[0], neighbour[1], neighbour[2]);
        }
      }
    }
  }
  const blocks: ActiveBlocks = { side: stride, counts: [count, count, count], active };
  return { shape: [n, n, n], values, blocks, computed: store.computed, range: store.range };

  function place(block: number): [number, number, number] {
    return [Math.floor(block / count / count), Math.floor(block / count) % count, block % count];
  }
  function boxOf(block: number): Box {
    const low = place(block);
    return { from: low.map(at), to: low.map((b) => at(b + 1)) };
  }
  /** Whether samples of a box lie on both sides of the level. */
  function meets(box: Box): boolean {
    let sides = 0;
    eachOf(box, (x, y, z) => {
      sides |= value(x, y, z) > level ? 1 : 2;
    });
    return sides === 3;
  }
}

/** A box of samples, both ends included. */
interface Box {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

function sideOf({ from, to }: Box, axis: number, end: number): Box {
  const fixed = end === 0 ? from[axis] : to[axis];
  const pinned = (ends: readonly number[]): number[] => ends.map((v, i) => (i === axis ? fixed : v));
  return { from: pinned(from), to: pinned(to) };
}

function eachOf({ from, to }: Box, visit: (x: number, y: number, z: number) => void): void {
  for (let x = from[0]; x <= to[0]; x++)
    for (let y = from[1]; y <= to[1]; y++) for (let z = from[2]; z <= to[2]; z++) visit(x, y, z);
}

/** Whether corners pass the level, or come within half of their spread of it. */
function mayMeet(corners: readonly number[], level: number): boolean {
  let [low, high, empty] = [Infinity, -Infinity, false];
  for (const value of corners) {
    if (value === EMPTY) {
      empty = true;
      continue;
    }
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (high === -Infinity) return false;
  const near = (high - low) / 2;
  return high + near > level && (empty || low - near <= level);
}
