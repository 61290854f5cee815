import { apply, type Primitive, type Tensor } from '../graph.ts';
import { sizeOf } from '../types.ts';
import { hostZeros, requireDType, requireRank } from './common.ts';
import { reshape } from './reshape.ts';

export const sortPrimitive: Primitive = {
  name: 'sort',
  infer: ([x]) => {
    requireDType(x, ['float32'], 'operand');
    requireRank(x, 2, 'operand');
    return [x, { dtype: 'int32', shape: x.shape }];
  },
  reference: ([x], _attrs, [output]) => {
    const [rows, extent] = x.shape;
    const values = hostZeros(output);
    const order = new Int32Array(rows * extent);
    for (let row = 0; row < rows; row++) {
      const line = x.data.subarray(row * extent, (row + 1) * extent);
      const indices = Array.from({ length: extent }, (_, i) => i).sort((a, b) => line[a] - line[b] || a - b);
      indices.forEach((from, to) => {
        values[row * extent + to] = line[from];
        order[row * extent + to] = from;
      });
    }
    return [values, order];
  },
  flops: ([x]) => sizeOf(x.shape) * Math.max(1, Math.ceil(Math.log2(Math.max(2, x.shape[1])))),
};

/** Sorts along the last axis, ascending, equal elements in their first order.
 *
 * @returns the sorted values and, as int32, where each came from.
 */
export function sort(x: Tensor): { values: Tensor; indices: Tensor } {
  const extent = x.shape[x.shape.length - 1];
  const rows = sizeOf(x.shape.slice(0, -1));
  const [values, indices] = apply(sortPrimitive, [reshape(x, [rows, extent])]).outputs;
  return { values: reshape(values, x.shape), indices: reshape(indices, x.shape) };
}
