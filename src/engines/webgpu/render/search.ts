/**
 * Nearest faces through a mesh block, and points moved with them: `nearestFaces` and `deformPoints`.
 *
 * Definition and layout of the block: `src/body/search.ts` and `mesh-block.ts`. A thread has a point. It goes down to
 * the nearest box first and keeps the others for later; four boxes, or four triangles, are one vector.
 */

import type { Node } from '../../../tensor/index.ts';
import type { Bound, Kernel, KernelCall, Planning } from '../kernel.ts';
import { entry, floats, groupsFor, INFINITY, INVOCATION, stored } from './shader.ts';

const THREADS = 64;
/** Words that a face takes of a block at least: its part of a leaf and of `maps`. */
const FACE_WORDS = 34;

/** Boxes that may wait: three of each level of the tree. */
function stackFor(words: number): number {
  const leaves = Math.max(1, words / FACE_WORDS / 4);
  return 3 * (Math.ceil(Math.log2(leaves) / 2) + 2);
}

/** A mesh block [N, words] as the search reads it. */
export const meshBound = (input: number): Bound => ({ name: 'mesh', at: { input }, type: 'vec4<u32>' });

/** Whether the blocks of all batch entries start where they can be read. */
export const meshFits = (batch: number, words: number): boolean => batch === 1 || words % 4 === 0;

