/**
 * The compact body file: a rest mesh, joints and skin weights, little-endian, without padding.
 *
 * | bytes | content |
 * |---|---|
 * | 8 | `PGANBODY` |
 * | 2, 2, 2, 2 | u16: version (1), joints J, neck joint, head joint |
 * | 4, 4, 4 | u32: vertices V, faces F, weights W |
 * | 4 | f32: metres a step of the positions |
 * | 12 | f32 x 3: the alignment point |
 * | 6 V | i16: x, y, z of each vertex in steps |
 * | 6 F | u16: corners of each face, counter-clockwise from outside |
 * | 12 J | f32: rest positions of the joints |
 * | 2 J | i16: parents, -1 for the root |
 * | V | u8: how many joints each vertex follows |
 * | W | u8: the joints, vertex by vertex |
 * | 2 W | u16: their weights; those of a vertex sum to 65535 |
 *
 * There are no pose offsets: a body that has them does not fit the format.
 */

import { FormatError, UsageError } from '../errors.ts';
import { type BodyModel, makeBody } from './model.ts';

const MAGIC = 'PGANBODY';
const VERSION = 1;
const HEADER_BYTES = 44;
const WEIGHT_UNIT = 65535;
const MAX_VERTICES = 65535;
const MAX_FACES = 4 * MAX_VERTICES;
const MAX_JOINTS = 255;

/** Reads a compact body file.
 *
 * @throws FormatError when it is not one, is broken, or describes what no body is; the errors of `makeBody`.
 */
export function readCompactBody(bytes: Uint8Array): BodyModel {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES)
    throw new FormatError('the body file ends within its header', bytes.length);
  if (String.fromCharCode(...bytes.subarray(0, 8)) !== MAGIC)
    throw new FormatError('not a compact body file', 0);
  const version = view.getUint16(8, true);
  if (version !== VERSION) throw new FormatError(`compact body version ${version}; ${VERSION} is known`, 8);
  const jointCount = bounded(view.getUint16(10, true), MAX_JOINTS, 'joints', 10);
  const vertexCount = bounded(view.getUint32(16, true), MAX_VERTICES, 'vertices', 16);
  const faceCount = bounded(view.getUint32(20, true), MAX_FACES, 'faces', 20);
  const entries = bounded(view.getUint32(24, true), vertexCount * jointCount, 'weights', 24);
  const expected =
    HEADER_BYTES + 6 * vertexCount + 6 * faceCount + 14 * jointCount + vertexCount + 3 * entries;
  if (bytes.length !== expected) {
    throw new FormatError(`a body of these counts takes ${expected} bytes, the file has ${bytes.length}`, 16);
  }
  const step = view.getFloat32(28, true);
  if (!(step > 0 && step < 1)) throw new FormatError(`positions in steps of ${step} m`, 28);
  let at = HEADER_BYTES;
  const take = <T>(count: number, size: number, read: (offset: number) => T): T[] => {
    const values = Array.from({ length: count }, (_, i) => read(at + size * i));
    at += size * count;
    return values;
  };
  const template = Float32Array.from(take(3 * vertexCount, 2, (o) => view.getInt16(o, true) * step));
  const faces = Int32Array.from(take(3 * faceCount, 2, (o) => view.getUint16(o, true)));
  const joints = Float32Array.from(take(3 * jointCount, 4, (o) => view.getFloat32(o, true)));
  const parents = Int32Array.from(take(jointCount, 2, (o) => view.getInt16(o, true)));
  const counts = take(vertexCount, 1, (o) => view.getUint8(o));
  const listed = counts.reduce((a, b) => a + b, 0);
  if (listed !== entries) throw new FormatError(`${entries} weights, but vertices list ${listed}`, at);
  const followed = take(entries, 1, (o) => view.getUint8(o));
  const shares = take(entries, 2, (o) => view.getUint16(o, true));
  const weights = new Float32Array(vertexCount * jointCount);
  let entry = 0;
  counts.forEach((count, v) => {
    for (let i = 0; i < count; i++, entry++) {
      const joint = followed[entry];
      if (joint >= jointCount) throw new FormatError(`vertex ${v} follows joint ${joint} of ${jointCount}`);
      weights[v * jointCount + joint] += shares[entry] / WEIGHT_UNIT;
    }
  });
  return makeBody({
    template,
    faces,
    joints,
    parents,
    weights,
    alignPoint: Float32Array.from([32, 36, 40], (o) => view.getFloat32(o, true)),
    neck: view.getUint16(12, true),
    head: view.getUint16(14, true),
  });
}

