/** Pictures that are larger than a network: shrunk by a whole factor, each pixel the mean of a square. */

/** Shrinks planes of bytes.
 *
 * @param planes [count, side, side]
 * @param side   a multiple of `to`
 * @returns      [count, to, to], halves rounded up
 */
export function shrinkPlanes(planes: Uint8Array, side: number, to: number): Uint8Array {
  if (side === to) return planes;
  const factor = side / to;
  const out = new Uint8Array(planes.length / factor ** 2);
  for (let i = 0; i < out.length; i++) {
    const [x, line] = [i % to, Math.floor(i / to)];
    let sum = 0;
    for (let dy = 0; dy < factor; dy++) {
      const at = (line * factor + dy) * side + x * factor;
      for (let dx = 0; dx < factor; dx++) sum += planes[at + dx];
    }
    out[i] = Math.floor(sum / factor ** 2 + 0.5);
  }
  return out;
}
