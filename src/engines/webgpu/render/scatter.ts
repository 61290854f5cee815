/**
 * The way back through the look-up: from cotangents of features, a row a point, to texels, to where the points lie, and
 * to the motions that brought them there.
 *
 * WGSL adds no floats atomically: a sum is read, and exchanged if nobody was faster. A thread has one channel of eight
 * points in a row, and adds to memory only where the next point has other texels: rays side by side often have the
 * same in two of the three planes.
 */

import type { Bound, Dispatch, Operand, Planning } from '../kernel.ts';
import type { Part } from './back.ts';
import type { Source } from './decode.ts';
import { CHANNELS, type Field, taps } from './field.ts';
import { entry, groupsFor } from './shader.ts';

const THREADS = 256;
/** Points of a run. */
const RUN = 8;

/** WGSL: adds a number to a word of `sums` that holds a float, after what is `known` to have been in it. */
const ADD_ATOMICALLY = /* wgsl */ `
fn addTo(at: u32, known: u32, value: f32) {
  var before = known;
  loop {
    let tried = atomicCompareExchangeWeak(&sums[at], before, bitcast<u32>(bitcast<f32>(before) + value));
    if (tried.exchanged) { break; }
    before = tried.old_value;
  }
}`;

/** Corners of a cell, in the order of depth, row, column. */
const CORNERS = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => ({ d: k >> 2, v: (k >> 1) & 1, u: k & 1 }));

/** Adds rows to the gradients of texels.
 *
 * @param blocks whether points lie in blocks of 8 x 8 rays: runs go along the side that suits the plane
 */
export function scatterDispatch(
  planning: Planning,
  field: Field,
  source: Source,
  weighed: Part,
  blocks: boolean,
  at: { readonly rows: Operand; readonly gradients: Operand },
): Dispatch {
  const { layers, side } = field;
  const threads = Math.min(THREADS, planning.abilities.limits.maxComputeInvocationsPerWorkgroup);
  const runs = 3 * Math.ceil(source.count / RUN);
  const code = /* wgsl */ `
const COUNT = ${source.count}u;
${taps(field)}
${source.code}
${weighed.code}
${ADD_ATOMICALLY}
struct Cell { u: vec2<f32>, v: vec2<f32>, d: vec2<f32> }
fn flush(plane: u32, entry: u32, cell: Cell, channel: u32, values: array<f32, 8>) {
  let base = entry * ${3 * layers * side ** 2}u;
  ${CORNERS.map(
    ({ d, v, u }, k) => /* wgsl */ `
  let at${k} = (base + texelAt(plane, cell.d[${d}], cell.v[${v}], cell.u[${u}])) * ${CHANNELS}u + channel;
  let known${k} = atomicLoad(&sums[at${k}]);`,
  ).join('')}
  // All are tried before one is waited for.
  ${CORNERS.map((_, k) => `let tried${k} = atomicCompareExchangeWeak(&sums[at${k}], known${k}, bitcast<u32>(bitcast<f32>(known${k}) + values[${k}]));`).join('\n  ')}
  ${CORNERS.map((_, k) => `if (!tried${k}.exchanged) { addTo(at${k}, tried${k}.old_value, values[${k}]); }`).join('\n  ')}
}
${entry(
  threads,
  /* wgsl */ `
  let run = (group.x + group.y * groups.x) * ${threads / CHANNELS}u + local / ${CHANNELS}u;
  let channel = local % ${CHANNELS}u;
  if (run >= ${runs}u) { return; }
  let plane = run % 3u;
  let line = run / 3u;
  var cell: Cell;
  var values: array<f32, 8>;
  var filled = false;
  var entry = 0u;
  for (var k = 0u; k < ${RUN}u; k++) {
    ${
      blocks
        ? 'let i = (line / 8u) * 64u + select(line % 8u * 8u + k, k * 8u + line % 8u, plane == 1u);'
        : `let i = line * ${RUN}u + k;`
    }
    if (i >= COUNT) { break; }
    if (all(weighedAt(i) == vec2<f32>(0.0))) { continue; }
    let g = rows[i * ${CHANNELS}u + channel];
    let axes = planeAxes(pointAt(i).xyz * SCALE, plane);
    let u = tapsOf(axes.x, SIDE);
    let v = tapsOf(axes.y, SIDE);
    let d = tapsOf(axes.z, LAYERS);
    let same = all(cell.u == u.xy) && all(cell.v == v.xy) && all(cell.d == d.xy) && entry == entryOf(i);
    if (filled && !same) {
      flush(plane, entry, cell, channel, values);
      values = array<f32, 8>();
    }
    filled = true;
    entry = entryOf(i);
    cell = Cell(u.xy, v.xy, d.xy);
    ${CORNERS.map((corner, k) => `values[${k}] += d[${corner.d + 2}] * v[${corner.v + 2}] * u[${corner.u + 2}] * g;`).join('\n    ')}
  }
  if (filled) { flush(plane, entry, cell, channel, values); }`,
)}`;
  return {
    label: 'renderer: back to the planes',
    code,
    bound: [
      ...source.bound,
      ...weighed.bound,
      { name: 'rows', at: at.rows, type: 'f32' },
      { name: 'sums', at: at.gradients, type: 'atomic<u32>', write: true },
    ],
    groups: groupsFor(planning, runs, threads / CHANNELS),
  };
}

/** Points of a workgroup of `pointsDispatch`. */
const POINTS = 32;

/** Where gradients of points go: WGSL over `gradient`, that of point `i`; each of eight threads runs it, as number
 * `part`. */
export interface PointSink extends Part {
  readonly write: string;
}

