/**
 * The gradient of densities and colours at given points: `decodePointsGrad` of `src/portrait/decoder.ts`.
 *
 * Jobs and their areas are those of `render-grad.ts`.
 */

import { BLOCK, DECODER_BYTES, hiddenBlock, packDecoder, tap } from './render-decoder';
import {
  addFirst,
  BACK_BYTES,
  backColours,
  backFeatures,
  backHidden,
  closeSums,
  GROUP,
  inner,
  openSums,
  packDecoderBack,
} from './render-decoder-grad';
import { describePlanes, locate } from './render-planes';
import { pointGradients, scatter } from './render-planes-grad';

/** Points that a job takes at once, in turn with the other jobs of its batch entry. */
const CHUNK: i32 = 768;

/** points [batch, count, 3] and cotangents of sigma [batch, count] and rgb [batch, count, 32], 0 for none; `ofPoints`
 * [batch, count, 3] is written, unless its pointer is 0. */
export function decodePointsGrad(
  points: usize, planes: usize, w0: usize, b0: usize, w1: usize, b1: usize, ofSigma: usize, ofRgb: usize,
  ofPoints: usize, areas: usize, counter: usize, scratch: usize,
  batch: i32, count: i32, layers: i32, side: i32, scale: f32, gain0: f32, gain1: f32, biasGain: f32,
  activation: i32, slices: i32, areaBytes: usize, planeBytes: usize,
): void {
  packDecoder(w0, b0, w1, b1, scratch, gain0, gain1, biasGain);
  const entryBytes = describePlanes(side, layers, scale);
  const back = (scratch + DECODER_BYTES + 63) & ~(<usize>63);
  packDecoderBack(back);
  const xs = (back + BACK_BYTES + 63) & ~(<usize>63);
  const ys = xs + 192;
  const zs = ys + 192;
  const densities = zs + 192; // [48]
  const ones = densities + 192;
  const pointers = ones + 192;
  const tones = pointers + 192;
  const nothing = tones + 192; // [64] zeros
  const features = nothing + 256; // [4, 32]
  const dots = features + 512;
  const moved = dots + 384;
  const looked = moved + 64; // [48, 32]
  const hidden = looked + <usize>GROUP * 128; // [48, 64]
  memory.fill(nothing, 0, 256);
  for (let i: usize = 0; i < 192; i += 4) {
    store<f32>(ones + i, 1);
    store<u32>(tones + i, <u32>nothing);
  }
  const jobs = batch * slices;
  for (let job = atomic.add<i32>(counter, 1); job < jobs; job = atomic.add<i32>(counter, 1)) {
    const entry = job / slices;
    const area = areas + <usize>job * areaBytes;
    memory.fill(area, 0, areaBytes);
    const texels = planes + <usize>entry * entryBytes;
    for (let chunk = (job % slices) * CHUNK; chunk < count; chunk += slices * CHUNK) {
      openSums();
      const end = min(chunk + CHUNK, count);
      for (let from = chunk; from < end; from += GROUP) {
        const filled = <usize>min(GROUP, end - from);
        const first = <usize>(entry * count + from);
        const used = ((<i32>filled + BLOCK - 1) / BLOCK) * BLOCK;
        for (let i: usize = 0; i < <usize>used; i++) {
          // What pads a block is a point with no cotangent.
          const real = i < filled;
          const at = first + min(i, filled - 1);
          store<f32>(xs + (i << 2), load<f32>(points + at * 12));
          store<f32>(ys + (i << 2), load<f32>(points + at * 12, 4));
          store<f32>(zs + (i << 2), load<f32>(points + at * 12, 8));
          store<f32>(densities + (i << 2), real && ofSigma != 0 ? load<f32>(ofSigma + (at << 2)) : 0);
          store<u32>(pointers + (i << 2), <u32>(real && ofRgb != 0 ? ofRgb + (at << 7) : nothing));
        }
        for (let b = 0; b < used; b += BLOCK) {
          const at = <usize>b << 2;
          const values = hidden + (<usize>b << 8);
          const to = inner + (<usize>b << 8);
          hiddenBlock(texels, xs + at, ys + at, zs + at, looked + (<usize>b << 7), values);
          if (ofRgb != 0) {
            backColours(values, pointers + at, ones, activation, to);
            backHidden(values, densities + at, 0, 0, to);
          } else backHidden(values, densities + at, tones, ones, to);
        }
        addFirst(looked, used);
        if (planeBytes == 0 && ofPoints == 0) continue;
        for (let four = 0; four < used; four += 4) {
          const at = <usize>four << 2;
          const x = v128.load(xs + at);
          const y = v128.load(ys + at);
          const z = v128.load(zs + at);
          backFeatures(four, features);
          locate(x, y, z, tap);
          if (ofPoints != 0) pointGradients(texels, tap, features, x, y, z, dots, moved);
          for (let lane: usize = 0; lane < 4; lane++) {
            if (<usize>four + lane >= filled) break;
            if (planeBytes != 0) scatter(area, tap + (lane << 2), features + (lane << 7));
            if (ofPoints == 0) continue;
            const to = ofPoints + (first + <usize>four + lane) * 12;
            for (let axis: usize = 0; axis < 3; axis++) {
              store<f32>(to + (axis << 2), load<f32>(moved + (axis << 4) + (lane << 2)));
            }
          }
        }
      }
      closeSums(area + planeBytes);
    }
  }
}
