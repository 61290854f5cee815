/** Cuts a mesh off and closes the openings that the cut leaves. */

/** Keeps the triangles whose three corners the test accepts. */
export function cutFaces(faces: Int32Array, keep: (vertex: number) => boolean): Int32Array {
  return faces.filter((_, i) => {
    const f = i - (i % 3);
    return keep(faces[f]) && keep(faces[f + 1]) && keep(faces[f + 2]);
  });
}

/** The closed chains of edges that have a face on one side only, in the order of those faces' corners. */
export function openLoops(faces: Int32Array): number[][] {
  const edges = new Map<string, [number, number]>();
  for (let i = 0; i < faces.length; i++) {
    const [a, b] = [faces[i], faces[i % 3 === 2 ? i - 2 : i + 1]];
    if (!edges.delete(`${b},${a}`)) edges.set(`${a},${b}`, [a, b]);
  }
  const next = new Map<number, number>();
  for (const [a, b] of edges.values()) next.set(a, b);
  const loops: number[][] = [];
  while (next.size > 0) {
    const loop: number[] = [];
    let at = next.keys().next().value as number;
    for (let to = next.get(at); to !== undefined; to = next.get(at)) {
      loop.push(at);
      next.delete(at);
      at = to;
    }
    loops.push(loop);
  }
  return loops;
}

/** Triangles from a loop to one new vertex, facing as the mesh does. */
export function fan(loop: readonly number[], middle: number): number[] {
  return loop.flatMap((a, i) => [loop[(i + 1) % loop.length], a, middle]);
}
