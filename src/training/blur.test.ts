import { expect, test } from 'vitest';
import { referenceEngine } from '../engines/reference/index.ts';
import * as t from '../tensor/index.ts';
import { blurBy, blurMatrix, isBlurred } from './blur.ts';

test.each([10, 4, 1.5, 0.5])('a matrix of width %f blurs as the convolution does', async (sigma) => {
  const size = 20;
  const graph = t.trace(
    'blur',
    { x: t.f32(1, 2, size, size), matrix: t.f32(size, size) },
    ({ x, matrix }) => ({ ours: blurBy(x, matrix), theirs: t.gaussianBlur(x, sigma) }),
  );
  const program = await referenceEngine().compile(graph);
  const x = t.ndarray(
    [1, 2, size, size],
    Float32Array.from({ length: 2 * size * size }, (_, i) => Math.sin(i * 1.7)),
  );
  const { ours, theirs } = await program.run({ x, matrix: blurMatrix(size, sigma) });
  const apart = ours.data.map((value, i) => Math.abs(value - theirs.data[i]));
  expect(Math.max(...apart)).toBeLessThan(1e-6); // worst measured: 1.2e-7
});

test('a third of a pixel is no blur', () => {
  expect([0, 0.33, 0.34].map(isBlurred)).toEqual([false, false, true]);
});
