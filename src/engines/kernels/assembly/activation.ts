/**
 * Bias, piecewise linear activation, gain and clamp in one pass, and its gradient in another, in SIMD.
 *
 * Arrays are float32 [batch, channels, pixels], pixels a multiple of 4. The activation is max(v, slope v) with a slope
 * in [0, 1]: 1 is none at all, 0 the ReLU. A clamp of 0 is none.
 */

/** bias may be 0: none. */
export function biasAct(
  x: usize, bias: usize, y: usize, batch: i32, channels: i32, pixels: i32, slope: f32, gain: f32, clamp: f32,
): void {
  const slopes = f32x4.splat(slope);
  const gains = f32x4.splat(gain);
  const high = f32x4.splat(clamp > 0 ? clamp : Infinity);
  const low = f32x4.neg(high);
  const bytes = <usize>pixels << 2;
  let at: usize = 0;
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      const shift = f32x4.splat(bias == 0 ? 0 : load<f32>(bias + (<usize>c << 2)));
      const end = at + bytes;
      for (; at < end; at += 16) {
        const v = f32x4.add(v128.load(x + at), shift);
        const bent = f32x4.mul(f32x4.pmax(v, f32x4.mul(v, slopes)), gains);
        v128.store(y + at, f32x4.pmax(f32x4.pmin(bent, high), low));
      }
    }
  }
}

/**
 * dx = g times the slope that the result y tells of: gain where it is positive, gain * slope elsewhere, 0 at the
 * bounds. db [channels] are the sums of dx, if a place is given.
 *
 * Sums run over a plane in sixteen lanes and over the batch in double: always in this order.
 */
export function biasActGrad(
  g: usize, y: usize, dx: usize, db: usize, batch: i32, channels: i32, pixels: i32, slope: f32, gain: f32, clamp: f32,
): void {
  const positive = f32x4.splat(gain);
  const negative = f32x4.splat(gain * slope);
  const zero = f32x4.splat(0);
  // Nothing is beyond NaN.
  const high = f32x4.splat(clamp > 0 ? clamp : NaN);
  const bytes = <usize>pixels << 2;
  for (let c = 0; c < channels; c++) {
    let total: f64 = 0;
    for (let n = 0; n < batch; n++) {
      let at = <usize>(n * channels + c) * bytes;
      const end = at + bytes;
      let s0 = zero, s1 = zero, s2 = zero, s3 = zero;
      for (; at + 64 <= end; at += 64) {
        const v0 = bent(g + at, y + at, positive, negative, zero, high);
        const v1 = bent(g + at + 16, y + at + 16, positive, negative, zero, high);
        const v2 = bent(g + at + 32, y + at + 32, positive, negative, zero, high);
        const v3 = bent(g + at + 48, y + at + 48, positive, negative, zero, high);
        v128.store(dx + at, v0);
        v128.store(dx + at, v1, 16);
        v128.store(dx + at, v2, 32);
        v128.store(dx + at, v3, 48);
        s0 = f32x4.add(s0, v0);
        s1 = f32x4.add(s1, v1);
        s2 = f32x4.add(s2, v2);
        s3 = f32x4.add(s3, v3);
      }
      for (; at < end; at += 16) {
        const v = bent(g + at, y + at, positive, negative, zero, high);
        v128.store(dx + at, v);
        s0 = f32x4.add(s0, v);
      }
      const sum = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
      total += <f64>f32x4.extract_lane(sum, 0) + <f64>f32x4.extract_lane(sum, 1) +
        (<f64>f32x4.extract_lane(sum, 2) + <f64>f32x4.extract_lane(sum, 3));
    }
    if (db != 0) store<f32>(db + (<usize>c << 2), <f32>total);
  }
}

// @ts-ignore: decorator
@inline
function bent(g: usize, y: usize, positive: v128, negative: v128, zero: v128, high: v128): v128 {
  const value = v128.load(y);
  const slope = v128.bitselect(positive, negative, f32x4.gt(value, zero));
  return v128.andnot(f32x4.mul(v128.load(g), slope), f32x4.ge(f32x4.abs(value), high));
}

// @ts-ignore: decorator
@inline
function sumOf(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/**
 * Gradient of `layerEpilogue` from its results' cotangents gv and gs (0: none): u = (gv + gs next) times the slope at
 * `value`; dz = u demod, and the sums db [channels] of u, ddemod and dnext [batch, channels] of u z and gs value, dnoise
 * [1 or batch, pixels] of u (0: not wanted). Always in the order of the pixels, channels and samples.
 */
export function layerEpilogueGrad(
  gv: usize, gs: usize, value: usize, z: usize, demod: usize, next: usize,
  dz: usize, db: usize, ddemod: usize, dnext: usize, dnoise: usize,
  batch: i32, channels: i32, pixels: i32, noiseStep: i32, slope: f32, gain: f32, clamp: f32,
): void {
  const positive = f32x4.splat(gain);
  const negative = f32x4.splat(gain * slope);
  const zero = f32x4.splat(0);
  const high = f32x4.splat(clamp > 0 ? clamp : NaN);
  const bytes = <usize>pixels << 2;
  memory.fill(db, 0, <usize>channels << 2);
  if (dnoise != 0) memory.fill(dnoise, 0, noiseStep > 0 ? bytes * <usize>batch : bytes);
  let plane: usize = 0;
  for (let n = 0; n < batch; n++) {
    const noise = dnoise + (<usize>(n * noiseStep) << 2);
    for (let c = 0; c < channels; c++, plane += bytes) {
      const at = <usize>(n * channels + c) << 2;
      const scale = f32x4.splat(load<f32>(demod + at));
      const style = f32x4.splat(gs == 0 ? 0 : load<f32>(next + at));
      let su = zero, suz = zero, snext = zero;
      for (let i: usize = 0; i < bytes; i += 16) {
        const v = v128.load(value + plane + i);
        let g = gv == 0 ? zero : v128.load(gv + plane + i);
        if (gs != 0) {
          const scaled = v128.load(gs + plane + i);
          snext = f32x4.add(snext, f32x4.mul(scaled, v));
          g = f32x4.add(g, f32x4.mul(scaled, style));
        }
        const bends = v128.bitselect(positive, negative, f32x4.gt(v, zero));
        const u = v128.andnot(f32x4.mul(g, bends), f32x4.ge(f32x4.abs(v), high));
        su = f32x4.add(su, u);
        suz = f32x4.add(suz, f32x4.mul(u, v128.load(z + plane + i)));
        if (dnoise != 0) v128.store(noise + i, f32x4.add(v128.load(noise + i), u));
        v128.store(dz + plane + i, f32x4.mul(u, scale));
      }
      store<f32>(db + (<usize>c << 2), load<f32>(db + (<usize>c << 2)) + sumOf(su));
      store<f32>(ddemod + at, sumOf(suz));
      if (dnext != 0) store<f32>(dnext + at, sumOf(snext));
    }
  }
}
