/**
 * Textures: padding, mip levels, bilinear reads.
 *
 * A level keeps sRGB bytes, filtered as they are; a smaller level is averaged in linear light, each texel weighted
 * by its alpha, so that what is transparent lends no colour to what is not.
 */

import { LEVEL_BYTES, TEXTURE_FIRST_LEVEL, TEXTURE_LEVELS, TEXTURE_REPEATS } from '../layout';
import { madd, storeTransposed, toLinear, toSrgb } from './lanes';

/** Red, green, blue, alpha of four reads, from 0 to 1 in sRGB, 16 bytes each. */
export const TEXELS: usize = memory.data(64, 16);
const LEVELS: usize = memory.data(64, 16);
const UNIT: f32 = 1 / (65536 * 255);

/** Fills the column and the row beyond a level's edges. */
export function padLevel(texture: usize, index: i32): void {
  const level = texture + TEXTURE_FIRST_LEVEL + <usize>index * LEVEL_BYTES;
  const data = <usize>load<u32>(level);
  const stride = <usize>load<u32>(level, 4);
  const width = <usize>load<f32>(level, 8);
  const height = <usize>load<f32>(level, 12);
  const repeats = load<i32>(texture, TEXTURE_REPEATS) != 0;
  const from: usize = repeats ? 0 : width - 1;
  for (let y: usize = 0; y < height; y++) {
    const row = data + y * stride;
    store<u32>(row + (width << 2), load<u32>(row + (from << 2)));
  }
  memory.copy(data + height * stride, data + (repeats ? 0 : (height - 1) * stride), stride);
}

// @ts-ignore: decorator
@inline
function texel(at: usize): v128 {
  return f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at))));
}

/** Bytes of four channels, rounded. */
// @ts-ignore: decorator
@inline
export function storeTexel(to: usize, value: v128): void {
  const whole = i32x4.trunc_sat_f32x4_u(f32x4.add(value, f32x4.splat(0.5)));
  const half = i16x8.narrow_i32x4_u(whole, whole);
  v128.store32_lane(to, i8x16.narrow_i16x8_u(half, half), 0);
}

/** Makes the levels below the first, whose bytes are there. */
export function buildLevels(texture: usize): void {
  padLevel(texture, 0);
  const count = load<i32>(texture, TEXTURE_LEVELS);
  for (let index = 1; index < count; index++) {
    halveLevel(texture + TEXTURE_FIRST_LEVEL + <usize>index * LEVEL_BYTES);
    padLevel(texture, index);
  }
}

function halveLevel(level: usize): void {
  const above = level - LEVEL_BYTES;
  const source = <usize>load<u32>(above);
  const sourceStride = <usize>load<u32>(above, 4);
  // A side of one texel has only its padding beside it, which repeats it.
  const data = <usize>load<u32>(level);
  const stride = <usize>load<u32>(level, 4);
  const width = <usize>load<f32>(level, 8);
  const height = <usize>load<f32>(level, 12);
  const step = f32x4.splat(1 / 255.0);
  const full = f32x4.splat(255);
  for (let y: usize = 0; y < height; y++) {
    let from = source + 2 * y * sourceStride;
    let to = data + y * stride;
    for (let x: usize = 0; x < width; x++) {
      const a = texel(from);
      const b = texel(from + 4);
      const c = texel(from + sourceStride);
      const d = texel(from + sourceStride + 4);
      const sum = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
      const alpha = f32x4.extract_lane(sum, 3);
      let la = toLinear(f32x4.mul(a, step));
      let lb = toLinear(f32x4.mul(b, step));
      let lc = toLinear(f32x4.mul(c, step));
      let ld = toLinear(f32x4.mul(d, step));
      let share: f32 = 0.25;
      if (alpha < 1020 && alpha > 0) {
        la = f32x4.mul(la, v128.shuffle<f32>(a, a, 3, 3, 3, 3));
        lb = f32x4.mul(lb, v128.shuffle<f32>(b, b, 3, 3, 3, 3));
        lc = f32x4.mul(lc, v128.shuffle<f32>(c, c, 3, 3, 3, 3));
        ld = f32x4.mul(ld, v128.shuffle<f32>(d, d, 3, 3, 3, 3));
        share = 1 / alpha;
      }
      const mean = f32x4.mul(f32x4.add(f32x4.add(la, lb), f32x4.add(lc, ld)), f32x4.splat(share));
      const colour = f32x4.mul(toSrgb(f32x4.pmin(mean, f32x4.splat(1))), full);
      storeTexel(to, f32x4.replace_lane(colour, 3, alpha * 0.25));
      from += 8;
      to += 4;
    }
  }
}

// @ts-ignore: decorator
@inline
function filter(at: usize, stride: usize, fx: i32, fy: i32): v128 {
  const top = i16x8.extend_low_i8x16_u(v128.load64_zero(at));
  const bottom = i16x8.extend_low_i8x16_u(v128.load64_zero(at + stride));
  const rows = i16x8.add(
    i16x8.mul(top, i16x8.splat(<i16>(256 - fy))), i16x8.mul(bottom, i16x8.splat(<i16>fy)),
  );
  return f32x4.convert_i32x4_s(
    i32x4.add(
      i32x4.extmul_low_i16x8_u(rows, i16x8.splat(<i16>(256 - fx))),
      i32x4.extmul_high_i16x8_u(rows, i16x8.splat(<i16>fx)),
    ),
  );
}

