/** Seeded values for tests, and how far two arrays are apart. */

import { toHalfBits } from '../../src/tensor/half.ts';
import { type DType, type NdArray, type Shape, sizeOf, zerosFor } from '../../src/tensor/index.ts';

/** A small generator of numbers in [0, 1): mulberry32. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

let seed = 1;

/** Values of a type: floats in (-2, 2), integers from -9 to 9, coin flips. */
export function random(dtype: DType, shape: Shape, from = seed++): NdArray {
  const next = randomSource(from * 7919);
  const array = zerosFor({ dtype, shape });
  for (let i = 0; i < array.data.length; i++) {
    const u = next();
    if (dtype === 'float32') array.data[i] = u * 4 - 2;
    else if (dtype === 'float16') array.data[i] = toHalfBits(u * 4 - 2);
    else array.data[i] = dtype === 'int32' ? Math.floor(u * 19) - 9 : Number(u < 0.5);
  }
  return array;
}

/** An array from numbers as they are stored. */
export function array(dtype: DType, shape: Shape, values: readonly number[]): NdArray {
  const result = zerosFor({ dtype, shape });
  if (values.length !== sizeOf(shape)) throw new Error(`${values.length} values for [${shape}]`);
  result.data.set(values);
  return result;
}

/** Largest |a - b| / max(1, |b|); 0 where both are NaN or the same infinity, infinite where only one is. */
export function distance(a: NdArray, b: NdArray): number {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join() || a.data.length !== b.data.length) {
    return Number.POSITIVE_INFINITY;
  }
  let worst = 0;
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i], b.data[i]];
    if (Object.is(x, y) || x === y) continue;
    const apart = Math.abs(x - y) / Math.max(1, Math.abs(y));
    worst = Math.max(worst, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
  }
  return worst;
}
