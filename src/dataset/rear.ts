/**
 * Repetition of rear views, as the original intends it: in its own programs the number is reset and nothing is
 * ever repeated (spec page 6.1).
 */

const DEGREES = 180 / Math.PI;

/** Beyond this the yaw is too near a right angle to divide by its cosine. */
const GIMBAL = 0.998;

/** Yaw, pitch and roll of a view in degrees, from the rotation of a camera label; yaw 0 is the front.
 *
 * Euler angles by the original's rule; near a yaw of 90 degrees pitch and roll turn into each other.
 */
export function eulerAngles(label: ArrayLike<number>): readonly [number, number, number] {
  // M = inverse(cam2world diag(1, -1, -1, 1)): the transpose, with the rows of y and z negated.
  const m = (row: number, column: number): number => (row === 0 ? 1 : -1) * label[column * 4 + row];
  const sine = m(2, 0);
  let [x, y, z] = [0, 0, 0];
  if (Math.abs(sine) <= GIMBAL) {
    x = Math.asin(sine);
    [y, z] = anglesAt(m, Math.cos(x));
    if (Math.abs(y) > Math.PI / 2) {
      x = x > 0 ? Math.PI - x : -Math.PI - x;
      [y, z] = anglesAt(m, Math.cos(x));
    }
  } else {
    x = (Math.sign(sine) * Math.PI) / 2;
    y = Math.atan2(-Math.sign(sine) * m(0, 1), -Math.sign(sine) * m(0, 2));
  }
  return [x * DEGREES, y * DEGREES, z * DEGREES];
}

function anglesAt(m: (row: number, column: number) => number, cosine: number): [number, number] {
  return [Math.atan2(m(2, 1) / cosine, m(2, 2) / cosine), Math.atan2(m(1, 0) / cosine, m(0, 0) / cosine)];
}

/** Whether a camera sees the person from behind: yaw of 90 degrees or more, and not upside down. */
export function isRearView(label: ArrayLike<number>): boolean {
  const [yaw, pitch] = eulerAngles(label);
  return Math.abs(yaw) >= 90 && Math.abs(pitch) <= 90;
}

/** An order of pictures with rear views repeated. */
export interface RearOrder {
  /** Indices of pictures: fronts first, then all rear views, once more for each repetition. */
  readonly order: Int32Array;
  /** How often each rear view occurs. */
  readonly repeats: number;
}

/** The original's intended rule: `k = max(floor(fronts / 2 / rears), repeat)`.
 *
 * With a repeat of 1 every picture occurs once, in its place, whatever the fronts and rears are.
 */
export function rearOrder(isRear: readonly boolean[], repeat: number): RearOrder {
  const all = [...isRear.keys()];
  const rears = all.filter((i) => isRear[i]);
  if (repeat === 1 || rears.length === 0) return { order: Int32Array.from(all), repeats: 1 };
  const fronts = all.filter((i) => !isRear[i]);
  const repeats = Math.max(Math.floor(fronts.length / 2 / rears.length), repeat);
  const order = new Int32Array(fronts.length + repeats * rears.length);
  order.set(fronts);
  for (let k = 0; k < repeats; k++) order.set(rears, fronts.length + k * rears.length);
  return { order, repeats };
}
