/** A strict reader of the GLB files we write, for tests: whatever the glTF 2.0 specification forbids is an error. */

import { strict as assert } from 'node:assert';

export interface ParsedGlb {
  readonly positions: Float32Array;
  readonly normals: Float32Array;
  /** RGBA, linear, 0 to 1 */
  readonly colours: Float32Array | undefined;
  readonly indices: Uint32Array;
}

interface Accessor {
  bufferView: number;
  byteOffset?: number;
  componentType: number;
  normalized?: boolean;
  count: number;
  type: string;
  min?: number[];
  max?: number[];
}

const COMPONENT_BYTES: Record<number, number> = { 5121: 1, 5123: 2, 5125: 4, 5126: 4 };
const COMPONENTS: Record<string, number> = { SCALAR: 1, VEC3: 3, VEC4: 4 };

/** Reads a file. @throws when it breaks a rule. */
export function parseGlb(bytes: Uint8Array): ParsedGlb {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): number => view.getUint32(at, true);
  assert.equal(word(0), 0x46546c67, 'magic');
  assert.equal(word(4), 2, 'version');
  assert.equal(word(8), bytes.length, 'total length');
  assert.equal(word(16), 0x4e4f534a, 'the first chunk is JSON');
  const jsonSize = word(12);
  assert.equal(jsonSize % 4, 0, 'chunks are multiples of 4');
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(20, 20 + jsonSize));
  assert.match(text, /^\{.*\} {0,3}$/s, 'JSON is padded with spaces');
  const gltf = JSON.parse(text);
  const bin = 20 + jsonSize;
  assert.equal(word(bin + 4), 0x004e4942, 'the second chunk is BIN');
  const binSize = word(bin);
  assert.equal(binSize % 4, 0);
  assert.equal(bin + 8 + binSize, bytes.length, 'nothing follows');
  assert.equal(gltf.asset.version, '2.0');
  assert.equal(gltf.buffers.length, 1);
  assert.ok(gltf.buffers[0].byteLength <= binSize && gltf.buffers[0].byteLength > binSize - 4);
  assert.equal(gltf.buffers[0].uri, undefined);
  let end = 0;
  for (const { buffer, byteOffset, byteLength } of gltf.bufferViews) {
    assert.equal(buffer, 0);
    assert.ok(byteOffset >= end, 'views do not overlap');
    end = byteOffset + byteLength;
    assert.ok(end <= gltf.buffers[0].byteLength);
  }

  const read = (index: number, target: number): Float32Array | Uint32Array => {
    const accessor: Accessor = gltf.accessors[index];
    const { componentType, count, type, byteOffset = 0 } = accessor;
    const { byteOffset: start, byteLength, byteStride, target: aim } = gltf.bufferViews[accessor.bufferView];
    assert.equal(aim, target);
    const size = COMPONENT_BYTES[componentType];
    const components = COMPONENTS[type];
    const stride = byteStride ?? size * components;
    if (target === 34962) assert.equal(stride % 4, 0, 'vertex attributes are aligned to 4');
    assert.equal((start + byteOffset) % size, 0);
    assert.ok(byteOffset + stride * (count - 1) + size * components <= byteLength);
    assert.ok(count > 0);
    const out =
      componentType === 5125 ? new Uint32Array(count * components) : new Float32Array(count * components);
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < components; k++) {
        const at = bin + 8 + start + byteOffset + i * stride + k * size;
        const value =
          componentType === 5126
            ? view.getFloat32(at, true)
            : componentType === 5125
              ? view.getUint32(at, true)
              : view.getUint16(at, true) / (accessor.normalized ? 65535 : 1);
        assert.ok(Number.isFinite(value));
        out[i * components + k] = value;
      }
    }
    return out;
  };

  assert.deepEqual(gltf.scenes[gltf.scene].nodes, [0]);
  const [primitive] = gltf.meshes[gltf.nodes[0].mesh].primitives;
  assert.ok(primitive.mode === undefined || primitive.mode === 4);
  assert.ok(gltf.materials[primitive.material]);
  const { POSITION, NORMAL, COLOR_0 } = primitive.attributes;
  const positions = read(POSITION, 34962) as Float32Array;
  const normals = read(NORMAL, 34962) as Float32Array;
  const indices = read(primitive.indices, 34963) as Uint32Array;
  const { min, max, count, type, componentType } = gltf.accessors[POSITION];
  assert.deepEqual([type, componentType], ['VEC3', 5126]);
  for (let k = 0; k < 3; k++) {
    const axis = positions.filter((_, i) => i % 3 === k);
    assert.equal(
      axis.reduce((a, b) => Math.min(a, b)),
      min[k],
      'min',
    );
    assert.equal(
      axis.reduce((a, b) => Math.max(a, b)),
      max[k],
      'max',
    );
  }
  for (let v = 0; v < normals.length; v += 3)
    assert.ok(
      Math.abs(Math.hypot(normals[v], normals[v + 1], normals[v + 2]) - 1) < 1e-4,
      'normals have unit length',
    );
  assert.equal(gltf.accessors[NORMAL].count, count);
  assert.equal(gltf.accessors[primitive.indices].type, 'SCALAR');
  assert.equal(indices.length % 3, 0);
  assert.ok(indices.every((v) => v < count));
  let colours: Float32Array | undefined;
  if (COLOR_0 !== undefined) {
    const { normalized, count: coloured } = gltf.accessors[COLOR_0];
    assert.deepEqual([normalized, coloured], [true, count]);
    colours = read(COLOR_0, 34962) as Float32Array;
  }
  return { positions, normals, indices, colours };
}
