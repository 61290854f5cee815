/** MRC2014: a volume of float32 (mode 2), as microscopists' viewers read it. */

const HEADER = 1024;

/** The bytes of a file, in parts: a header, then the values.
 *
 * @param shape sections, rows, columns; columns vary fastest.
 */
export function* encodeMrc(
  shape: readonly [number, number, number],
  values: Float32Array,
): Generator<Uint8Array> {
  const header = new DataView(new ArrayBuffer(HEADER));
  const word = (index: number, value: number): void => header.setInt32((index - 1) * 4, value, true);
  const float = (index: number, value: number): void => header.setFloat32((index - 1) * 4, value, true);
  const [sections, rows, columns] = shape;
  const { low, high, mean, rms } = statistics(values);
  [columns, rows, sections, 2, 0, 0, 0, columns, rows, sections].forEach((value, i) => {
    word(i + 1, value);
  });
  [columns, rows, sections, 90, 90, 90].forEach((value, i) => {
    float(11 + i, value);
  });
  [1, 2, 3].forEach((axis, i) => {
    word(17 + i, axis);
  });
  [low, high, mean].forEach((value, i) => {
    float(20 + i, value);
  });
  word(23, 1); // a single volume
  word(28, 20140);
  word(53, 0x2050414d); // "MAP "
  word(54, 0x00004444); // little-endian
  float(55, rms);
  word(56, 1);
  const label = new TextEncoder().encode('density by portraitgan'.padEnd(80));
  const bytes = new Uint8Array(header.buffer);
  bytes.set(label, 224);
  yield bytes;
  yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function statistics(values: Float32Array): { low: number; high: number; mean: number; rms: number } {
  let [low, high, sum, squares] = [Infinity, -Infinity, 0, 0];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  return { low, high, mean, rms: Math.sqrt(Math.max(0, squares / values.length - mean * mean)) };
}
