import { expect, test } from 'vitest';
import { ndarray } from '../tensor/types.ts';
import { depthRaster, maskRaster, normalsOfDepth, normalsRaster } from './maps.ts';

const K = { fx: 6.5, fy: 6.5, skew: 0, cx: 0.5, cy: 0.5 };
const SIDE = 16;

/** Distances along the rays to the plane `normal . point = offset`. */
function depthOfPlane(normal: readonly [number, number, number], offset: number): Float32Array {
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [((i % SIDE) + 0.5) / SIDE - K.cx, (Math.floor(i / SIDE) + 0.5) / SIDE - K.cy];
    const ray = [x / K.fx, y / K.fy, 1];
    const length = Math.hypot(...ray);
    return (offset * length) / (ray[0] * normal[0] + ray[1] * normal[1] + ray[2] * normal[2]);
  });
}

const map = (data: Float32Array) => ndarray([1, 1, SIDE, SIDE], data);
const FULL = map(new Float32Array(SIDE * SIDE).fill(1));

test.each([
  { facing: 'the viewer', plane: [0, 0, 1], want: [0, 0, 1] },
  // Depth grows to the right: the surface faces left, seen in a frame of x right, y up, z to the viewer.
  { facing: 'left', plane: [0.6, 0, 0.8], want: [-0.6, 0, 0.8] },
  { facing: 'up', plane: [0, 0.6, 0.8], want: [0, 0.6, 0.8] },
] as const)('normals of a plane facing $facing', ({ plane, want }) => {
  const { data } = normalsOfDepth(map(depthOfPlane(plane, 2)), FULL, K);
  for (const [axis, value] of want.entries()) {
    for (let i = 0; i < SIDE * SIDE; i++) expect(data[axis * SIDE * SIDE + i]).toBeCloseTo(value, 4);
  }
});

test('no surface gives grey, the viewer light blue', () => {
  const half = FULL.data.slice() as Float32Array;
  half[0] = 0.4;
  const { data } = normalsRaster(map(depthOfPlane([0, 0, 1], 2)), map(half), K);
  expect([...data.subarray(0, 3)]).toEqual([127, 127, 127]);
  expect([...data.subarray(30, 33)]).toEqual([127, 127, 255]);
});

test('depth: near is bright, stretched; a flat picture is grey', () => {
  const depth = ndarray([1, 1, 1, 3], [2.4, 2.6, 2.8]);
  expect([...depthRaster(depth).data].filter((_, i) => i % 3 === 0)).toEqual([255, 127, 0]);
  expect(new Set(depthRaster(ndarray([1, 1, 1, 2], [2, 2])).data)).toEqual(new Set([127]));
  expect([...maskRaster(ndarray([1, 1, 1, 2], [-0.001, 1.001])).data]).toEqual([0, 0, 0, 255, 255, 255]);
});