function bounded(value: number, most: number, what: string, offset: number): number {
  if (value === 0 || value > most) {
    throw new FormatError(`${value} ${what}; a compact body has 1 to ${most}`, offset);
  }
  return value;
}

/** The bytes of a compact body file. Positions and weights are rounded to its steps.
 *
 * @throws UsageError for a body with pose offsets or too large for the format.
 */
export function writeCompactBody(model: BodyModel): Uint8Array {
  const { vertexCount, faceCount, jointCount, template, weights } = model;
  if (model.posedirs !== undefined) throw new UsageError('a compact body has no pose offsets; this one does');
  if (vertexCount > MAX_VERTICES || faceCount > MAX_FACES || jointCount > MAX_JOINTS) {
    throw new UsageError(
      `a body of ${vertexCount} vertices and ${jointCount} joints is too large to be compact`,
    );
  }
  const shares = Array.from({ length: vertexCount }, (_, v) =>
    quantised(weights.subarray(v * jointCount, (v + 1) * jointCount)),
  );
  const entries = shares.flat();
  const step = template.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 32767;
  const size = HEADER_BYTES + 7 * vertexCount + 6 * faceCount + 14 * jointCount + 3 * entries.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 8; i++) bytes[i] = MAGIC.charCodeAt(i);
  [VERSION, jointCount, model.neck, model.head].forEach((value, i) => {
    view.setUint16(8 + 2 * i, value, true);
  });
  [vertexCount, faceCount, entries.length].forEach((value, i) => {
    view.setUint32(16 + 4 * i, value, true);
  });
  view.setFloat32(28, step, true);
  model.alignPoint.forEach((value, i) => {
    view.setFloat32(32 + 4 * i, value, true);
  });
  let at = HEADER_BYTES;
  const put = (
    values: Iterable<number>,
    width: number,
    write: (offset: number, value: number) => void,
  ): void => {
    for (const value of values) {
      write(at, value);
      at += width;
    }
  };
  const exact = view.getFloat32(28, true);
  put(template, 2, (o, value) =>
    view.setInt16(o, Math.max(-32767, Math.min(32767, Math.round(value / exact))), true),
  );
  put(model.faces, 2, (o, value) => view.setUint16(o, value, true));
  put(model.joints, 4, (o, value) => view.setFloat32(o, value, true));
  put(model.parents, 2, (o, value) => view.setInt16(o, value, true));
  put(
    shares.map((list) => list.length),
    1,
    (o, value) => view.setUint8(o, value),
  );
  put(
    entries.map(([joint]) => joint),
    1,
    (o, value) => view.setUint8(o, value),
  );
  put(
    entries.map(([, share]) => share),
    2,
    (o, value) => view.setUint16(o, value, true),
  );
  return bytes;
}

/** The joints and shares of a vertex, shares in whole numbers that sum to the unit. */
function quantised(row: Float32Array): [joint: number, share: number][] {
  const list: [number, number][] = [];
  row.forEach((weight, joint) => {
    const share = Math.round(weight * WEIGHT_UNIT);
    if (share > 0) list.push([joint, share]);
  });
  const largest = list.reduce((a, b) => (b[1] > a[1] ? b : a));
  largest[1] += WEIGHT_UNIT - list.reduce((sum, [, share]) => sum + share, 0);
  return list;
}
