import { expect, it } from 'vitest';
import { casterOf, dot, normalised, SKULL_CENTRE } from './cast.ts';
import type { Vec3 } from './neutral.ts';

/** An octahedron about the centre, corners .1 away. */
const positions = Float32Array.from(
  [
    [1, 0, 0],
    [-1, 0, 0],
    [0, 1, 0],
    [0, -1, 0],
    [0, 0, 1],
    [0, 0, -1],
  ].flatMap((axis) => axis.map((value, k) => SKULL_CENTRE[k] + 0.1 * value)), // prettier-ignore
);
const triangles = Uint32Array.from([4, 0, 2, 0, 5, 2, 5, 1, 2, 1, 4, 2, 0, 4, 3, 5, 0, 3, 1, 5, 3, 4, 1, 3]);

it('meets every side of a closed surface at the right place', () => {
  // With normals of the flat faces nothing is rounded: |x| + |y| + |z| = .1.
  for (let i = 0; i < 500; i++) {
    const y = 1 - (2 * (i + 0.5)) / 500;
    const angle = i * 2.399963;
    const flat = Math.sqrt(1 - y * y);
    const direction: Vec3 = [flat * Math.cos(angle), y, flat * Math.sin(angle)];
    const normal = normalised(direction.map(Math.sign) as unknown as Vec3);
    const normals = Float32Array.from({ length: 18 }, (_, k) => normal[k % 3]);
    const hit = casterOf({ positions, normals, triangles })(direction);
    const from = hit?.place.map((value, k) => value - SKULL_CENTRE[k]) ?? [];
    expect(from.reduce((sum, value) => sum + Math.abs(value), 0)).toBeCloseTo(0.1, 6);
    expect(dot(normalised(from as unknown as Vec3), direction)).toBeCloseTo(1, 6);
    expect(hit?.anchor.weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
  }
});
