/**
 * One-pass finishers of synthesis layers, in SIMD.
 *
 * The definitions are the fused operations of `src/tensor/composites/synthesis.ts`; tests hold these to them.
 * All arrays are float32, row-major; widths are multiples of 4. Pointers are byte offsets.
 */

/** (y * scale + noise + bias), leaky ReLU, gain, clamp.
 *
 * pmin and pmax are one instruction where min and max are half a dozen; with the value as their first operand
 * NaN goes through. */
// @ts-ignore: decorator
@inline
function finish(y: v128, scale: v128, bias: v128, slope: v128, gain: v128, low: v128, high: v128): v128 {
  const v = f32x4.add(f32x4.mul(y, scale), bias);
  return f32x4.pmax(f32x4.pmin(f32x4.mul(f32x4.pmax(v, f32x4.mul(v, slope)), gain), high), low);
}

const HAS_NOISE: i32 = 1;
const HAS_NEXT: i32 = 2;
const KEEP: i32 = 4;

/** y [n, channels, pixels] to `value` and `scaled` of the same shape; `noise` [1 or n, pixels]. */
export function layerEpilogue(
  y: usize, demod: usize, bias: usize, noise: usize, next: usize, value: usize, scaled: usize,
  batch: i32, channels: i32, pixels: i32, noiseStep: i32, flags: i32, slope: f32, gain: f32, clamp: f32,
): void {
  const slopes = f32x4.splat(slope);
  const gains = f32x4.splat(gain);
  const high = f32x4.splat(clamp > 0 ? clamp : f32.MAX_VALUE * 2);
  const low = f32x4.neg(high);
  const bytes = <usize>pixels << 2;
  for (let n = 0; n < batch; n++) {
    const noiseRow = noise + (<usize>(n * noiseStep) << 2);
    for (let c = 0; c < channels; c++) {
      const at = <usize>(n * channels + c) << 2;
      const scale = f32x4.splat(load<f32>(demod + at));
      const shift = f32x4.splat(load<f32>(bias + (<usize>c << 2)));
      const style = f32x4.splat(flags & HAS_NEXT ? load<f32>(next + at) : 1);
      const plane = (at >> 2) * bytes;
      for (let i: usize = 0; i < bytes; i += 16) {
        const b = flags & HAS_NOISE ? f32x4.add(shift, v128.load(noiseRow + i)) : shift;
        const v = finish(v128.load(y + plane + i), scale, b, slopes, gains, low, high);
        if (flags & KEEP) v128.store(value + plane + i, v);
        if (flags & HAS_NEXT) v128.store(scaled + plane + i, f32x4.mul(v, style));
      }
    }
  }
}

/** dst = a0 + a1 + 3 (b0 + b1) over `count` floats; the last ones singly. */
// @ts-ignore: decorator
@inline
function blendRows(dst: usize, a0: usize, a1: usize, b0: usize, b1: usize, count: usize): void {
  const three = f32x4.splat(3);
  const bytes = count << 2;
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    const a = f32x4.add(v128.load(a0 + i), v128.load(a1 + i));
    const b = f32x4.add(v128.load(b0 + i), v128.load(b1 + i));
    v128.store(dst + i, f32x4.add(a, f32x4.mul(b, three)));
  }
  for (; i < bytes; i += 4) {
    store<f32>(dst + i, load<f32>(a0 + i) + load<f32>(a1 + i) + 3 * (load<f32>(b0 + i) + load<f32>(b1 + i)));
  }
}

/**
 * The four phases of a transposed convolution to finished layers [n, channels, 2h, 2w].
 *
 * The transposed image T has ee [h+1, w+1] at even rows and columns, eo [h+1, w], oe [h, w+1], oo [h, w].
 * The FIR [1,3,3,1]/4 runs over T padded by one zero: rows first, one buffer for even and one for odd
 * columns, then columns. The factor 1/16 of both passes goes into the demodulation.
 */
