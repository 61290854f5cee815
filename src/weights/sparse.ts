/** Compressed sparse rows or columns to a dense matrix. */

import { FormatError } from '../errors.ts';
import { checkedSize, type ElementNdArray } from './elements.ts';

/** Largest dense matrix made. The joint regressor of a body is 24 x 6890. */
const MAX_DENSE = 4 * 1024 * 1024;

/** A dense row-major matrix; duplicate entries add up, as SciPy has it.
 *
 * @throws FormatError when pointers or indices do not describe a matrix of this shape.
 */
export function denseFromSparse(
  shape: readonly number[],
  byColumn: boolean,
  data: ElementNdArray,
  indices: ElementNdArray,
  pointers: ElementNdArray,
  at?: number,
): ElementNdArray {
  if (shape.length !== 2) throw new FormatError(`a sparse matrix of ${shape.length} axes`, at);
  const [rows, columns] = shape;
  const size = checkedSize(shape, at);
  if (size > MAX_DENSE) throw new FormatError(`a sparse matrix of [${rows}, ${columns}] is too large`, at);
  const major = byColumn ? columns : rows;
  const minor = byColumn ? rows : columns;
  if (pointers.data.length !== major + 1 || indices.data.length !== data.data.length) {
    throw new FormatError('the parts of a sparse matrix differ in length', at);
  }
  if (data.dtype !== 'float64' && data.dtype !== 'float32') {
    throw new FormatError(`a sparse matrix of ${data.dtype}`, at);
  }
  const values = data.data as Float64Array | Float32Array;
  const out = data.dtype === 'float64' ? new Float64Array(size) : new Float32Array(size);
  let next = 0;
  for (let m = 0; m < major; m++) {
    const end = Number(pointers.data[m + 1]);
    if (Number(pointers.data[m]) !== next || !(end >= next && end <= values.length)) {
      throw new FormatError('the pointers of a sparse matrix do not increase', at);
    }
    for (; next < end; next++) {
      const i = Number(indices.data[next]);
      if (!(i >= 0 && i < minor)) throw new FormatError(`a sparse matrix has index ${i} of ${minor}`, at);
      out[byColumn ? i * columns + m : m * columns + i] += values[next];
    }
  }
  return { dtype: data.dtype, shape, data: out };
}