/** WGSL: `nearestFace(entry, point)`, and `movedWith(entry, face, point)` by the block's own motions. */
export const search = (words: number): string => /* wgsl */ `
const NO_FACE = 0xffffffffu;
const NO_CHILD = 0x7fffffff;
const BLOCK_VECTORS = ${Math.ceil(words / 4)}u;
struct Nearest {
  // NO_FACE where none is within the radius.
  face: u32,
  squared: f32,
}
fn limitOf(squared: f32) -> f32 {
  return squared * 1.000001 + 1e-16;
}
fn meshFloats(at: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(mesh[at]);
}
fn dotted(ax: vec4<f32>, ay: vec4<f32>, az: vec4<f32>, bx: vec4<f32>, by: vec4<f32>, bz: vec4<f32>) -> vec4<f32> {
  return ax * bx + ay * by + az * bz;
}
// Squared distances to the lines of edges where the foot is between the ends; else those to the corners, \`corner\`.
fn toEdge(
  ax: vec4<f32>, ay: vec4<f32>, az: vec4<f32>, ex: vec4<f32>, ey: vec4<f32>, ez: vec4<f32>, inverse: vec4<f32>,
  corner: vec4<f32>,
) -> vec4<f32> {
  let u = dotted(ax, ay, az, ex, ey, ez) * inverse;
  let dx = ax - u * ex;
  let dy = ay - u * ey;
  let dz = az - u * ez;
  let between = (u > vec4<f32>(0.0)) & (u < vec4<f32>(1.0));
  return min(corner, select(corner, dotted(dx, dy, dz, dx, dy, dz), between));
}
fn leafDistances(at: u32, p: vec3<f32>) -> vec4<f32> {
  let ax0 = meshFloats(at);
  let ay0 = meshFloats(at + 1u);
  let az0 = meshFloats(at + 2u);
  let bx0 = meshFloats(at + 3u);
  let by0 = meshFloats(at + 4u);
  let bz0 = meshFloats(at + 5u);
  let cx0 = meshFloats(at + 6u);
  let cy0 = meshFloats(at + 7u);
  let cz0 = meshFloats(at + 8u);
  let ax = p.x - ax0;
  let ay = p.y - ay0;
  let az = p.z - az0;
  let bx = p.x - bx0;
  let by = p.y - by0;
  let bz = p.z - bz0;
  let cx = p.x - cx0;
  let cy = p.y - cy0;
  let cz = p.z - cz0;
  var d = min(min(dotted(ax, ay, az, ax, ay, az), dotted(bx, by, bz, bx, by, bz)), dotted(cx, cy, cz, cx, cy, cz));
  d = toEdge(ax, ay, az, bx0 - ax0, by0 - ay0, bz0 - az0, meshFloats(at + 9u), d);
  d = toEdge(bx, by, bz, cx0 - bx0, cy0 - by0, cz0 - bz0, meshFloats(at + 10u), d);
  d = toEdge(ax, ay, az, cx0 - ax0, cy0 - ay0, cz0 - az0, meshFloats(at + 11u), d);
  let h = dotted(ax, ay, az, meshFloats(at + 12u), meshFloats(at + 13u), meshFloats(at + 14u));
  let words = mesh[at + 15u];
  let s = dotted(ax, ay, az, bitcast<vec4<f32>>(words), meshFloats(at + 16u), meshFloats(at + 17u));
  let t = dotted(ax, ay, az, meshFloats(at + 18u), meshFloats(at + 19u), meshFloats(at + 20u));
  // Duals of flat triangles are no numbers: no foot is inside of those.
  let solid = (words & vec4<u32>(${INFINITY})) != vec4<u32>(${INFINITY});
  let inside = solid & (s >= vec4<f32>(0.0)) & (t >= vec4<f32>(0.0)) & (s + t <= vec4<f32>(1.0));
  return select(d, h * h, inside);
}
// Sortable words of the boxes of a node's children: squared distances, the child's place in the last two bits.
fn boxKeys(at: u32, p: vec3<f32>, children: vec4<i32>, limit: f32) -> vec4<u32> {
  let zero = vec4<f32>(0.0);
  let dx = max(max(meshFloats(at) - p.x, p.x - meshFloats(at + 3u)), zero);
  let dy = max(max(meshFloats(at + 1u) - p.y, p.y - meshFloats(at + 4u)), zero);
  let dz = max(max(meshFloats(at + 2u) - p.z, p.z - meshFloats(at + 5u)), zero);
  let d = dotted(dx, dy, dz, dx, dy, dz);
  let near = (d <= vec4<f32>(limit)) & (children != vec4<i32>(NO_CHILD));
  return select(vec4<u32>(0xffffffffu), (bitcast<vec4<u32>>(d) & vec4<u32>(0xfffffffcu)) | vec4<u32>(0u, 1u, 2u, 3u), near);
}
// From near to far.
fn sortedKeys(k: vec4<u32>) -> vec4<u32> {
  let a = vec4<u32>(min(k.xz, k.yw), max(k.xz, k.yw));
  let b = vec2<u32>(min(a.x, a.y), max(a.z, a.w));
  let c = vec2<u32>(max(a.x, a.y), min(a.z, a.w));
  return vec4<u32>(b.x, min(c.x, c.y), max(c.x, c.y), b.y);
}
fn nearestFace(entry: u32, p: vec3<f32>) -> Nearest {
  let base = entry * BLOCK_VECTORS;
  let header = mesh[base + 1u];
  let nodes = base + header.y / 4u;
  let leaves = base + header.z / 4u;
  let word = mesh[base + 2u].x;
  let radius = select(bitcast<f32>(word), 1e19, word >= ${INFINITY});
  var best = radius * radius;
  var bestFace = NO_FACE;
  // The lowest number of those as near as the best.
  var lowest = NO_FACE;
  var lowestSquared = 3e38;
  var stack: array<vec2<u32>, ${stackFor(words)}>;
  var top = 0u;
  var child = 0;
  loop {
    while (child >= 0 && child != NO_CHILD) {
      let at = nodes + u32(child) * 7u;
      let children = bitcast<vec4<i32>>(mesh[at + 6u]);
      let keys = sortedKeys(boxKeys(at, p, children, limitOf(best)));
      for (var k = 3u; k > 0u; k--) {
        if (keys[k] != 0xffffffffu && top < ${stackFor(words)}u) {
          stack[top] = vec2<u32>(keys[k], u32(children[keys[k] & 3u]));
          top++;
        }
      }
      if (keys.x != 0xffffffffu) {
        child = children[keys.x & 3u];
      } else {
        child = NO_CHILD;
        while (top > 0u && child == NO_CHILD) {
          top--;
          let next = stack[top];
          if (bitcast<f32>(next.x & 0xfffffffcu) <= limitOf(best)) { child = i32(next.y); }
        }
      }
    }
    if (child == NO_CHILD) { break; }
    let at = leaves + u32(~child) * 22u;
    let d = leafDistances(at, p);
    if (any(d <= vec4<f32>(limitOf(best)))) {
      let faces = mesh[at + 21u];
      for (var k = 0u; k < 4u; k++) {
        if (d[k] < best) {
          let limit = limitOf(d[k]);
          if (!(lowestSquared <= limit && lowest < faces[k])) {
            let before = bestFace < faces[k] && best <= limit;
            lowest = select(faces[k], bestFace, before);
            lowestSquared = select(d[k], best, before);
          }
          best = d[k];
          bestFace = faces[k];
        } else if (d[k] <= limitOf(best) && faces[k] < lowest) {
          lowest = faces[k];
          lowestSquared = d[k];
        }
      }
    }
    child = NO_CHILD;
    while (top > 0u && child == NO_CHILD) {
      top--;
      let next = stack[top];
      if (bitcast<f32>(next.x & 0xfffffffcu) <= limitOf(best)) { child = i32(next.y); }
    }
  }
  return Nearest(select(NO_FACE, lowest, bestFace != NO_FACE && sqrt(best) < radius), best);
}
fn movedWith(entry: u32, face: u32, p: vec3<f32>) -> vec3<f32> {
  let base = entry * BLOCK_VECTORS;
  let at = base + mesh[base + 1u].w / 4u + face * 3u;
  let a = meshFloats(at);
  let b = meshFloats(at + 1u);
  let c = meshFloats(at + 2u);
  return a.xyz * p.x + vec3<f32>(a.w, b.xy) * p.y + vec3<f32>(b.zw, c.x) * p.z + c.yzw;
}`;

