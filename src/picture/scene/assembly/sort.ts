/** Radix sort of triangles by depth, nearest first; equal ones keep their order. */

const DIGITS: usize = memory.data(8192, 16);

/** Sorts pairs of a positive f32 and a number; returns where they are now: in one of the two places. */
export function sortByDepth(pairs: usize, room: usize, count: i32): usize {
  if (count < 2) return pairs;
  const end = pairs + (<usize>count << 3);
  let least = Infinity as f32;
  let most: f32 = 0;
  for (let at = pairs; at < end; at += 8) {
    const depth = load<f32>(at);
    least = min<f32>(least, depth);
    most = max<f32>(most, depth);
  }
  // 22 bits over the depths there are: two digits of 11.
  const scale: f32 = most > least ? <f32>((1 << 22) - 1) / (most - least) : 0;
  for (let at = pairs; at < end; at += 8) store<u32>(at, <u32>((load<f32>(at) - least) * scale));
  pass(pairs, room, count, 0);
  pass(room, pairs, count, 11);
  return pairs;
}

function pass(from: usize, to: usize, count: i32, shift: u32): void {
  memory.fill(DIGITS, 0, 8192);
  const end = from + (<usize>count << 3);
  for (let at = from; at < end; at += 8) {
    const digit = DIGITS + (<usize>((load<u32>(at) >> shift) & 2047) << 2);
    store<u32>(digit, load<u32>(digit) + 1);
  }
  let start: u32 = 0;
  for (let digit = DIGITS; digit < DIGITS + 8192; digit += 4) {
    const size = load<u32>(digit);
    store<u32>(digit, start);
    start += size;
  }
  for (let at = from; at < end; at += 8) {
    const digit = DIGITS + (<usize>((load<u32>(at) >> shift) & 2047) << 2);
    const place = load<u32>(digit);
    store<u32>(digit, place + 1);
    store<u64>(to + (<usize>place << 3), load<u64>(at));
  }
}
