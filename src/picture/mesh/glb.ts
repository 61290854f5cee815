/** GLB: glTF 2.0 in one file, one mesh with positions, normals and colours. Lengths are metres, y is up, +z the front. */

import { LINEAR } from '../shade.ts';
import { boundsOf, type Mesh, type MeshAttributes, vertexNormals } from './mesh.ts';

const MAGIC = 0x46546c67;
const JSON_CHUNK = 0x4e4f534a;
const BIN_CHUNK = 0x004e4942;
const ARRAY_BUFFER = 34962;
const ELEMENT_ARRAY_BUFFER = 34963;
const UNSIGNED_SHORT = 5123;
const UNSIGNED_INT = 5125;
const FLOAT = 5126;

/** The bytes of a file. COLOR_0 is linear light, as glTF wants it: 16 bits, since 8 are too few for dark tones. */
export function encodeGlb(mesh: Mesh, attributes: MeshAttributes = {}): Uint8Array {
  const { positions, indices } = mesh;
  const normals = attributes.normals ?? vertexNormals(mesh);
  const colours = attributes.colours === undefined ? undefined : linearColours(attributes.colours);
  const vertices = positions.length / 3;
  const parts = [
    { bytes: bytesOf(positions), target: ARRAY_BUFFER },
    { bytes: bytesOf(normals), target: ARRAY_BUFFER },
    ...(colours === undefined ? [] : [{ bytes: bytesOf(colours), target: ARRAY_BUFFER }]),
    { bytes: bytesOf(indices), target: ELEMENT_ARRAY_BUFFER },
  ];
  // Every length is a multiple of 4, so every part begins aligned.
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, { bytes }) => sum + bytes.length, 0));
  const size = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const last = parts.length - 1;
  const json = {
    asset: { version: '2.0', generator: 'portraitgan' },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0, name: 'portrait' }],
    meshes: [
      {
        primitives: [
          {
            attributes: { POSITION: 0, NORMAL: 1, ...(colours === undefined ? {} : { COLOR_0: 2 }) },
            indices: last,
            material: 0,
          },
        ],
      },
    ],
    materials: [{ pbrMetallicRoughness: { metallicFactor: 0, roughnessFactor: 1 } }],
    accessors: [
      { bufferView: 0, componentType: FLOAT, count: vertices, type: 'VEC3', ...boundsOf(positions) },
      { bufferView: 1, componentType: FLOAT, count: vertices, type: 'VEC3' },
      ...(colours === undefined
        ? []
        : [
            { bufferView: 2, componentType: UNSIGNED_SHORT, normalized: true, count: vertices, type: 'VEC4' },
          ]),
      { bufferView: last, componentType: UNSIGNED_INT, count: indices.length, type: 'SCALAR' },
    ],
    bufferViews: parts.map(({ bytes, target }, i) => ({
      buffer: 0,
      byteOffset: starts[i],
      byteLength: bytes.length,
      target,
    })),
    buffers: [{ byteLength: size }],
  };
  const text = new TextEncoder().encode(JSON.stringify(json));
  const textSize = Math.ceil(text.length / 4) * 4;
  const out = new Uint8Array(12 + 8 + textSize + 8 + size);
  const header = new DataView(out.buffer);
  [MAGIC, 2, out.length, textSize, JSON_CHUNK].forEach((word, i) => {
    header.setUint32(i * 4, word, true);
  });
  out.set(text, 20);
  out.fill(0x20, 20 + text.length, 20 + textSize);
  header.setUint32(20 + textSize, size, true);
  header.setUint32(24 + textSize, BIN_CHUNK, true);
  parts.forEach(({ bytes }, i) => {
    out.set(bytes, 28 + textSize + starts[i]);
  });
  return out;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** sRGB bytes to linear light in 16 bits, with an opacity of 1 so that each vertex takes 8 bytes. */
function linearColours(srgb: Uint8Array): Uint16Array {
  const out = new Uint16Array((srgb.length / 3) * 4).fill(65535);
  for (let i = 0; i < srgb.length; i++)
    out[Math.floor(i / 3) * 4 + (i % 3)] = Math.round(LINEAR[srgb[i]] * 65535);
  return out;
}
