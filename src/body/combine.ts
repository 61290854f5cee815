/** Points as combinations of points: what regressors of joints do. */

/** Terms that the original's library of linear algebra adds up before it adds the sum to what it has. */
const BLOCK = 128;

/** rows [R, V] times points [V, 3] in single precision, added up as the original does: in order within blocks. */
export function combine(rows: Float32Array, points: Float32Array): Float32Array {
  const count = points.length / 3;
  const out = new Float32Array((3 * rows.length) / count);
  const sum = new Float32Array(3);
  for (let r = 0; r < rows.length / count; r++) {
    let from = 0;
    while (from < count) {
      const to = from + blockOf(count - from);
      sum.fill(0);
      for (let v = from; v < to; v++) {
        const weight = rows[r * count + v];
        if (weight === 0) continue;
        for (let k = 0; k < 3; k++) sum[k] += Math.fround(weight * points[3 * v + k]);
      }
      for (let k = 0; k < 3; k++) out[3 * r + k] += sum[k];
      from = to;
    }
  }
  return out;
}

/** What is left over of more than one block is halved, in fours. */
export function blockOf(left: number): number {
  if (left >= 2 * BLOCK) return BLOCK;
  return left > BLOCK ? 4 * Math.ceil(left / 8) : left;
}
