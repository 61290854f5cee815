/** PLY: binary, little-endian; vertices with what is known of them, then triangles. */

import type { Mesh, MeshAttributes } from './mesh.ts';

/** The bytes of a file. Without attributes it is laid out as the original's: x y z, then vertex_indices. */
export function encodePly(
  { positions, indices }: Mesh,
  { normals, colours }: MeshAttributes = {},
): Uint8Array {
  const [vertices, faces] = [positions.length / 3, indices.length / 3];
  const properties = [
    ...['x', 'y', 'z'].map((name) => `property float ${name}`),
    ...(normals === undefined ? [] : ['nx', 'ny', 'nz'].map((name) => `property float ${name}`)),
    ...(colours === undefined ? [] : ['red', 'green', 'blue'].map((name) => `property uchar ${name}`)),
  ];
  const header = [
    'ply',
    'format binary_little_endian 1.0',
    `element vertex ${vertices}`,
    ...properties,
    `element face ${faces}`,
    'property list uchar int vertex_indices',
    'end_header',
    '',
  ].join('\n');
  const text = new TextEncoder().encode(header);
  const vertexSize = 12 + (normals === undefined ? 0 : 12) + (colours === undefined ? 0 : 3);
  const bytes = new Uint8Array(text.length + vertices * vertexSize + faces * 13);
  bytes.set(text);
  const view = new DataView(bytes.buffer);
  let at = text.length;
  const float = (value: number): void => {
    view.setFloat32(at, value, true);
    at += 4;
  };
  for (let v = 0; v < vertices * 3; v += 3) {
    for (let k = 0; k < 3; k++) float(positions[v + k]);
    if (normals !== undefined) for (let k = 0; k < 3; k++) float(normals[v + k]);
    if (colours !== undefined) for (let k = 0; k < 3; k++) bytes[at++] = colours[v + k];
  }
  for (let f = 0; f < indices.length; f += 3) {
    bytes[at++] = 3;
    for (let k = 0; k < 3; k++, at += 4) view.setInt32(at, indices[f + k], true);
  }
  return bytes;
}
