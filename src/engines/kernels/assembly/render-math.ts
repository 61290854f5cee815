/**
 * Arithmetic of the renderer in SIMD: exponentials and softplus by polynomials.
 *
 * Two grades. `softplus` serves the decoder: right to 3e-7 of 1, may use fused multiply-adds. `expNegative`
 * and `softplusExact` serve the marcher: small results keep their digits, and every rounding is the same in
 * both builds. `min` and `max` are the one-instruction forms: with NaN, the first argument.
 */

/** a b + c; rounded once in the build with relaxed SIMD where the processor can. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** 1.5 * 2^23: adding it rounds to a whole number, which then lies in the low bits. */
const ROUNDING: f32 = 12582912;

/** ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|). 2^f: degree 5, error 1.0e-7; ln(1 + e): degree 8, 1.2e-7. */
// @ts-ignore: decorator
@inline
export function softplus(x: v128): v128 {
  const t = f32x4.pmax(f32x4.mul(f32x4.abs(x), f32x4.splat(-1.44269504)), f32x4.splat(-126));
  const shifted = f32x4.add(t, f32x4.splat(ROUNDING));
  const f = f32x4.sub(t, f32x4.sub(shifted, f32x4.splat(ROUNDING)));
  let p = madd(f, f32x4.splat(0.0013390863364847402), f32x4.splat(0.009676031918325055));
  p = madd(p, f, f32x4.splat(0.05550357114218722));
  p = madd(p, f, f32x4.splat(0.24022107485308308));
  p = madd(p, f, f32x4.splat(0.6931471880262287));
  p = madd(p, f, f32x4.splat(1.0000000754548972));
  const e = i32x4.add(p, i32x4.shl(shifted, 23));
  let q = madd(e, f32x4.splat(-0.008371152550210006), f32x4.splat(0.043493899818566634));
  q = madd(q, e, f32x4.splat(-0.10685002864289668));
  q = madd(q, e, f32x4.splat(0.17687476700874022));
  q = madd(q, e, f32x4.splat(-0.24474774178673792));
  q = madd(q, e, f32x4.splat(0.3327192838343226));
  q = madd(q, e, f32x4.splat(-0.499971745230091));
  q = madd(q, e, f32x4.splat(0.9999997807585048));
  return madd(q, e, f32x4.pmax(x, f32x4.splat(0)));
}

/** 1 - e^-h for h >= 0, right to 1e-7 of 1: the slope of softplus where its value is h. */
// @ts-ignore: decorator
@inline
export function softplusSlope(h: v128): v128 {
  const t = f32x4.pmax(f32x4.mul(h, f32x4.splat(-1.44269504)), f32x4.splat(-126));
  const shifted = f32x4.add(t, f32x4.splat(ROUNDING));
  const f = f32x4.sub(t, f32x4.sub(shifted, f32x4.splat(ROUNDING)));
  let p = madd(f, f32x4.splat(0.0013390863364847402), f32x4.splat(0.009676031918325055));
  p = madd(p, f, f32x4.splat(0.05550357114218722));
  p = madd(p, f, f32x4.splat(0.24022107485308308));
  p = madd(p, f, f32x4.splat(0.6931471880262287));
  p = madd(p, f, f32x4.splat(1.0000000754548972));
  return f32x4.sub(f32x4.splat(1), i32x4.add(p, i32x4.shl(shifted, 23)));
}

/** e^x for x in [-87, 88], held there; relative error below one unit in the last place (Cephes' expf). */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const held = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-87)), f32x4.splat(88));
  const shifted = f32x4.add(f32x4.mul(held, f32x4.splat(1.44269504)), f32x4.splat(ROUNDING));
  const n = f32x4.sub(shifted, f32x4.splat(ROUNDING));
  let r = f32x4.sub(held, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.add(f32x4.mul(r, f32x4.splat(1.9875691500e-4)), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1));
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

/** ln(1 + e^x) whose small results are right to a few units in the last place: ln(1 + u) = 2 artanh(u / (2 + u)). */
// @ts-ignore: decorator
@inline
export function softplusExact(x: v128): v128 {
  const u = exp(f32x4.neg(f32x4.abs(x)));
  const s = f32x4.div(u, f32x4.add(u, f32x4.splat(2)));
  const z = f32x4.mul(s, s);
  let p = f32x4.add(f32x4.mul(z, f32x4.splat(0.23224328429357502)), f32x4.splat(0.21706576025117863));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(0.2859235797220669));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(0.39999706332788665));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(0.6666666732051787));
  const log = f32x4.add(f32x4.mul(f32x4.mul(p, z), s), f32x4.add(s, s));
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), log);
}