/** Reads four places, each at its own level, into TEXELS. */
// @ts-ignore: decorator
@inline
export function sample(texture: usize, u: v128, v: v128, l0: i32, l1: i32, l2: i32, l3: i32): void {
  const first = texture + TEXTURE_FIRST_LEVEL;
  storeTransposed(
    LEVELS,
    v128.load(first + (<usize>l0 << 4)),
    v128.load(first + (<usize>l1 << 4)),
    v128.load(first + (<usize>l2 << 4)),
    v128.load(first + (<usize>l3 << 4)),
  );
  const stride = v128.load(LEVELS, 16);
  const width = v128.load(LEVELS, 32);
  const height = v128.load(LEVELS, 48);
  const half = f32x4.splat(0.5);
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  let x: v128;
  let y: v128;
  if (load<i32>(texture, TEXTURE_REPEATS)) {
    x = f32x4.sub(f32x4.mul(f32x4.sub(u, f32x4.floor(u)), width), half);
    y = f32x4.sub(f32x4.mul(f32x4.sub(v, f32x4.floor(v)), height), half);
    x = f32x4.add(x, v128.and(width, f32x4.lt(x, zero)));
    y = f32x4.add(y, v128.and(height, f32x4.lt(y, zero)));
  } else {
    x = f32x4.sub(f32x4.mul(u, width), half);
    y = f32x4.sub(f32x4.mul(v, height), half);
  }
  x = f32x4.pmin(f32x4.pmax(x, zero), f32x4.sub(width, half));
  y = f32x4.pmin(f32x4.pmax(y, zero), f32x4.sub(height, half));
  if (!load<i32>(texture, TEXTURE_REPEATS)) {
    x = f32x4.pmin(x, f32x4.sub(width, one));
    y = f32x4.pmin(y, f32x4.sub(height, one));
  }
  // A number that is none becomes 0: reads stay inside.
  const x256 = i32x4.trunc_sat_f32x4_s(f32x4.mul(x, f32x4.splat(256)));
  const y256 = i32x4.trunc_sat_f32x4_s(f32x4.mul(y, f32x4.splat(256)));
  const low = i32x4.splat(255);
  const fx = v128.and(x256, low);
  const fy = v128.and(y256, low);
  const at = i32x4.add(
    i32x4.add(v128.load(LEVELS), i32x4.mul(i32x4.shr_s(y256, 8), stride)), i32x4.shl(i32x4.shr_s(x256, 8), 2),
  );
  const r0 = filter(
    <usize>i32x4.extract_lane(at, 0), <usize>i32x4.extract_lane(stride, 0), i32x4.extract_lane(fx, 0),
    i32x4.extract_lane(fy, 0),
  );
  const r1 = filter(
    <usize>i32x4.extract_lane(at, 1), <usize>i32x4.extract_lane(stride, 1), i32x4.extract_lane(fx, 1),
    i32x4.extract_lane(fy, 1),
  );
  const r2 = filter(
    <usize>i32x4.extract_lane(at, 2), <usize>i32x4.extract_lane(stride, 2), i32x4.extract_lane(fx, 2),
    i32x4.extract_lane(fy, 2),
  );
  const r3 = filter(
    <usize>i32x4.extract_lane(at, 3), <usize>i32x4.extract_lane(stride, 3), i32x4.extract_lane(fx, 3),
    i32x4.extract_lane(fy, 3),
  );
  const unit = f32x4.splat(UNIT);
  storeTransposed(TEXELS, f32x4.mul(r0, unit), f32x4.mul(r1, unit), f32x4.mul(r2, unit), f32x4.mul(r3, unit));
}

/** Alpha of the texel nearest to one place, from 0 to 255. */
export function alphaAt(texture: usize, u: f32, v: f32, index: i32): f32 {
  const level = texture + TEXTURE_FIRST_LEVEL + (<usize>index << 4);
  const width = load<f32>(level, 8);
  const height = load<f32>(level, 12);
  if (load<i32>(texture, TEXTURE_REPEATS)) {
    u -= floor<f32>(u);
    v -= floor<f32>(v);
  }
  const x = max<f32>(0, u * width - 0.5);
  const y = max<f32>(0, v * height - 0.5);
  const x0 = min<i32>(<i32>x, <i32>width - 1);
  const y0 = min<i32>(<i32>y, <i32>height - 1);
  const fx = min<f32>(1, x - <f32>x0);
  const fy = min<f32>(1, y - <f32>y0);
  const stride = <usize>load<u32>(level, 4);
  const at = <usize>load<u32>(level) + <usize>y0 * stride + (<usize>x0 << 2);
  const top = <f32>load<u8>(at, 3) * (1 - fx) + <f32>load<u8>(at, 7) * fx;
  const bottom = <f32>load<u8>(at + stride, 3) * (1 - fx) + <f32>load<u8>(at + stride, 7) * fx;
  return top * (1 - fy) + bottom * fy;
}
