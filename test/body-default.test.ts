/** The body that ships: that it is there, in the right frame, closed where it matters, and poses sensibly. */

import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { facesInBox, nearestFacesPlain, poseBody, readCompactBody } from '../src/body/index.ts';

const FILE = new URL('../models/body.bin', import.meta.url);

describe('models/body.bin', () => {
  const body = readCompactBody(readFileSync(FILE));
  const joint = (j: number): number[] => Array.from(body.joints.subarray(3 * j, 3 * j + 3));

  it('is small and has a head, a neck and shoulders where cameras expect them', () => {
    expect(statSync(FILE).size).toBeLessThan(400_000);
    expect(body.vertexCount).toBeGreaterThan(2000);
    expect(body.vertexCount).toBeLessThan(6000);
    const [neck, head, shoulder] = [joint(body.neck), joint(body.head), joint(16)];
    expect(Math.hypot(...neck)).toBeLessThan(1e-6);
    expect(head[1]).toBeCloseTo(0.09, 1);
    expect(head[2]).toBeGreaterThan(0.01);
    expect(Math.abs(shoulder[0] - 0.17)).toBeLessThan(0.01);
    expect(Math.abs(shoulder[1] + 0.06)).toBeLessThan(0.015);
    const heights = body.template.filter((_, i) => i % 3 === 1);
    expect(Math.max(...heights)).toBeCloseTo(0.23, 2);
    expect(Math.min(...heights)).toBeLessThan(-0.142);
    expect(facesInBox(body, 1).length).toBe(body.faces.length);
  });

  it('looks along +z with its faces outwards', () => {
    // The nose is the foremost point; points before it and behind the head see outer sides.
    const points = [0, 0.1, 0.25, 0, 0.13, -0.2, 0.2, 0.12, 0, -0.2, 0.12, 0];
    const { face } = nearestFacesPlain(body.template, body.faces, points);
    face.forEach((f, i) => {
      const [a, b, c] = [0, 1, 2].map((k) => body.template.subarray(3 * body.faces[3 * f + k]));
      const [u, v] = [b, c].map((p) => [p[0] - a[0], p[1] - a[1], p[2] - a[2]]);
      const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      const side = n.reduce((sum, value, k) => sum + value * (points[3 * i + k] - a[k]), 0);
      expect(side).toBeGreaterThan(0);
    });
    const foremost = body.template.reduce(
      (best, z, i) => (i % 3 === 2 && z > body.template[best] ? i : best),
      2,
    );
    expect(body.template[foremost - 1]).toBeGreaterThan(0.05);
  });

  it('turns its head to its left, and leaves the shoulders', () => {
    const turned = poseBody(body, [0, 0.4, 0, 0, 0.4, 0]);
    const nose =
      body.template.reduce((best, z, i) => (i % 3 === 2 && z > body.template[best] ? i : best), 2) - 2;
    expect(turned[nose] - body.canonical[nose]).toBeGreaterThan(0.06);
    let still = 0;
    for (let v = 0; v < body.vertexCount; v++) {
      const gap = Math.hypot(...[0, 1, 2].map((k) => turned[3 * v + k] - body.canonical[3 * v + k]));
      if (Math.abs(body.canonical[3 * v]) > 0.15) expect(gap).toBeLessThan(0.005);
      if (gap < 1e-6) still++;
    }
    expect(still).toBeGreaterThan(400);
  });
});
