/**
 * How a surface cuts a cube whose corners are inside or outside: the cases of marching cubes, derived.
 *
 * On each face the surface leaves segments between cut edges. They are directed so that they join into loops,
 * and each loop becomes triangles. A face with inside corners on one diagonal only can be cut in two ways;
 * the caller decides by the four values on the face (asymptotic decider: Nielson and Hamann 1991), so that the
 * two cubes at a face always agree and the surface has no holes. What happens in the interior of an ambiguous
 * cube is not examined further (Lewiner 2003 does): tunnels inside one cube are never made.
 */

/** Corner c lies at x = c & 1, y = c >> 1 & 1, z = c >> 2 & 1. Edges: four along x, four along y, four along z. */
export const EDGES: readonly (readonly [number, number])[] = [0, 1, 2].flatMap((axis) =>
  [0, 1, 2, 3, 4, 5, 6, 7]
    .filter((c) => ((c >> axis) & 1) === 0)
    .map((c): [number, number] => [c, c | (1 << axis)]),
);

/** Corners of each face, counter-clockwise seen from outside the cube. */
export const FACES: readonly (readonly [number, number, number, number])[] = [0, 1, 2].flatMap((axis) => {
  const [u, v] = [1 << ((axis + 1) % 3), 1 << ((axis + 2) % 3)];
  const high = 1 << axis;
  return [
    [0, v, u | v, u],
    [high, high | u, high | u | v, high | v],
  ] as const;
});

/** How one cube is cut. */
export interface CubeCase {
  /** Three a triangle: numbers of edges, or 12 + k for the middle of loop k of `middles`. */
  readonly triangles: Int8Array;
  /** Loops, as edges, that are filled from their middle. */
  readonly middles: readonly (readonly number[])[];
}

const edgeOfCorners = new Map(
  EDGES.flatMap(([a, b], e) => [[a * 8 + b, e] as const, [b * 8 + a, e] as const]),
);

const facesOfEdge: readonly number[][] = EDGES.map(([a, b]) =>
  FACES.flatMap((corners, f) =>
    (corners as readonly number[]).includes(a) && (corners as readonly number[]).includes(b) ? [f] : [],
  ),
);

/** Faces, as bits, on which each pattern of inside corners leaves a choice. */
export const AMBIGUOUS: Uint8Array = Uint8Array.from({ length: 256 }, (_, inside) =>
  FACES.reduce((bits, [a, b, c, d], f) => {
    const is = (corner: number): number => (inside >> corner) & 1;
    return is(a) === is(c) && is(b) === is(d) && is(a) !== is(b) ? bits | (1 << f) : bits;
  }, 0),
);

const cases: (CubeCase | undefined)[] = new Array(256 * 64);

/** The cut of a cube.
 *
 * @param inside one bit a corner.
 * @param joined one bit a face: on an ambiguous face, whether the two inside corners are joined across it.
 */
export function cubeCase(inside: number, joined: number): CubeCase {
  const key = inside * 64 + (joined & AMBIGUOUS[inside]);
  cases[key] ??= deriveCase(inside, joined);
  return cases[key];
}

function deriveCase(inside: number, joined: number): CubeCase {
  const triangles: number[] = [];
  const middles: number[][] = [];
  for (const loop of loopsOf(inside, joined)) {
    const filled = fillLoop(loop);
    if (filled !== undefined) {
      triangles.push(...filled);
      continue;
    }
    const middle = 12 + middles.length;
    middles.push(loop);
    loop.forEach((edge, i) => {
      triangles.push(edge, loop[(i + 1) % loop.length], middle);
    });
  }
  return { triangles: Int8Array.from(triangles), middles };
}

/** Loops of cut edges, counter-clockwise seen from outside the surface. */
function loopsOf(inside: number, joined: number): number[][] {
  const next = new Map<number, number>();
  const is = (corner: number): number => (inside >> corner) & 1;
  FACES.forEach((corners, f) => {
    // Walking round the face, the surface is entered and left at cut edges in turn.
    const cuts: { edge: number; enters: boolean }[] = [];
    corners.forEach((corner, k) => {
      const after = corners[(k + 1) % 4];
      if (is(corner) !== is(after))
        cuts.push({ edge: edgeOfCorners.get(corner * 8 + after)!, enters: is(after) === 1 });
    });
    const across = (joined >> f) & 1;
    cuts.forEach(({ edge, enters }, i) => {
      if (!enters) return;
      // Cut off the inside run that begins here, or the outside run that ends here.
      const partner =
        cuts.length === 4 && across === 1 ? (i + cuts.length - 1) % cuts.length : (i + 1) % cuts.length;
      next.set(edge, cuts[partner].edge);
    });
  });
  const loops: number[][] = [];
  while (next.size > 0) {
    const loop: number[] = [];
    let [edge] = next.keys();
    while (next.has(edge)) {
      loop.push(edge);
      const following = next.get(edge)!;
      next.delete(edge);
      edge = following;
    }
    loops.push(loop);
  }
  return loops;
}

/** Triangles for a loop without a line between two edges of the same face, which the neighbouring cube might
 * draw as well; undefined when there are none. */
function fillLoop(loop: readonly number[]): number[] | undefined {
  const allowed = (i: number, j: number): boolean =>
    j - i === 1 ||
    j - i === loop.length - 1 ||
    !facesOfEdge[loop[i]].some((f) => facesOfEdge[loop[j]].includes(f));
  const fill = (from: number, to: number): number[] | undefined => {
    if (to - from < 2) return [];
    for (let k = from + 1; k < to; k++) {
      if (!allowed(from, k) || !allowed(k, to)) continue;
      const [left, right] = [fill(from, k), fill(k, to)];
      if (left !== undefined && right !== undefined)
        return [loop[from], loop[k], loop[to], ...left, ...right];
    }
    return undefined;
  };
  return fill(0, loop.length - 1);
}
