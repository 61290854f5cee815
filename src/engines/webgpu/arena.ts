/**
 * Memory for transient values: slots that values share when their lives do not overlap, and buffers that the programs
 * of an engine share, since one runs after the other.
 */

/** When a value lives: from the step that makes it to the last that reads it, both included. */
export interface Life {
  readonly bytes: number;
  readonly from: number;
  readonly until: number;
}

/** A slot for each life; the largest lives choose first, so that a slot is as large as its first value. */
export function assignSlots(lives: readonly Life[]): { slots: number[]; bytes: number[] } {
  const slots = new Array<number>(lives.length);
  const taken: Life[][] = [];
  const order = lives.map((_, i) => i).sort((a, b) => lives[b].bytes - lives[a].bytes || a - b);
  for (const i of order) {
    const { from, until } = lives[i];
    let slot = taken.findIndex((others) => others.every((life) => life.until < from || life.from > until));
    if (slot < 0) slot = taken.push([]) - 1;
    taken[slot].push(lives[i]);
    slots[i] = slot;
  }
  return { slots, bytes: taken.map((others) => others[0].bytes) };
}

export interface Arena {
  /** Buffers at least that large, the largest first, which the next program that runs may overwrite. `version` changes
   * when buffers do. */
  reserve(bytes: readonly number[]): { readonly buffers: readonly GPUBuffer[]; readonly version: number };
  readonly bytes: number;
  /** Gives all memory back; the next program gets fresh buffers. */
  clear(): void;
}

export function createArena(
  create: (bytes: number) => GPUBuffer,
  destroy: (buffer: GPUBuffer) => void,
): Arena {
  const buffers: GPUBuffer[] = [];
  let version = 0;
  return {
    reserve: (wanted) => {
      wanted.forEach((bytes, i) => {
        if (buffers[i] !== undefined && buffers[i].size >= bytes) return;
        // Work that was handed over keeps what it needs of the old one.
        if (buffers[i] !== undefined) destroy(buffers[i]);
        buffers[i] = create(bytes);
        version++;
      });
      return { buffers, version };
    },
    get bytes() {
      return buffers.reduce((sum, { size }) => sum + size, 0);
    },
    clear: () => {
      for (const buffer of buffers.splice(0)) destroy(buffer);
      version++;
    },
  };
}