/** A call with a thread a point. */
function searchCall(
  node: Node,
  planning: Planning,
  outputs: readonly Bound[],
  write: string,
): KernelCall | undefined {
  const [mesh, points] = node.inputs;
  const [batch, words] = mesh.shape;
  const count = points.shape[1];
  if (!meshFits(batch, words) || count === 0) return undefined;
  const code = /* wgsl */ `
${search(words)}
${entry(
  THREADS,
  /* wgsl */ `${INVOCATION}
  if (i < ${batch * count}u) {
    let entry = i / ${count}u;
    let point = vec3<f32>(f32(points[3u * i]), f32(points[3u * i + 1u]), f32(points[3u * i + 2u]));
    let found = nearestFace(entry, point);
    ${write}
  }`,
)}`;
  return {
    dispatches: [
      {
        label: String(node.attrs.name),
        code,
        bound: [meshBound(0), floats(planning, 'points', points, { input: 1 }), ...outputs],
        groups: groupsFor(planning, batch * count, THREADS),
      },
    ],
  };
}

export const nearestFacesKernel: Kernel = {
  name: 'nearestFaces',
  plan(node, planning) {
    const sqdist = floats(planning, 'sqdist', node.outputs[0], { output: 0 }, { write: true });
    const words = sqdist.type === 'f32';
    const face: Bound = { name: 'face', at: { output: 1 }, type: 'i32', write: true };
    const far = words ? INFINITY : '65504.0';
    const near = words ? 'bitcast<u32>(found.squared)' : 'found.squared';
    return searchCall(
      node,
      planning,
      [words ? { ...sqdist, type: 'u32' } : sqdist, face],
      /* wgsl */ `
    sqdist[i] = ${stored(words ? 'u32' : 'f16', `select(${near}, ${far}, found.face == NO_FACE)`)};
    face[i] = bitcast<i32>(found.face);`,
    );
  },
};

export const deformPointsKernel: Kernel = {
  name: 'deformPoints',
  plan(node, planning) {
    const moved = floats(planning, 'moved', node.outputs[0], { output: 0 }, { write: true });
    return searchCall(
      node,
      planning,
      [moved],
      /* wgsl */ `
    var to = point;
    if (found.face != NO_FACE) { to = movedWith(entry, found.face, point); }
    moved[3u * i] = ${stored(moved.type, 'to.x')};
    moved[3u * i + 1u] = ${stored(moved.type, 'to.y')};
    moved[3u * i + 2u] = ${stored(moved.type, 'to.z')};`,
    );
  },
};
