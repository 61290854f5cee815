/** Density and colours at given points: `decodePoints` of `src/portrait/decoder.ts`. */

import { BLOCK, colourBlock, DECODER_BYTES, decoderFeatures, hiddenBlock, packDecoder } from './render-decoder';
import { describePlanes } from './render-planes';

/** Points that a thread takes at once. */
const CHUNK: i32 = 768;

/** points [batch, count, 3] to sigma [batch, count] and, unless its pointer is 0, rgb [batch, count, 32]. */
export function decodePoints(
  points: usize, planes: usize, w0: usize, b0: usize, w1: usize, b1: usize, sigma: usize, rgb: usize,
  counter: usize, scratch: usize,
  batch: i32, count: i32, layers: i32, side: i32, scale: f32, gain0: f32, gain1: f32, biasGain: f32,
  activation: i32,
): void {
  packDecoder(w0, b0, w1, b1, scratch, gain0, gain1, biasGain);
  const batchBytes = describePlanes(side, layers, scale);
  const xs = (scratch + DECODER_BYTES + 63) & ~(<usize>63);
  const ys = xs + 64;
  const zs = ys + 64;
  const hidden = zs + 64;
  const colours = hidden + 3072;
  const chunks = (count + CHUNK - 1) / CHUNK;
  const jobs = batch * chunks;
  for (let job = atomic.add<i32>(counter, 1); job < jobs; job = atomic.add<i32>(counter, 1)) {
    const entry = job / chunks;
    const from = (job % chunks) * CHUNK;
    const end = min(from + CHUNK, count);
    for (let b = from; b < end; b += BLOCK) {
      const first = <usize>(entry * count + b);
      const filled = <usize>min(BLOCK, end - b);
      for (let i: usize = 0; i < <usize>BLOCK; i++) {
        const at = points + (first + min(i, filled - 1)) * 12;
        store<f32>(xs + (i << 2), load<f32>(at));
        store<f32>(ys + (i << 2), load<f32>(at, 4));
        store<f32>(zs + (i << 2), load<f32>(at, 8));
      }
      const found = hiddenBlock(planes + <usize>entry * batchBytes, xs, ys, zs, decoderFeatures, hidden);
      memory.copy(sigma + (first << 2), found, filled << 2);
      if (rgb == 0) continue;
      colourBlock(hidden, colours, activation);
      memory.copy(rgb + (first << 7), colours, filled << 7);
    }
  }
}
