/** Sums by index and running sums, in the order of the elements: `scatterAdd` and `cumsum` of the primitives. */

/**
 * updates [outer, count, inner] added to zeros [outer, extent, inner] at indices [count].
 * Traps on an index outside of [0, extent).
 */
export function scatterAdd(
  updates: usize, indices: usize, out: usize, outer: i32, count: i32, extent: i32, inner: i32,
): void {
  const row = <usize>inner << 2;
  memory.fill(out, 0, <usize>outer * <usize>extent * row);
  let from = updates;
  for (let o = 0; o < outer; o++) {
    const image = out + <usize>o * <usize>extent * row;
    for (let k = 0; k < count; k++) {
      const index = load<i32>(indices + (<usize>k << 2));
      if (<u32>index >= <u32>extent) unreachable();
      const to = image + <usize>index * row;
      let i: usize = 0;
      for (; i + 16 <= row; i += 16) v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)));
      for (; i < row; i += 4) store<f32>(to + i, load<f32>(to + i) + load<f32>(from + i));
      from += row;
    }
  }
}

/** x [outer, extent, inner] to running sums along the middle axis; out is not x. */
export function cumsum(
  x: usize, out: usize, outer: i32, extent: i32, inner: i32, exclusive: i32, reverse: i32,
): void {
  const row = <usize>inner << 2;
  const image = row * <usize>extent;
  for (let o = 0; o < outer; o++) {
    const start = <usize>o * image + (reverse ? image - row : 0);
    const step = reverse ? -row : row;
    let i: usize = 0;
    for (; i + 16 <= row; i += 16) {
      let total = f32x4.splat(0);
      for (let k = 0, at = start + i; k < extent; k++, at += step) {
        const next = f32x4.add(total, v128.load(x + at));
        v128.store(out + at, exclusive ? total : next);
        total = next;
      }
    }
    for (; i < row; i += 4) {
      let total: f32 = 0;
      for (let k = 0, at = start + i; k < extent; k++, at += step) {
        const next = total + load<f32>(x + at);
        store<f32>(out + at, exclusive ? total : next);
        total = next;
      }
    }
  }
}
