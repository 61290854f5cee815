import { describe, expect, test } from 'vitest';
import { colourCollector } from './mesh/colour.ts';
import { marchingCubes } from './mesh/marching-cubes.ts';
import { type Mesh, vertexNormals } from './mesh/mesh.ts';
import { pinholeOf, rayStretch } from './pinhole.ts';
import { interpolate, rasterise } from './rasterise.ts';
import { rasterOfMesh, renderMesh } from './shade.ts';

/** A camera at (0, 0, distance) that looks along -z, y up in the picture: right +x, down -y, forward -z. */
function frontLabel(distance: number, focal: number): number[] {
  return [1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, distance, 0, 0, 0, 1, focal, 0, 0.5, 0, focal, 0.5, 0, 0, 1];
}

/** The same from the other side: right -x, forward +z. */
function backLabel(distance: number, focal: number): number[] {
  return [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, -distance, 0, 0, 0, 1, focal, 0, 0.5, 0, focal, 0.5, 0, 0, 1];
}

const RADIUS = 0.3;

/** A ball round the origin. */
function ball(side = 48): Mesh {
  const values = Float32Array.from({ length: side ** 3 }, (_, i) => {
    const at = [Math.floor(i / side / side), Math.floor(i / side) % side, i % side];
    return RADIUS - Math.hypot(...at.map((k) => k / (side - 1) - 0.5));
  });
  const { positions, indices } = marchingCubes({ shape: [side, side, side], values }, 0);
  return { positions: positions.map((value) => value / (side - 1) - 0.5), indices };
}

