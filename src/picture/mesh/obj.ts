/** OBJ: text. Colours follow the positions, as most programs read and write them; values are sRGB. */

import type { Mesh, MeshAttributes } from './mesh.ts';

/** Lines are gathered to texts of about this many before they become bytes. */
const LINES = 1 << 16;

/** The bytes of a file, in parts. */
export function* encodeObj(
  { positions, indices }: Mesh,
  { normals, colours }: MeshAttributes = {},
): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  let lines: string[] = [];
  const part = (): Uint8Array => {
    const bytes = encoder.encode(`${lines.join('\n')}\n`);
    lines = [];
    return bytes;
  };
  const short = (value: number): string => `${Number(value.toFixed(6))}`;
  for (let v = 0; v < positions.length; v += 3) {
    const numbers = [0, 1, 2].map((k) => short(positions[v + k]));
    if (colours !== undefined) numbers.push(...[0, 1, 2].map((k) => (colours[v + k] / 255).toFixed(4)));
    lines.push(`v ${numbers.join(' ')}`);
    if (lines.length >= LINES) yield part();
  }
  for (let v = 0; normals !== undefined && v < normals.length; v += 3) {
    lines.push(`vn ${[0, 1, 2].map((k) => normals[v + k].toFixed(4)).join(' ')}`);
    if (lines.length >= LINES) yield part();
  }
  for (let f = 0; f < indices.length; f += 3) {
    const corners = [0, 1, 2].map((k) => indices[f + k] + 1);
    lines.push(`f ${corners.map((v) => (normals === undefined ? v : `${v}//${v}`)).join(' ')}`);
    if (lines.length >= LINES) yield part();
  }
  if (lines.length > 0) yield part();
}
