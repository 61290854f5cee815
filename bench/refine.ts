/** Makes a mesh finer by halving its longest edges: a body of any number of faces for benchmarks. */

/** Splits edges, longest first, until there are `wanted` faces. New vertices continue the numbering.
 *
 * @returns faces, and the two ends whose middle each new vertex is.
 */
export function refine(
  vertices: Float32Array,
  faces: Int32Array,
  wanted: number,
): { faces: Int32Array; ends: [number, number][] } {
  const places = Array.from(vertices);
  const ends: [number, number][] = [];
  let list = Array.from({ length: faces.length / 3 }, (_, f) => Array.from(faces.subarray(3 * f, 3 * f + 3)));
  while (list.length < wanted) {
    const sides = new Map<string, { a: number; b: number; faces: number[] }>();
    list.forEach((face, f) => {
      for (let k = 0; k < 3; k++) {
        const [a, b] = [Math.min(face[k], face[(k + 1) % 3]), Math.max(face[k], face[(k + 1) % 3])];
        const side = sides.get(`${a},${b}`) ?? { a, b, faces: [] };
        side.faces.push(f);
        sides.set(`${a},${b}`, side);
      }
    });
    const length = ({ a, b }: { a: number; b: number }): number =>
      Math.hypot(...[0, 1, 2].map((k) => places[3 * a + k] - places[3 * b + k]));
    const order = [...sides.values()].sort((p, q) => length(q) - length(p));
    const touched = new Set<number>();
    const added: number[][] = [];
    // A quarter of the edges a round: what is short now stays whole while longer ones wait.
    for (const { a, b, faces: around } of order.slice(0, order.length >> 2)) {
      if (list.length + added.length >= wanted || around.some((f) => touched.has(f))) continue;
      const middle = places.length / 3;
      places.push(...[0, 1, 2].map((k) => (places[3 * a + k] + places[3 * b + k]) / 2));
      ends.push([a, b]);
      for (const f of around) {
        touched.add(f);
        added.push(list[f].map((v) => (v === a ? middle : v)));
        list[f] = list[f].map((v) => (v === b ? middle : v));
      }
    }
    list = [...list, ...added];
  }
  return { faces: Int32Array.from(list.flat()), ends };
}

/** Vertices with the middles appended. */
export function withMiddles(vertices: Float32Array, ends: readonly [number, number][]): Float32Array {
  const places = Array.from(vertices);
  for (const [a, b] of ends)
    places.push(...[0, 1, 2].map((k) => (places[3 * a + k] + places[3 * b + k]) / 2));
  return Float32Array.from(places);
}
