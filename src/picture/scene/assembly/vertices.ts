/** Places the vertices of a part on the picture, and gives those of hair their tangents. */

import {
  FRAME_PROJECTION, NEAR, PART_COLOURS, PART_INDICES, PART_NORMALS, PART_OCCLUSION, PART_POSITIONS,
  PART_TRIANGLE_COUNT, PART_UVS, PART_VERTEX_COUNT, PART_VERTICES, VERTEX_BYTES,
} from '../layout';

/** How many of a part's vertices lie behind the near plane; -1 when a number is not finite. */
export function placeVertices(frame: usize, part: usize): i32 {
  const count = load<i32>(part, PART_VERTEX_COUNT);
  let position = <usize>load<u32>(part, PART_POSITIONS);
  let normal = <usize>load<u32>(part, PART_NORMALS);
  let uv = <usize>load<u32>(part, PART_UVS);
  let occlusion = <usize>load<u32>(part, PART_OCCLUSION);
  let colour = <usize>load<u32>(part, PART_COLOURS);
  let to = <usize>load<u32>(part, PART_VERTICES);
  const c0 = v128.load(frame, FRAME_PROJECTION);
  const c1 = v128.load(frame, FRAME_PROJECTION + 16);
  const c2 = v128.load(frame, FRAME_PROJECTION + 32);
  const c3 = v128.load(frame, FRAME_PROJECTION + 48);
  let doubt = f32x4.splat(0);
  let behind = 0;
  for (let i = 0; i < count; i++) {
    const x = v128.load32_splat(position);
    const y = v128.load32_splat(position, 4);
    const z = v128.load32_splat(position, 8);
    const p = f32x4.add(
      f32x4.add(f32x4.mul(c0, x), f32x4.mul(c1, y)), f32x4.add(f32x4.mul(c2, z), c3),
    );
    const depth = f32x4.extract_lane(p, 2);
    if (!(depth >= <f32>NEAR)) behind++;
    const inverse: f32 = 1 / depth;
    const n = v128.load64_zero(normal);
    const t = v128.load64_zero(uv);
    v128.store64_lane(to, f32x4.mul(p, f32x4.splat(inverse)), 0);
    store<f32>(to, inverse, 8);
    store<f32>(to, depth, 12);
    v128.store64_lane(to, n, 0, 16);
    store<f32>(to, load<f32>(normal, 8), 24);
    store<f32>(to, occlusion ? load<f32>(occlusion) : 1, 28);
    v128.store64_lane(to, t, 0, 32);
    v128.store64_lane(to, p, 0, 40);
    if (colour) {
      v128.store(to, v128.load(colour), 48);
      doubt = f32x4.add(doubt, f32x4.mul(v128.load(to, 48), f32x4.splat(0)));
      colour += 16;
    }
    // 0 times what is not finite is not 0.
    doubt = f32x4.add(doubt, f32x4.mul(f32x4.add(p, v128.load(to, 16)), f32x4.splat(0)));
    doubt = f32x4.add(doubt, f32x4.mul(t, f32x4.splat(0)));
    position += 12;
    normal += 12;
    uv += 8;
    if (occlusion) occlusion += 4;
    to += VERTEX_BYTES;
  }
  return v128.any_true(f32x4.ne(doubt, f32x4.splat(0))) ? -1 : behind;
}

/** Tangents along which v grows, summed over the triangles round each vertex, each weighted by its area. */
export function placeTangents(part: usize): void {
  const vertices = <usize>load<u32>(part, PART_VERTICES);
  const positions = <usize>load<u32>(part, PART_POSITIONS);
  const uvs = <usize>load<u32>(part, PART_UVS);
  const count = <usize>load<i32>(part, PART_VERTEX_COUNT);
  for (let i: usize = 0; i < count; i++) v128.store(vertices + i * VERTEX_BYTES, f32x4.splat(0), 64);
  let index = <usize>load<u32>(part, PART_INDICES);
  const end = index + 12 * <usize>load<i32>(part, PART_TRIANGLE_COUNT);
  for (; index < end; index += 12) {
    const a = <usize>load<u32>(index);
    const b = <usize>load<u32>(index, 4);
    const c = <usize>load<u32>(index, 8);
    const du1 = load<f32>(uvs + b * 8) - load<f32>(uvs + a * 8);
    const dv1 = load<f32>(uvs + b * 8, 4) - load<f32>(uvs + a * 8, 4);
    const du2 = load<f32>(uvs + c * 8) - load<f32>(uvs + a * 8);
    const dv2 = load<f32>(uvs + c * 8, 4) - load<f32>(uvs + a * 8, 4);
    const side: f32 = du1 * dv2 - du2 * dv1 < 0 ? -1 : 1;
    // dP/dv up to a positive factor.
    const f1 = -du2 * side;
    const f2 = du1 * side;
    let tangent = f32x4.splat(0);
    const pa = positions + a * 12;
    const pb = positions + b * 12;
    const pc = positions + c * 12;
    tangent = f32x4.replace_lane(
      tangent, 0, f1 * (load<f32>(pb) - load<f32>(pa)) + f2 * (load<f32>(pc) - load<f32>(pa)),
    );
    tangent = f32x4.replace_lane(
      tangent, 1, f1 * (load<f32>(pb, 4) - load<f32>(pa, 4)) + f2 * (load<f32>(pc, 4) - load<f32>(pa, 4)),
    );
    tangent = f32x4.replace_lane(
      tangent, 2, f1 * (load<f32>(pb, 8) - load<f32>(pa, 8)) + f2 * (load<f32>(pc, 8) - load<f32>(pa, 8)),
    );
    add(vertices + a * VERTEX_BYTES, tangent);
    add(vertices + b * VERTEX_BYTES, tangent);
    add(vertices + c * VERTEX_BYTES, tangent);
  }
}

// @ts-ignore: decorator
@inline
function add(vertex: usize, tangent: v128): void {
  v128.store(vertex, f32x4.add(v128.load(vertex, 64), tangent), 64);
}
