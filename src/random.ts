/**
 * Random numbers that belong to a thing, not to an order: each use has its own stream, named by whole numbers.
 *
 * So that a picture of a set is the same whoever makes it and in whatever order. The generator is sfc32
 * (Doty-Humphrey's Small Fast Counting): 128 bits of state, so that millions of streams do not meet.
 */

export interface Stream {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
}

/** The stream with this name: whole numbers below 2^32. */
export function stream(seed: number, purpose: number, index = 0): Stream {
  let [a, b, c, d] = [seed | 0, purpose | 0, index | 0, 1];
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  // The seeds are not random themselves: this many rounds spread them over the state.
  for (let i = 0; i < 20; i++) next();
  const uniform = (): number => (next() * 2097152 + (next() >>> 11)) / 9007199254740992;
  return {
    uniform,
    // Box-Muller; 1 - u is never 0.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** Numbers of a stream, one after another. */
export function fillWith(draw: () => number, count: number): Float32Array {
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = draw();
  return numbers;
}
