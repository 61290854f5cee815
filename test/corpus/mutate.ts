/** Seeded damage to bytes: bit flips, truncations, splices, extreme values. */

/** A small deterministic generator of numbers in [0, 1). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const EXTREMES = [0, 1, 0x7f, 0x80, 0xff];

/** A damaged copy. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  const at = () => Math.floor(random() * bytes.length);
  const kind = Math.floor(random() * 6);
  let out = bytes.slice();
  if (kind === 0) return out.subarray(0, at());
  if (kind === 1) {
    // Moves a run of bytes from one place to another.
    const length = Math.floor(random() * 64);
    const [from, to] = [at(), at()];
    out.set(bytes.subarray(from, Math.min(from + length, bytes.length - Math.max(0, to - from))), to > from ? from : to);
    return out;
  }
  if (kind === 2) {
    // Leaves out a run of bytes.
    const from = at();
    const length = Math.floor(random() * 32);
    out = new Uint8Array([...bytes.subarray(0, from), ...bytes.subarray(from + length)]);
    return out;
  }
  if (kind === 3) {
    const start = at();
    const width = 1 << Math.floor(random() * 4);
    out.fill(EXTREMES[Math.floor(random() * EXTREMES.length)], start, start + width);
    return out;
  }
  const flips = 1 + Math.floor(random() * 4);
  for (let i = 0; i < flips; i++) out[at()] ^= 1 << Math.floor(random() * 8);
  return out;
}