/** Gradients of the points from those of their features; eight threads a point. */
export function pointsDispatch(
  planning: Planning,
  field: Field,
  source: Source,
  sink: PointSink,
  at: { readonly texels: Operand; readonly rows: Operand },
): Dispatch {
  const { layers, side, scale } = field;
  const code = /* wgsl */ `
const COUNT = ${source.count}u;
${taps(field)}
${source.code}
${sink.code}
var<workgroup> parts: array<vec3<f32>, ${POINTS * 8}>;
// Slopes of the weights of both neighbours along an axis of this many texels.
fn slopesOf(tap: vec4<f32>, g: f32, size: f32) -> vec2<f32> {
  let low = floor(((g + 1.0) * size - 1.0) * 0.5);
  let near = vec2<f32>(low, low + 1.0);
  let inside = (near >= vec2<f32>(0.0)) & (near <= vec2<f32>(size - 1.0));
  let rise = 0.5 * size * ${scale};
  return select(vec2<f32>(0.0), vec2<f32>(-rise, rise), inside);
}
fn gradientOf(i: u32, c: u32) -> vec3<f32> {
  let row = rows[i * 8u + c];
  let base = entryOf(i) * ${3 * layers * side ** 2}u;
  let point = pointAt(i).xyz * SCALE;
  var sum = vec3<f32>(0.0);
  for (var plane = 0u; plane < 3u; plane++) {
    let axes = planeAxes(point, plane);
    let u = tapsOf(axes.x, SIDE);
    let v = tapsOf(axes.y, SIDE);
    let d = tapsOf(axes.z, LAYERS);
    let su = slopesOf(u, axes.x, SIDE);
    let sv = slopesOf(v, axes.y, SIDE);
    let sd = slopesOf(d, axes.z, LAYERS);
    var along = vec3<f32>(0.0);
    ${CORNERS.map(
      (corner) => /* wgsl */ `{
      let texel = texelAt(plane, d[${corner.d}], v[${corner.v}], u[${corner.u}]);
      let t = dot(row, vec4<f32>(texels[(base + texel) * 8u + c]));
      along += t * vec3<f32>(
        d[${corner.d + 2}] * v[${corner.v + 2}] * su[${corner.u}],
        d[${corner.d + 2}] * sv[${corner.v}] * u[${corner.u + 2}],
        sd[${corner.d}] * v[${corner.v + 2}] * u[${corner.u + 2}],
      );
    }`,
    ).join('\n    ')}
    // Columns, rows and layers of the plane are these coordinates.
    sum += select(select(along.zxy, along.xzy, plane == 1u), along, plane == 0u);
  }
  return sum;
}
${entry(
  POINTS * 8,
  /* wgsl */ `
  let i = (group.x + group.y * groups.x) * ${POINTS}u + local / 8u;
  let part = local % 8u;
  parts[local] = gradientOf(min(i, COUNT - 1u), part);
  workgroupBarrier();
  var gradient = vec3<f32>(0.0);
  for (var k = 0u; k < 8u; k++) {
    gradient += parts[(local / 8u) * 8u + k];
  }
  if (i < COUNT) {
    ${sink.write}
  }`,
)}`;
  return {
    label: 'renderer: back to the points',
    code,
    bound: [
      ...source.bound,
      { name: 'texels', at: at.texels, type: field.texel },
      { name: 'rows', at: at.rows, type: 'vec4<f32>' },
      ...sink.bound,
    ],
    groups: groupsFor(planning, source.count, POINTS),
  };
}

/** Copies of the sums for motions: workgroups side by side add to different ones. */
export const copiesFor = (planning: Planning): number => (planning.abilities.software ? 2 : 16);

/** Adds to the gradients of motions: of each point's face, the products with where it was, `poses`. */
export function motionSink(
  planning: Planning,
  batch: number,
  faces: number,
  at: { readonly posed: Operand; readonly motions: Operand },
): PointSink {
  const row = batch * faces * 12;
  return {
    bound: [
      { name: 'poses', at: at.posed, type: 'vec4<u32>' },
      { name: 'sums', at: at.motions, type: 'atomic<u32>', write: true },
    ],
    code: ADD_ATOMICALLY,
    write: /* wgsl */ `
    let pose = poses[i];
    if (pose.w != 0xffffffffu && any(gradient != vec3<f32>(0.0))) {
      let p = bitcast<vec3<f32>>(pose.xyz);
      let start = ((group.x + group.y * groups.x) % ${copiesFor(planning)}u) * ${row}u
        + (entryOf(i) * ${faces}u + pose.w) * 12u;
      for (var k = part; k < 12u; k += 8u) {
        var value = 0.0;
        if (k < 9u) { value = gradient[k / 3u] * p[k % 3u]; } else { value = gradient[k - 9u]; }
        addTo(start + k, atomicLoad(&sums[start + k]), value);
      }
    }`,
  };
}

/** Sums the copies to the node's gradient of motions. */
export function motionsDispatch(planning: Planning, count: number, motions: Bound, from: Operand): Dispatch {
  const code = /* wgsl */ `
${entry(
  64,
  /* wgsl */ `
  let i = (group.x + group.y * groups.x) * THREADS + local;
  if (i < ${count}u) {
    var sum = 0.0;
    for (var k = 0u; k < ${copiesFor(planning)}u; k++) {
      sum += copies[k * ${count}u + i];
    }
    motions[i] = ${motions.type === 'f16' ? 'f16(clamp(sum, -65504.0, 65504.0))' : 'sum'};
  }`,
)}`;
  return {
    label: 'renderer: gradients of motions',
    code,
    bound: [
      { name: 'copies', at: from, type: 'f32' },
      { ...motions, name: 'motions' },
    ],
    groups: groupsFor(planning, count, 64),
  };
}
