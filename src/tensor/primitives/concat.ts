import { DTypeError, ShapeError } from '../../errors.ts';
import { apply, type Primitive, type Tensor } from '../graph.ts';
import { showAval } from '../types.ts';
import { hostZeros, normalizeAxis, splitAt } from './common.ts';

export const concatPrimitive: Primitive<{ axis: number }> = {
  name: 'concat',
  infer: (inputs, { axis }) => {
    const [first] = inputs;
    if (first === undefined) throw new ShapeError('nothing to join');
    normalizeAxis(axis, first.shape.length);
    let total = 0;
    for (const x of inputs) {
      if (x.dtype !== first.dtype)
        throw new DTypeError(`${showAval(x)} cannot be joined to ${showAval(first)}`);
      const fits =
        x.shape.length === first.shape.length && x.shape.every((n, i) => i === axis || n === first.shape[i]);
      if (!fits)
        throw new ShapeError(`${showAval(x)} cannot be joined to ${showAval(first)} along axis ${axis}`);
      total += x.shape[axis];
    }
    return [{ dtype: first.dtype, shape: first.shape.map((n, i) => (i === axis ? total : n)) }];
  },
  reference: (inputs, { axis }, [output]) => {
    const out = hostZeros(output);
    const { outer, extent, inner } = splitAt(output.shape, axis);
    let start = 0;
    for (const x of inputs) {
      const chunk = x.shape[axis] * inner;
      for (let o = 0; o < outer; o++) {
        out.set(x.data.subarray(o * chunk, (o + 1) * chunk), (o * extent + start) * inner);
      }
      start += x.shape[axis];
    }
    return [out];
  },
  flops: () => 0,
};

/** Joins tensors along one axis. */
export function concat(inputs: readonly Tensor[], axis: number): Tensor {
  if (inputs.length === 1) return inputs[0];
  return apply(concatPrimitive, inputs, { axis: normalizeAxis(axis, inputs[0]?.shape.length ?? 0) })
    .outputs[0];
}
