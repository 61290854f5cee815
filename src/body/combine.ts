/** Points as combinations of points: what regressors of joints do. */

/** rows [R, V] times points [V, 3], added up in single precision in order, as the original does. */
export function combine(rows: Float32Array, points: Float32Array): Float32Array {
  const count = points.length / 3;
  const out = new Float32Array((3 * rows.length) / count);
  for (let r = 0; r < rows.length / count; r++) {
    for (let v = 0; v < count; v++) {
      const weight = rows[r * count + v];
      if (weight === 0) continue;
      for (let k = 0; k < 3; k++) out[3 * r + k] += Math.fround(weight * points[3 * v + k]);
    }
  }
  return out;
}
