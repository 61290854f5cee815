/**
 * A bounding-volume hierarchy of triangles, four boxes a node and four triangles a leaf: what SIMD wants.
 *
 * Nodes are split at the median of centres along the longest side, twice, in multiples of four, so leaves are
 * full and the number of nodes depends on the number of faces alone: blocks of one mesh have one size.
 */

/** A node's child: a node, a leaf, or nothing. */
export const NO_CHILD = 0x7fffffff;

export interface Tree {
  /** [nodes, 4] a node number, `~leaf` for a leaf, or {@link NO_CHILD}. Node 0 is the root. */
  readonly children: Int32Array;
  /** [nodes, 4, 6] boxes of the children: lower x y z, upper x y z. */
  readonly boxes: Float32Array;
  /** [leaves, 4] face numbers; the last face of a short leaf is repeated. */
  readonly leaves: Int32Array;
}

/** Builds the hierarchy of triangles `faces` [F, 3] over `vertices` [V, 3]. */
export function buildTree(vertices: Float32Array, faces: Int32Array): Tree {
  const count = faces.length / 3;
  const centres = new Float32Array(3 * count);
  const bounds = new Float32Array(6 * count);
  for (let f = 0; f < count; f++) {
    for (let k = 0; k < 3; k++) {
      const a = vertices[3 * faces[3 * f] + k];
      const b = vertices[3 * faces[3 * f + 1] + k];
      const c = vertices[3 * faces[3 * f + 2] + k];
      bounds[6 * f + k] = Math.min(a, b, c);
      bounds[6 * f + 3 + k] = Math.max(a, b, c);
      centres[3 * f + k] = a + b + c;
    }
  }
  const order = Int32Array.from({ length: count }, (_, f) => f);
  const children: number[] = [];
  const boxes: number[] = [];
  const leaves: number[] = [];

  const addLeaf = (from: number, to: number): number => {
    for (let i = 0; i < 4; i++) leaves.push(order[Math.min(from + i, to - 1)]);
    return ~(leaves.length / 4 - 1);
  };
  const addNode = (from: number, to: number): number => {
    const node = children.length / 4;
    children.push(NO_CHILD, NO_CHILD, NO_CHILD, NO_CHILD);
    for (let k = 0; k < 24; k++) boxes.push(k % 6 < 3 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);
    quarters(from, to).forEach(([start, end], i) => {
      boundsOf(bounds, order, start, end).forEach((value, k) => {
        boxes[24 * node + 6 * i + k] = value;
      });
      children[4 * node + i] = end - start <= 4 ? addLeaf(start, end) : addNode(start, end);
    });
    return node;
  };
  const quarters = (from: number, to: number): [number, number][] =>
    halves(from, to).flatMap(([start, end]) => halves(start, end));
  const halves = (from: number, to: number): [number, number][] => {
    if (to - from <= 4) return [[from, to]];
    const middle = from + 4 * Math.ceil((to - from) / 8);
    select(order, centres, longestAxis(centres, order, from, to), from, to, middle);
    return [
      [from, middle],
      [middle, to],
    ];
  };
  if (count > 0) addNode(0, count);
  return {
    children: Int32Array.from(children),
    boxes: Float32Array.from(boxes),
    leaves: Int32Array.from(leaves),
  };
}

function boundsOf(bounds: Float32Array, order: Int32Array, from: number, to: number): Float32Array {
  const box = Float32Array.from(bounds.subarray(6 * order[from], 6 * order[from] + 6));
  for (let i = from + 1; i < to; i++) {
    const at = 6 * order[i];
    for (let k = 0; k < 3; k++) {
      if (bounds[at + k] < box[k]) box[k] = bounds[at + k];
      if (bounds[at + 3 + k] > box[3 + k]) box[3 + k] = bounds[at + 3 + k];
    }
  }
  return box;
}

function longestAxis(centres: Float32Array, order: Int32Array, from: number, to: number): number {
  let longest = 0;
  let extent = -1;
  for (let k = 0; k < 3; k++) {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let i = from; i < to; i++) {
      const value = centres[3 * order[i] + k];
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (high - low > extent) {
      extent = high - low;
      longest = k;
    }
  }
  return longest;
}

/** Rearranges `order[from, to)` so that what is before `middle` is not above what is after it (Hoare's select). */
function select(
  order: Int32Array,
  keys: Float32Array,
  axis: number,
  from: number,
  to: number,
  middle: number,
): void {
  let low = from;
  let high = to - 1;
  while (low < high) {
    const pivot = keys[3 * order[(low + high) >> 1] + axis];
    let i = low;
    let j = high;
    while (i <= j) {
      while (keys[3 * order[i] + axis] < pivot) i++;
      while (keys[3 * order[j] + axis] > pivot) j--;
      if (i <= j) {
        const held = order[i];
        order[i++] = order[j];
        order[j--] = held;
      }
    }
    if (middle <= j) high = j;
    else if (middle >= i) low = i;
    else return;
  }
}
