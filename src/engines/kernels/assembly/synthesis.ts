/**
 * One-pass finishers of synthesis layers, in SIMD.
 *
 * The definitions are the fused operations of `src/tensor/composites/synthesis.ts`; tests hold these to them.
 * All arrays are float32, row-major; widths are multiples of 4. Pointers are byte offsets.
 */

/** (y * scale + noise + bias), leaky ReLU, gain, clamp, next style. */
// @ts-expect-error: decorator
@inline
function finish(y: v128, scale: v128, bias: v128, slope: v128, gain: v128, low: v128, high: v128, next: v128): v128 {
  let v = f32x4.add(f32x4.mul(y, scale), bias);
  v = f32x4.mul(f32x4.max(v, f32x4.mul(v, slope)), gain);
  v = f32x4.max(f32x4.min(v, high), low);
  return f32x4.mul(v, next);
}

const HAS_NOISE: i32 = 1;
const HAS_NEXT: i32 = 2;

/** y [n, channels, pixels] to out of the same shape; `noise` [1 or n, pixels]. */
export function layerEpilogue(
  y: usize, demod: usize, bias: usize, noise: usize, next: usize, out: usize,
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
      const from = y + (at >> 2) * bytes;
      const to = out + (at >> 2) * bytes;
      if (flags & HAS_NOISE) {
        for (let i: usize = 0; i < bytes; i += 16) {
          const b = f32x4.add(shift, v128.load(noiseRow + i));
          v128.store(to + i, finish(v128.load(from + i), scale, b, slopes, gains, low, high, style));
        }
      } else {
        for (let i: usize = 0; i < bytes; i += 16) {
          v128.store(to + i, finish(v128.load(from + i), scale, shift, slopes, gains, low, high, style));
        }
      }
    }
  }
}

/** dst = (a0 + a1 + a2) + 3 (b0 + b1 + b2) over `bytes`. */
// @ts-expect-error: decorator
@inline
function blendRows(dst: usize, a0: usize, a1: usize, a2: usize, b0: usize, b1: usize, b2: usize, bytes: usize): void {
  const three = f32x4.splat(3);
  for (let i: usize = 0; i < bytes; i += 16) {
    const a = f32x4.add(f32x4.add(v128.load(a0 + i), v128.load(a1 + i)), v128.load(a2 + i));
    const b = f32x4.add(f32x4.add(v128.load(b0 + i), v128.load(b1 + i)), v128.load(b2 + i));
    v128.store(dst + i, f32x4.add(a, f32x4.mul(b, three)));
  }
}

/**
 * Tap images [n, channels * 9, h, w] to finished layers [n, channels, 2h, 2w].
 *
 * Rows and columns of the transposed convolution are T[2i+a] += tap[a][i]; the FIR [1,3,3,1]/4 runs over T
 * padded by one zero. Both are linear and separable: rows are blended first, one buffer for each column
 * tap b, then columns. The factor 1/16 of the two passes goes into the demodulation.
 */
export function foldUp(
  taps: usize, demod: usize, bias: usize, noise: usize, next: usize, out: usize, scratch: usize,
  batch: i32, channels: i32, h: i32, w: i32, noiseStep: i32, flags: i32, slope: f32, gain: f32, clamp: f32,
): void {
  const slopes = f32x4.splat(slope);
  const gains = f32x4.splat(gain);
  const high = f32x4.splat(clamp > 0 ? clamp : f32.MAX_VALUE * 2);
  const low = f32x4.neg(high);
  const three = f32x4.splat(3);
  const row = <usize>w << 2;
  const image = row * <usize>h;
  // Scratch: a row of zeros, then three rows with a zero of 16 bytes on both sides.
  memory.fill(scratch, 0, row + 3 * (row + 32));
  const zero = scratch;
  const v0 = scratch + row + 16;
  const v1 = v0 + row + 32;
  const v2 = v1 + row + 32;
  const outRow = row << 1;
  for (let n = 0; n < batch; n++) {
    const noiseImage = noise + (<usize>(n * noiseStep) << 2);
    for (let c = 0; c < channels; c++) {
      const at = <usize>(n * channels + c) << 2;
      const scale = f32x4.splat(load<f32>(demod + at) * 0.0625);
      const shift = f32x4.splat(load<f32>(bias + (<usize>c << 2)));
      const style = f32x4.splat(flags & HAS_NEXT ? load<f32>(next + at) : 1);
      const base = taps + (at >> 2) * 9 * image;
      let to = out + (at >> 2) * (image << 2);
      let noiseRow = noiseImage;
      for (let p = 0; p < 2 * h; p++) {
        const m = p >> 1;
        const here = <usize>m * row;
        for (let b = 0; b < 3; b++) {
          const c0 = base + <usize>b * image;
          const c1 = c0 + 3 * image;
          const c2 = c0 + 6 * image;
          const c2before = m > 0 ? c2 + here - row : zero;
          const c0after = m + 1 < h ? c0 + here + row : zero;
          const dst = b == 0 ? v0 : b == 1 ? v1 : v2;
          if ((p & 1) == 0) {
            const c1before = m > 0 ? c1 + here - row : zero;
            blendRows(dst, c1before, c0after, c2 + here, c0 + here, c2before, c1 + here, row);
          } else {
            const c1after = m + 1 < h ? c1 + here + row : zero;
            blendRows(dst, c0 + here, c2before, c1after, c1 + here, c0after, c2 + here, row);
          }
        }
        for (let i: usize = 0; i < row; i += 16) {
          const left = f32x4.add(v128.load(v0 + i), v128.load(v2 + i - 4));
          const right = f32x4.add(v128.load(v0 + i + 4), v128.load(v2 + i));
          const middle = v128.load(v1 + i);
          const even = f32x4.add(f32x4.add(v128.load(v1 + i - 4), right), f32x4.mul(f32x4.add(left, middle), three));
          const odd = f32x4.add(f32x4.add(left, v128.load(v1 + i + 4)), f32x4.mul(f32x4.add(middle, right), three));
          const first = v128.shuffle<f32>(even, odd, 0, 4, 1, 5);
          const second = v128.shuffle<f32>(even, odd, 2, 6, 3, 7);
          let bias0 = shift;
          let bias1 = shift;
          if (flags & HAS_NOISE) {
            bias0 = f32x4.add(shift, v128.load(noiseRow + (i << 1)));
            bias1 = f32x4.add(shift, v128.load(noiseRow + (i << 1), 16));
          }
          v128.store(to + (i << 1), finish(first, scale, bias0, slopes, gains, low, high, style));
          v128.store(to + (i << 1), finish(second, scale, bias1, slopes, gains, low, high, style), 16);
        }
        to += outRow;
        noiseRow += outRow;
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
        v128.store(to + (i << 1), f32x4.add(v128.shuffle<f32>(even, odd, 0, 4, 1, 5), f32x4.max(f32x4.min(first, high), low)));
        v128.store(to + (i << 1), f32x4.add(v128.shuffle<f32>(even, odd, 2, 6, 3, 7), f32x4.max(f32x4.min(second, high), low)), 16);
      }
      to += row << 1;
      from += row << 1;
    }
  }
}
