/** Arithmetic on four lanes: transposes, powers, and sRGB, by polynomials fitted for the least largest error. */

/** x . y of 3-vectors of lanes. */
// @ts-ignore: decorator
@inline
export function dot(ax: v128, ay: v128, az: v128, bx: v128, by: v128, bz: v128): v128 {
  return f32x4.add(f32x4.add(f32x4.mul(ax, bx), f32x4.mul(ay, by)), f32x4.mul(az, bz));
}

/** a b + c */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Holds x between 0 and 1; NaN goes through. */
// @ts-ignore: decorator
@inline
export function unit(x: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(0)), f32x4.splat(1));
}

/** 1 / sqrt(x), 0 of the smallest numbers held away. */
// @ts-ignore: decorator
@inline
export function inverseRoot(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.pmax(x, f32x4.splat(1e-24))));
}

/** Rows a, b, c, d to where columns 0 to 3 are stored, 16 bytes each. */
// @ts-ignore: decorator
@inline
export function storeTransposed(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const ab2 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 16);
  v128.store(to, v128.shuffle<f32>(ab2, cd2, 0, 1, 4, 5), 32);
  v128.store(to, v128.shuffle<f32>(ab2, cd2, 2, 3, 6, 7), 48);
}

/** x^power for x in (0, 1]; log2 to 1.4e-5, 2^f to 7.6e-5 relative. */
// @ts-ignore: decorator
@inline
export function power(x: v128, exponent: v128): v128 {
  const bits = f32x4.pmax(x, f32x4.splat(1e-12));
  const e = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_s(bits, 23), i32x4.splat(127)));
  const m = v128.or(v128.and(bits, i32x4.splat(0x007fffff)), i32x4.splat(0x3f800000));
  let p = madd(m, f32x4.splat(0.046383636910257556), f32x4.splat(-0.38180044186394024));
  p = madd(p, m, f32x4.splat(1.284692526116086));
  p = madd(p, m, f32x4.splat(-2.3191803073265516));
  p = madd(p, m, f32x4.splat(2.8118701345026715));
  const log = madd(p, f32x4.sub(m, f32x4.splat(1)), e);
  const t = f32x4.pmin(f32x4.pmax(f32x4.mul(log, exponent), f32x4.splat(-126)), f32x4.splat(126));
  const n = f32x4.nearest(t);
  const f = f32x4.sub(t, n);
  let q = madd(f, f32x4.splat(0.05600588703524217), f32x4.splat(0.24264046205057746));
  q = madd(q, f, f32x4.splat(0.6931053093132814));
  q = madd(q, f, f32x4.splat(0.9999244656281938));
  return i32x4.add(q, i32x4.shl(i32x4.trunc_sat_f32x4_s(n), 23));
}

/** sRGB from 0 to 1 to linear light; off by at most a twentieth of a byte's step. */
// @ts-ignore: decorator
@inline
export function toLinear(x: v128): v128 {
  let p = madd(x, f32x4.splat(-0.11679127318169367), f32x4.splat(0.5265151221138811));
  p = madd(p, x, f32x4.splat(0.5603680244464134));
  p = madd(p, x, f32x4.splat(0.028405162753472935));
  p = madd(p, x, f32x4.splat(0.0010462120380102028));
  return v128.bitselect(
    f32x4.mul(x, f32x4.splat(0.07739938080495357)), p, f32x4.le(x, f32x4.splat(0.04045)),
  );
}

/** Linear light from 0 to 1 to sRGB; off by at most a tenth of a byte's step. */
// @ts-ignore: decorator
@inline
export function toSrgb(x: v128): v128 {
  const root = f32x4.sqrt(x);
  let p = madd(x, f32x4.splat(-0.055314137578968296), f32x4.splat(-0.07690392336812682));
  p = madd(root, f32x4.splat(0.8337484602303553), p);
  p = madd(f32x4.sqrt(root), f32x4.splat(0.2981107659854585), p);
  return v128.bitselect(f32x4.mul(x, f32x4.splat(12.92)), p, f32x4.le(x, f32x4.splat(0.0031308)));
}