export function foldUp(
  ee: usize, eo: usize, oe: usize, oo: usize, demod: usize, bias: usize, noise: usize, next: usize,
  value: usize, scaled: usize, scratch: usize,
  batch: i32, channels: i32, h: i32, w: i32, noiseStep: i32, flags: i32, slope: f32, gain: f32, clamp: f32,
): void {
  const slopes = f32x4.splat(slope);
  const gains = f32x4.splat(gain);
  const high = f32x4.splat(clamp > 0 ? clamp : f32.MAX_VALUE * 2);
  const low = f32x4.neg(high);
  const three = f32x4.splat(3);
  const rows = <usize>h;
  const wide = <usize>w + 1;
  const narrow = <usize>w;
  const row = narrow << 2;
  // Scratch: a row of zeros, then the two blended rows with zeros of 16 bytes on both sides.
  const line = row + 64;
  memory.fill(scratch, 0, 3 * line);
  const zero = scratch;
  const even = scratch + line + 16;
  const odd = even + line;
  for (let n = 0; n < batch; n++) {
    const noiseImage = noise + (<usize>(n * noiseStep) << 2);
    for (let c = 0; c < channels; c++) {
      const index = <usize>(n * channels + c);
      const at = index << 2;
      const scale = f32x4.splat(load<f32>(demod + at) * 0.0625);
      const shift = f32x4.splat(load<f32>(bias + (<usize>c << 2)));
      const style = f32x4.splat(flags & HAS_NEXT ? load<f32>(next + at) : 1);
      const eeImage = ee + ((index * (rows + 1) * wide) << 2);
      const eoImage = eo + ((index * (rows + 1) * narrow) << 2);
      const oeImage = oe + ((index * rows * wide) << 2);
      const ooImage = oo + ((index * rows * narrow) << 2);
      let to = index * rows * row * 4;
      let noiseRow = noiseImage;
      for (let p = 0; p < 2 * h; p++) {
        const m = <usize>(p >> 1);
        const ee0 = eeImage + ((m * wide) << 2);
        const oe0 = oeImage + ((m * wide) << 2);
        const eo0 = eoImage + ((m * narrow) << 2);
        const oo0 = ooImage + ((m * narrow) << 2);
        const ee1 = ee0 + (wide << 2);
        const eo1 = eo0 + row;
        if ((p & 1) == 0) {
          // T rows 2m-1, 2m, 2m+1, 2m+2 weigh 1, 3, 3, 1.
          blendRows(even, m > 0 ? oe0 - (wide << 2) : zero, ee1, ee0, oe0, wide);
          blendRows(odd, m > 0 ? oo0 - row : zero, eo1, eo0, oo0, narrow);
        } else {
          // T rows 2m, 2m+1, 2m+2, 2m+3.
          const last = m + 1 == rows;
          blendRows(even, ee0, last ? zero : oe0 + (wide << 2), oe0, ee1, wide);
          blendRows(odd, eo0, last ? zero : oo0 + row, oo0, eo1, narrow);
        }
        for (let i: usize = 0; i < row; i += 16) {
          const e0 = v128.load(even + i);
          const e1 = v128.load(even + i + 4);
          const o0 = v128.load(odd + i);
          const middle = f32x4.mul(f32x4.add(e0, o0), three);
          const left = f32x4.add(middle, f32x4.add(v128.load(odd + i - 4), e1));
          const right = f32x4.add(f32x4.mul(f32x4.add(o0, e1), three), f32x4.add(e0, v128.load(odd + i + 4)));
          const at0 = to + (i << 1);
          let bias0 = shift;
          let bias1 = shift;
          if (flags & HAS_NOISE) {
            bias0 = f32x4.add(shift, v128.load(noiseRow + (i << 1)));
            bias1 = f32x4.add(shift, v128.load(noiseRow + (i << 1), 16));
          }
          const v0 = finish(v128.shuffle<f32>(left, right, 0, 4, 1, 5), scale, bias0, slopes, gains, low, high);
          const v1 = finish(v128.shuffle<f32>(left, right, 2, 6, 3, 7), scale, bias1, slopes, gains, low, high);
          if (flags & KEEP) {
            v128.store(value + at0, v0);
            v128.store(value + at0, v1, 16);
          }
          if (flags & HAS_NEXT) {
            v128.store(scaled + at0, f32x4.mul(v0, style));
            v128.store(scaled + at0, f32x4.mul(v1, style), 16);
          }
        }
        to += row << 1;
        noiseRow += row << 1;
      }
    }
  }
}

/** out = previous enlarged two-fold by the FIR + clamp(y + bias); previous [n, channels, h, w]. */
export function skipUp(
  previous: usize, y: usize, bias: usize, out: usize, scratch: usize,
  batch: i32, channels: i32, h: i32, w: i32, clamp: f32,
): void {
  const high = f32x4.splat(clamp > 0 ? clamp : f32.MAX_VALUE * 2);
  const low = f32x4.neg(high);
  const near = f32x4.splat(0.75);
  const far = f32x4.splat(0.25);
  const row = <usize>w << 2;
  memory.fill(scratch, 0, row + row + 32);
  const zero = scratch;
  const blended = scratch + row + 16;
  let to = out;
  let from = y;
  for (let nc = 0; nc < batch * channels; nc++) {
    const shift = f32x4.splat(load<f32>(bias + (<usize>(nc % channels) << 2)));
    const base = previous + <usize>nc * row * <usize>h;
    for (let p = 0; p < 2 * h; p++) {
      const m = p >> 1;
      const here = base + <usize>m * row;
      const other = (p & 1) == 0 ? (m > 0 ? here - row : zero) : m + 1 < h ? here + row : zero;
      for (let i: usize = 0; i < row; i += 16) {
        v128.store(blended + i, f32x4.add(f32x4.mul(v128.load(here + i), near), f32x4.mul(v128.load(other + i), far)));
      }
      for (let i: usize = 0; i < row; i += 16) {
        const middle = f32x4.mul(v128.load(blended + i), near);
        const even = f32x4.add(middle, f32x4.mul(v128.load(blended + i - 4), far));
        const odd = f32x4.add(middle, f32x4.mul(v128.load(blended + i + 4), far));
        const first = f32x4.add(v128.load(from + (i << 1)), shift);
        const second = f32x4.add(v128.load(from + (i << 1), 16), shift);
        v128.store(to + (i << 1), f32x4.add(v128.shuffle<f32>(even, odd, 0, 4, 1, 5), f32x4.pmax(f32x4.pmin(first, high), low)));
        v128.store(to + (i << 1), f32x4.add(v128.shuffle<f32>(even, odd, 2, 6, 3, 7), f32x4.pmax(f32x4.pmin(second, high), low)), 16);
      }
      to += row << 1;
      from += row << 1;
    }
  }
}
