import { describe, expect, test } from 'vitest';
import { encodeGlb } from '../src/picture/mesh/glb.ts';
import { marchingCubes } from '../src/picture/mesh/marching-cubes.ts';
import { type Mesh, measureMesh, vertexNormals } from '../src/picture/mesh/mesh.ts';
import { encodeMrc } from '../src/picture/mesh/mrc.ts';
import { encodeObj } from '../src/picture/mesh/obj.ts';
import { encodePly } from '../src/picture/mesh/ply.ts';
import { simplifyMesh } from '../src/picture/mesh/simplify.ts';
import { parseGlb } from './mesh-glb.ts';

function ballMesh(): Mesh {
  const side = 20;
  const values = Float32Array.from({ length: side ** 3 }, (_, i) => {
    const at = [Math.floor(i / side / side), Math.floor(i / side) % side, i % side];
    return 7 - Math.hypot(at[0] - 9.3, at[1] - 9.6, at[2] - 9.8);
  });
  return marchingCubes({ shape: [side, side, side], values }, 0);
}

const mesh = ballMesh();
const vertices = mesh.positions.length / 3;
const normals = vertexNormals(mesh);
const colours = Uint8Array.from(mesh.positions, (value, i) => (i % 3 === 0 ? 255 : Math.round(value * 12)));

function joined(parts: Iterable<Uint8Array>): Buffer {
  return Buffer.concat([...parts]);
}

describe('GLB', () => {
  test.each([
    ['with colours', { normals, colours }],
    ['without', {}],
  ])('is valid and holds the mesh: %s', (_, attributes) => {
    const parsed = parseGlb(encodeGlb(mesh, attributes));
    expect(parsed.positions).toEqual(mesh.positions);
    expect(parsed.indices).toEqual(mesh.indices);
    expect(parsed.normals).toEqual(normals);
    if (!('colours' in attributes)) {
      expect(parsed.colours).toBeUndefined();
      return;
    }
    // Linear light: sRGB 188 is half of white.
    const linear = parsed.colours!;
    expect(linear).toHaveLength(vertices * 4);
    for (let v = 0; v < vertices; v++) {
      expect(linear[v * 4]).toBe(1);
      const s = colours[v * 3 + 1] / 255;
      expect(linear[v * 4 + 1]).toBeCloseTo(s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4, 4);
      expect(linear[v * 4 + 3]).toBe(1);
    }
  });

  test('the strict parser refuses what is wrong', () => {
    const bytes = encodeGlb(mesh, { colours });
    for (const at of [0, 4, 8, 12, 16]) {
      const broken = bytes.slice();
      broken[at] ^= 1;
      expect(() => parseGlb(broken)).toThrow();
    }
    expect(() => parseGlb(bytes.slice(0, -4))).toThrow();
  });
});

describe('PLY', () => {
  test('with attributes', () => {
    const bytes = Buffer.from(encodePly(mesh, { normals, colours }));
    const end = bytes.indexOf('end_header\n') + 11;
    const header = bytes.toString('latin1', 0, end).split('\n');
    expect(header.slice(0, 3)).toEqual([
      'ply',
      'format binary_little_endian 1.0',
      `element vertex ${vertices}`,
    ]);
    expect(header.filter((line) => line.startsWith('property'))).toEqual([
      ...['x', 'y', 'z', 'nx', 'ny', 'nz'].map((name) => `property float ${name}`),
      ...['red', 'green', 'blue'].map((name) => `property uchar ${name}`),
      'property list uchar int vertex_indices',
    ]);
    const last = end + (vertices - 1) * 27;
    expect(bytes.readFloatLE(last + 8)).toBe(mesh.positions[vertices * 3 - 1]);
    expect(bytes.readFloatLE(last + 20)).toBe(normals[vertices * 3 - 1]);
    expect(bytes[last + 26]).toBe(colours[vertices * 3 - 1]);
    expect(bytes[last + 27]).toBe(3);
    expect(bytes.length).toBe(end + vertices * 27 + (mesh.indices.length / 3) * 13);
    expect(bytes.readInt32LE(bytes.length - 4)).toBe(mesh.indices[mesh.indices.length - 1]);
  });

  test('without, as the original writes it', () => {
    const text = Buffer.from(encodePly(mesh)).toString('latin1');
    expect(text.slice(0, text.indexOf('end_header'))).toBe(
      `ply\nformat binary_little_endian 1.0\nelement vertex ${vertices}\nproperty float x\nproperty float y\nproperty float z\nelement face ${mesh.indices.length / 3}\nproperty list uchar int vertex_indices\n`,
    );
  });
});

test('OBJ: vertices with colours, normals, faces from 1', () => {
  const lines = joined(encodeObj(mesh, { normals, colours })).toString().trim().split('\n');
  const of = (kind: string): string[] => lines.filter((line) => line.startsWith(`${kind} `));
  expect([of('v').length, of('vn').length, of('f').length]).toEqual([
    vertices,
    vertices,
    mesh.indices.length / 3,
  ]);
  const numbers = of('v')[5].split(' ').slice(1).map(Number);
  expect(numbers).toHaveLength(6);
  for (let k = 0; k < 3; k++) {
    expect(numbers[k]).toBeCloseTo(mesh.positions[15 + k], 5);
    expect(numbers[3 + k]).toBeCloseTo(colours[15 + k] / 255, 3);
  }
  const first = [...mesh.indices.slice(0, 3)].map((v) => `${v + 1}//${v + 1}`);
  expect(of('f')[0]).toBe(`f ${first.join(' ')}`);
  expect(joined(encodeObj(mesh)).toString()).not.toContain('vn');
});

test('MRC: header and values', () => {
  const values = Float32Array.from({ length: 24 }, (_, i) => i - 4);
  const bytes = joined(encodeMrc([2, 3, 4], values));
  expect(bytes.length).toBe(1024 + 96);
  expect([0, 4, 8, 12].map((at) => bytes.readInt32LE(at))).toEqual([4, 3, 2, 2]);
  expect([64, 68, 72].map((at) => bytes.readInt32LE(at))).toEqual([1, 2, 3]);
  expect([76, 80, 84].map((at) => bytes.readFloatLE(at))).toEqual([-4, 19, 7.5]);
  expect(bytes.toString('latin1', 208, 212)).toBe('MAP ');
  expect(bytes.readInt32LE(108)).toBe(20140);
  expect(bytes.readFloatLE(1024 + 92)).toBe(19);
});

test('simplifying keeps shape and topology', async () => {
  const fewer = await simplifyMesh(mesh, 0.25);
  const [before, after] = [measureMesh(mesh), measureMesh(fewer)];
  expect(after.faces).toBeLessThan(0.27 * before.faces);
  expect(after).toMatchObject({ euler: 2, openEdges: 0 });
  expect(after.volume / before.volume).toBeCloseTo(1, 1);
  expect(new Set(fewer.indices).size).toBe(fewer.positions.length / 3);
});
