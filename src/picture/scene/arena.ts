/** Places in the memory of a WebAssembly module, given out and taken back. */

/** Memory that grows; views are made anew when it has. */
export interface Arena {
  /** The byte offset of a place of this size, a multiple of 16, its contents undefined. */
  take(bytes: number): number;
  give(place: number): void;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
}

interface Span {
  start: number;
  end: number;
}

const PAGE = 65536;
/** A place begins at a multiple of this, so that lanes never straddle a cache line. */
const ALIGNMENT = 64;

/** Gives out the memory from `start` on: the first span that is large enough. */
export function createArena(memory: WebAssembly.Memory, start: number): Arena {
  const first = Math.ceil(start / ALIGNMENT) * ALIGNMENT;
  /** In order, never touching one another; the last one grows. */
  const open: Span[] = [{ start: first, end: memory.buffer.byteLength }];
  const taken = new Map<number, number>();
  let [u8, i32, f32] = views();

  function views(): [Uint8Array, Int32Array, Float32Array] {
    return [new Uint8Array(memory.buffer), new Int32Array(memory.buffer), new Float32Array(memory.buffer)];
  }

  function grow(size: number): void {
    const end = memory.buffer.byteLength;
    let last = open.at(-1);
    if (last === undefined || last.end !== end) {
      last = { start: end, end };
      open.push(last);
    }
    memory.grow(Math.ceil((size - (last.end - last.start)) / PAGE));
    last.end = memory.buffer.byteLength;
    [u8, i32, f32] = views();
  }

  return {
    take(bytes) {
      const size = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
      let at = open.findIndex((span) => span.end - span.start >= size);
      if (at < 0) {
        grow(size);
        at = open.length - 1;
      }
      const span = open[at];
      const place = span.start;
      span.start += size;
      if (span.start === span.end) open.splice(at, 1);
      taken.set(place, size);
      return place;
    },
    give(place) {
      const size = taken.get(place);
      if (size === undefined) throw new Error(`internal: nothing was taken at byte ${place}`);
      taken.delete(place);
      let after = open.findIndex((span) => span.start > place);
      if (after < 0) after = open.length;
      const span = { start: place, end: place + size };
      const [before, behind] = [open[after - 1], open[after]];
      if (behind?.start === span.end) {
        span.end = behind.end;
        open.splice(after, 1);
      }
      if (before?.end === span.start) before.end = span.end;
      else open.splice(after, 0, span);
    },
    get u8() {
      return u8;
    },
    get i32() {
      return i32;
    },
    get f32() {
      return f32;
    },
  };
}

/** Calls `use` with a way to take room, and gives all of it back in the end. */
export function withRoom<T>(arena: Arena, use: (take: (bytes: number) => number) => T): T {
  const places: number[] = [];
  try {
    return use((bytes) => {
      const place = arena.take(bytes);
      places.push(place);
      return place;
    });
  } finally {
    for (const place of places) arena.give(place);
  }
}
