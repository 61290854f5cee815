/** Samples to pixels: the mean of light and coverage, the nearest surface for depth and part. */

import {
  FRAME_DEPTH, FRAME_FRONT, FRAME_IDS, FRAME_LIGHT, FRAME_OUT_ALPHA, FRAME_OUT_COLOUR, FRAME_OUT_DEPTH,
  FRAME_OUT_PART, FRAME_RAY_0, FRAME_RAY_X, FRAME_RAY_Y, FRAME_STRIDE, FRAME_SUPERSAMPLING, FRAME_WIDTH,
} from '../layout';

/** Empties the sample buffers. */
export function clearSamples(frame: usize, samples: i32): void {
  memory.fill(<usize>load<u32>(frame, FRAME_DEPTH), 0, <usize>samples << 2);
  memory.fill(<usize>load<u32>(frame, FRAME_IDS), 0, <usize>samples << 2);
  const front = <usize>load<u32>(frame, FRAME_FRONT);
  if (front) memory.fill(front, 0, <usize>samples << 3);
  const light = <usize>load<u32>(frame, FRAME_LIGHT);
  const end = light + (<usize>samples << 4);
  const open = f32x4(0, 0, 0, 1);
  for (let at = light; at < end; at += 16) v128.store(at, open);
}

/** Writes the pixels of sample rows from `top` to before `bottom`. */
export function resolveRows(frame: usize, top: i32, bottom: i32): void {
  const s = load<i32>(frame, FRAME_SUPERSAMPLING);
  const width = load<i32>(frame, FRAME_WIDTH) / s;
  const stride = <usize>load<i32>(frame, FRAME_STRIDE);
  const depths = <usize>load<u32>(frame, FRAME_DEPTH);
  const ids = <usize>load<u32>(frame, FRAME_IDS);
  const light = <usize>load<u32>(frame, FRAME_LIGHT);
  const front = <usize>load<u32>(frame, FRAME_FRONT);
  const share: f32 = 1 / <f32>(s * s);
  const rayX = v128.load(frame, FRAME_RAY_X);
  const rayY = v128.load(frame, FRAME_RAY_Y);
  const ray0 = v128.load(frame, FRAME_RAY_0);
  for (let y = top / s; y < bottom / s; y++) {
    const row = <usize>(y * width);
    let colour = <usize>load<u32>(frame, FRAME_OUT_COLOUR) + row * 12;
    let alpha = <usize>load<u32>(frame, FRAME_OUT_ALPHA) + (row << 2);
    let depth = <usize>load<u32>(frame, FRAME_OUT_DEPTH) + (row << 2);
    let part = <usize>load<u32>(frame, FRAME_OUT_PART) + (row << 1);
    for (let x = 0; x < width; x++) {
      let sum = f32x4.splat(0);
      let nearest: f32 = Infinity;
      let owner = -1;
      for (let j = 0; j < s; j++) {
        const sy = y * s + j;
        const at = <usize>sy * stride + <usize>(x * s);
        for (let i = 0; i < s; i++) {
          const index = at + <usize>i;
          sum = f32x4.add(sum, v128.load(light + (index << 4)));
          let inverse = load<f32>(depths + (index << 2));
          let seen = <i32>(load<u32>(ids + (index << 2)) >> 24);
          if (front && load<f32>(front + (index << 3)) > inverse) {
            inverse = load<f32>(front + (index << 3));
            seen = load<i32>(front + (index << 3), 4);
          }
          if (inverse == 0) continue;
          const ray = f32x4.add(
            f32x4.add(
              f32x4.mul(rayX, f32x4.splat(<f32>(x * s + i) + 0.5)), f32x4.mul(rayY, f32x4.splat(<f32>sy + 0.5)),
            ), ray0,
          );
          const squares = f32x4.mul(ray, ray);
          const stretch = sqrt<f32>(
            f32x4.extract_lane(squares, 0) + f32x4.extract_lane(squares, 1) + f32x4.extract_lane(squares, 2),
          );
          const distance = stretch / inverse;
          if (distance < nearest) {
            nearest = distance;
            owner = seen;
          }
        }
      }
      const mean = f32x4.mul(sum, f32x4.splat(share));
      v128.store64_lane(colour, mean, 0);
      v128.store32_lane(colour, mean, 2, 8);
      store<f32>(alpha, 1 - f32x4.extract_lane(mean, 3));
      store<f32>(depth, nearest);
      store<i16>(part, <i16>owner);
      colour += 12;
      alpha += 4;
      depth += 4;
      part += 2;
    }
  }
}
