/**
 * Edge functions of a triangle on the picture.
 *
 * An edge is taken from the same end whichever triangle asks, and its function is the same sum at every sample, so
 * two triangles that share it get opposite numbers to the last bit: no sample is left out and none is drawn twice.
 */

/** Three edges of 16 bytes: a, b, c of a x + (b y + c), and the least value that is inside. */
export const EDGES: usize = memory.data(48, 16);
/** The samples that may be inside: left, right, top, bottom (i32), both ends included. */
export const BOX: usize = memory.data(16, 16);

/** Above 0, by less than anything an edge can differ by. */
const BARELY: f32 = 1e-37;

// @ts-ignore: decorator
@inline
function edge(to: usize, px: f32, py: f32, qx: f32, qy: f32, turn: f32): void {
  const forward = px < qx || (px == qx && py < qy);
  const fx = forward ? px : qx;
  const fy = forward ? py : qy;
  const a = forward ? py - qy : qy - py;
  const b = forward ? qx - px : px - qx;
  const c = <f32>(-(<f64>a * <f64>fx + <f64>b * <f64>fy));
  const sign: f32 = forward ? turn : -turn;
  store<f32>(to, a * sign);
  store<f32>(to, b * sign, 4);
  store<f32>(to, c * sign, 8);
  store<f32>(to, sign > 0 ? 0 : BARELY, 12);
}

/** Writes EDGES, positive inside; `turn` is the sign of the area. */
// @ts-ignore: decorator
@inline
export function placeEdges(ax: f32, ay: f32, bx: f32, by: f32, cx: f32, cy: f32, turn: f32): void {
  edge(EDGES, bx, by, cx, cy, turn);
  edge(EDGES + 16, cx, cy, ax, ay, turn);
  edge(EDGES + 32, ax, ay, bx, by, turn);
}

/** Writes BOX; false when no sample centre lies in it. */
// @ts-ignore: decorator
@inline
export function placeBox(
  ax: f32, ay: f32, bx: f32, by: f32, cx: f32, cy: f32, width: f32, height: f32,
): bool {
  const x0 = ax < bx ? ax : bx;
  const x1 = ax < bx ? bx : ax;
  const y0 = ay < by ? ay : by;
  const y1 = ay < by ? by : ay;
  const left = ceil<f32>((x0 < cx ? x0 : cx) - 0.5);
  const right = floor<f32>((x1 > cx ? x1 : cx) - 0.5);
  const top = ceil<f32>((y0 < cy ? y0 : cy) - 0.5);
  const bottom = floor<f32>((y1 > cy ? y1 : cy) - 0.5);
  if (!(left <= right && top <= bottom && right >= 0 && bottom >= 0 && left < width && top < height)) return false;
  store<i32>(BOX, left > 0 ? <i32>left : 0);
  store<i32>(BOX, right < width - 1 ? <i32>right : <i32>(width - 1), 4);
  store<i32>(BOX, top > 0 ? <i32>top : 0, 8);
  store<i32>(BOX, bottom < height - 1 ? <i32>bottom : <i32>(height - 1), 12);
  return true;
}
