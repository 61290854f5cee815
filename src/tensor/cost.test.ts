import { expect, test } from 'vitest';
import { denseFlopsOf, f32, liveBytesOf, matmul, mul, reshape, trace } from './index.ts';

const graph = trace('chain', { a: f32(2, 3), b: f32(3, 5), c: f32(5, 7) }, ({ a, b, c }) => {
  const inner = mul(matmul(a, b), 2); // [2, 5]
  return { y: reshape(matmul(inner, c), [14]) };
});

test('products are counted, pointwise operations are not', () => {
  expect(denseFlopsOf(graph)).toBe(2 * (2 * 3 * 5) + 2 * (2 * 5 * 7));
});

test('a value lives until its last use; moving it takes no memory', () => {
  const inputs = 4 * (6 + 15 + 35);
  const grown = trace('grown', { a: f32(10, 1), b: f32(1, 10) }, ({ a, b }) => {
    const wide = matmul(a, b); // [10, 10]
    return { y: matmul(reshape(wide, [1, 100]), reshape(mul(wide, 2), [100, 1])) };
  });
  // Inputs, then both large values beside the result or each other.
  expect(liveBytesOf(grown)).toBe(4 * (100 + 100 + 1));
  expect(liveBytesOf(graph)).toBeLessThanOrEqual(inputs + 4 * (10 + 10 + 14));
});
