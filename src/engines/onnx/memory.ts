/**
 * Places in the kernels' memory, decided when a program is compiled: ranges whose lives do not overlap share
 * bytes. First fit in the order of birth; a cache line (and SIMD) alignment for everything.
 */

const ALIGNMENT = 64;

/** A range that is needed from one step to another, both included. */
export interface Lifetime {
  readonly bytes: number;
  readonly from: number;
  readonly until: number;
}

/** Gives each lifetime an offset at or above `start`; `end` is the first byte that nothing uses. */
export function placeLifetimes(
  lifetimes: readonly Lifetime[],
  start: number,
): { offsets: number[]; end: number } {
  const offsets = new Array<number>(lifetimes.length).fill(0);
  const order = lifetimes.map((_, i) => i).sort((a, b) => lifetimes[a].from - lifetimes[b].from || a - b);
  let active: { offset: number; end: number; until: number }[] = [];
  let end = aligned(start);
  for (const i of order) {
    const { bytes, from, until } = lifetimes[i];
    active = active.filter((range) => range.until >= from);
    let offset = aligned(start);
    for (const range of active) {
      if (range.offset >= offset + bytes) break;
      offset = Math.max(offset, range.end);
    }
    const range = { offset, end: aligned(offset + bytes), until };
    active.push(range);
    active.sort((a, b) => a.offset - b.offset);
    offsets[i] = offset;
    end = Math.max(end, range.end);
  }
  return { offsets, end };
}

export function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}