describe('rasterise', () => {
  const triangle: Mesh = {
    positions: Float32Array.of(-0.5, -0.5, 0, 0.5, -0.5, 0, -0.5, 0.5, 0),
    indices: Uint32Array.of(0, 1, 2),
  };

  test('covers the pixels whose centres are inside', () => {
    const { face, depth } = rasterise(triangle, pinholeOf(frontLabel(2, 2)), { width: 8, height: 8 });
    const rows = Array.from({ length: 8 }, (_, y) =>
      Array.from(face.subarray(y * 8, y * 8 + 8), (f) => (f === 0 ? '#' : '.')).join(''),
    );
    expect(rows).toEqual([
      '#.......',
      '##......',
      '###.....',
      '####....',
      '#####...',
      '######..',
      '#######.',
      '########',
    ]);
    expect([...depth].filter(Number.isFinite).every((value) => Math.abs(value - 2) < 1e-6)).toBe(true);
  });

  test('attributes are perspective-correct on a slanted plane', () => {
    const floor: Mesh = {
      positions: Float32Array.of(-1, -0.3, 1, 1, -0.3, 1, 1, -0.3, -3, -1, -0.3, -3),
      indices: Uint32Array.of(0, 1, 2, 0, 2, 3),
    };
    const side = 64;
    const camera = pinholeOf(frontLabel(2, 1));
    const fragments = rasterise(floor, camera, { width: side, height: side });
    const places = interpolate(fragments, floor, floor.positions, 3);
    let seen = 0;
    for (let i = 0; i < side * side; i++) {
      if (fragments.face[i] < 0) continue;
      seen++;
      // The point at a pixel lies on the pixel's own ray.
      const depth = 2 - places[i * 3 + 2];
      expect(fragments.depth[i]).toBeCloseTo(depth, 4);
      expect(places[i * 3] / depth + 0.5).toBeCloseTo(((i % side) + 0.5) / side, 4);
      expect(places[i * 3 + 1]).toBeCloseTo(-0.3, 5);
    }
    expect(seen).toBeGreaterThan(500);
  });

  test('the nearest wins, in either order; a triangle that reaches behind the camera is drawn as far as it is seen', () => {
    const positions = Float32Array.of(-1, -1, 0, 3, -1, 0, -1, 3, 0, -1, -1, 1, 3, -1, 1, -1, 3, 1);
    for (const indices of [Uint32Array.of(0, 1, 2, 3, 4, 5), Uint32Array.of(3, 4, 5, 0, 1, 2)]) {
      const { depth } = rasterise({ positions, indices }, pinholeOf(frontLabel(3, 1)), {
        width: 4,
        height: 4,
      });
      expect([...depth]).toEqual(new Array(16).fill(2));
    }
    const long: Mesh = {
      positions: Float32Array.of(-9, -0.5, -5, 9, -0.5, -5, 0, -0.5, 50),
      indices: Uint32Array.of(0, 1, 2),
    };
    const { face } = rasterise(long, pinholeOf(frontLabel(2, 1)), { width: 9, height: 9 });
    expect([...face.subarray(0, 45)].every((f) => f === -1)).toBe(true);
    expect(face[8 * 9 + 4]).toBe(0);
    const behind = rasterise(triangle, pinholeOf(frontLabel(-2, 1)), { width: 9, height: 9 });
    expect(behind.face.every((f) => f === -1)).toBe(true);
  });

  test('agrees with the rays of a camera that is turned, skewed and off centre', () => {
    const label = frontLabel(2.7, 3);
    const [c, s] = [Math.cos(0.4), Math.sin(0.4)];
    // Turned by .4 about y and moved with it.
    [c, 0, -s, 2.7 * s, 0, -1, 0, 0.05, -s, 0, -c, 2.7 * c].forEach((value, i) => {
      label[i] = value;
    });
    [label[17], label[18], label[21], label[20]] = [0.2, 0.47, 0.54, 2.6];
    const mesh = ball();
    const [width, height] = [90, 60];
    const camera = pinholeOf(label);
    const fragments = rasterise(mesh, camera, { width, height });
    const places = interpolate(fragments, mesh, mesh.positions, 3);
    let seen = 0;
    for (let i = 0; i < width * height; i += 7) {
      if (fragments.face[i] < 0) continue;
      seen++;
      // Spec page 1.5, with the picture's own sides as units.
      const [u, v] = [((i % width) + 0.5) / width, (Math.floor(i / width) + 0.5) / height];
      const y = (v - label[21]) / label[20];
      const x = (u - label[18] - label[17] * y) / label[16];
      const length = Math.hypot(x, y, 1);
      const along = fragments.depth[i] * rayStretch(camera, u, v);
      for (let k = 0; k < 3; k++) {
        const direction = label[k * 4] * x + label[k * 4 + 1] * y + label[k * 4 + 2];
        expect(label[k * 4 + 3] + (direction / length) * along).toBeCloseTo(places[i * 3 + k], 5);
      }
    }
    expect(seen).toBeGreaterThan(100);
  });

  test('inner sides can be left out, and shared edges leave no cracks', () => {
    const mesh = ball();
    const camera = pinholeOf(frontLabel(2.7, 3));
    const all = rasterise(mesh, camera, { width: 200, height: 200 });
    expect(rasterise(mesh, camera, { width: 200, height: 200, cullInner: true })).toEqual(all);
    const flipped = { ...mesh, indices: mesh.indices.slice().reverse() };
    const inner = rasterise(flipped, camera, { width: 200, height: 200, cullInner: true });
    expect(inner.depth[100 * 200 + 100]).toBeGreaterThan(2.9);
    // A disc without holes: in each row the covered pixels hang together.
    for (let y = 0; y < 200; y++) {
      const row = Array.from(all.face.subarray(y * 200, y * 200 + 200), (f) => (f < 0 ? '.' : '#')).join('');
      expect(row).toMatch(/^\.*#*\.*$/);
    }
  });
});

describe('renderMesh', () => {
  test('depth along rays, mask and normals of a ball', () => {
    const mesh = ball();
    const out = renderMesh(mesh, {}, frontLabel(2.7, 3), { width: 96, height: 96 });
    const middle = 48 * 96 + 48;
    expect(out.depth[middle]).toBeCloseTo(2.4, 2);
    expect(out.mask[middle]).toBe(1);
    expect(
      [...out.normals.subarray(middle * 3, middle * 3 + 3)].map((v) => Math.round(v * 10) / 10 + 0),
    ).toEqual([0, 0, 1]);
    const covered = out.mask.reduce((a, b) => a + b, 0) / 96 ** 2;
    // The outline of a ball seen from 2.7: a disc of slope r / sqrt(d^2 - r^2).
    expect(covered).toBeCloseTo(Math.PI * ((3 * RADIUS) / Math.sqrt(2.7 ** 2 - RADIUS ** 2)) ** 2, 2);
    const right = middle + 24;
    expect(out.normals[right * 3]).toBeGreaterThan(0.5);
    const up = middle - 24 * 96;
    expect(out.normals[up * 3 + 1]).toBeGreaterThan(0.5);
    // The ray leaves at a slope: the distance along it is more than the depth.
    const slope = 24.5 / 96 / 3;
    const c = Math.cos(Math.atan(slope));
    const hit = 2.7 * c - Math.sqrt(RADIUS ** 2 - 2.7 ** 2 * (1 - c * c));
    expect(out.depth[right]).toBeCloseTo(hit, 2);
  });

  test('flat shading has one tone a triangle, and colours without shading stay what they are', () => {
    const mesh = ball(12);
    const colours = Uint8Array.from({ length: mesh.positions.length }, (_, i) => [200, 100, 50][i % 3]);
    const plain = renderMesh(mesh, { colours }, frontLabel(2.7, 3), { width: 32, height: 32, shading: 0 });
    const at = (16 * 32 + 16) * 3;
    expect([...rasterOfMesh(plain, [255, 255, 255]).data.subarray(at, at + 3)]).toEqual([200, 100, 50]);
    expect([...rasterOfMesh(plain, [255, 255, 255]).data.subarray(0, 3)]).toEqual([255, 255, 255]);
    const tones = (flat: boolean): number => {
      const out = renderMesh(mesh, {}, frontLabel(2.7, 3), { width: 64, height: 64, supersampling: 1, flat });
      return new Set(rasterOfMesh(out, [0, 0, 0]).data).size;
    };
    expect(tones(true)).toBeLessThan(tones(false));
  });
});

describe('colours from pictures', () => {
  /** A picture of the ball: front red, back green; the backdrop blue. */
  function pictureOf(mesh: Mesh, label: number[], side: number) {
    const { face } = rasterise(mesh, pinholeOf(label), { width: side, height: side });
    const data = new Float32Array(3 * side * side).fill(-1);
    const channel = label[0] > 0 ? 0 : 1;
    face.forEach((f, i) => {
      data[(f < 0 ? 2 : channel) * side * side + i] = 1;
    });
    return { label, picture: { dtype: 'float32', shape: [1, 3, side, side], data } as const };
  }

  test('each side takes its own picture, the backdrop stays out, the rest is filled', () => {
    const mesh = ball();
    const collector = colourCollector(mesh, vertexNormals(mesh), 0.01);
    for (const label of [frontLabel(2.7, 3), backLabel(2.7, 3)]) collector.add(pictureOf(mesh, label, 96));
    const { colours, seen } = collector.finish();
    expect(seen).toBeGreaterThan(0.75);
    expect(seen).toBeLessThan(0.95);
    for (let v = 0; v < mesh.positions.length / 3; v++) {
      const z = mesh.positions[v * 3 + 2];
      const [red, green, blue] = colours.subarray(v * 3, v * 3 + 3);
      if (z > 0.1) expect([red, green]).toEqual([255, 0]);
      if (z < -0.1) expect([red, green]).toEqual([0, 255]);
      if (Math.abs(z) > 0.1) expect(blue).toBeLessThan(8);
      expect(red + green + blue).toBeGreaterThan(200);
    }
  });

  test('what is hidden takes nothing', () => {
    const front = ball(24);
    const count = front.positions.length / 3;
    const positions = Float32Array.from([
      ...front.positions,
      ...front.positions.map((p, i) => (i % 3 === 2 ? p - 1 : p * 0.7)),
    ]);
    const mesh = {
      positions,
      indices: Uint32Array.from([...front.indices, ...front.indices.map((v) => v + count)]),
    };
    const collector = colourCollector(mesh, vertexNormals(mesh), 0.01);
    collector.add(pictureOf(mesh, frontLabel(2.7, 3), 96));
    const { seen } = collector.finish();
    expect(seen).toBeLessThan(0.26);
  });
});
