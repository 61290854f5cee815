/**
 * Sine and cosine in single precision as the vector library of the original evaluates them (SLEEF, bounds of one unit
 * in the last place): where a true value lies almost between two numbers, which one it is depends on the polynomial.
 *
 * For angles of joints, a few turns at most.
 */

const { fround } = Math;

/** Sine between -pi/2 and pi/2: an odd polynomial of degree 9. Doubles stand for the library's pairs of floats. */
function odd(s: number): number {
  const square = s * s;
  const high = fround(square);
  let u = fround(2.6083159809786594e-6);
  u = fround(u * high + fround(-0.00019810690719168633));
  u = fround(u * high + fround(0.00833307858556509));
  const tail = fround(-0.16666659712791443) + fround(u * high);
  return fround(s * (1 + tail * square));
}

export function sine(angle: number): number {
  const turns = Math.round(angle / Math.PI);
  const value = odd(angle - turns * Math.PI);
  return turns % 2 === 0 ? value : -value;
}

export function cosine(angle: number): number {
  const quarters = 2 * Math.round(angle / Math.PI - 0.5) + 1;
  const value = odd(angle - quarters * (Math.PI / 2));
  return ((quarters % 4) + 4) % 4 === 1 ? -value : value;
}
