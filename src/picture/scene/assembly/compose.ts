/** Textures made of others, a row at a time; sRGB bytes are taken as they are. */

import {
  COMPOSE_GAIN, COMPOSE_LAYERS, COMPOSE_LAYER_COUNT, COMPOSE_ROOM, COMPOSE_SOURCES, COMPOSE_SOURCE_COUNT,
  COMPOSE_TEXTURE, LAYER_BYTES, LAYER_LUMINANCE, LAYER_MULTIPLY, SOURCE_BYTES, TEXTURE_FIRST_LEVEL,
} from '../layout';
import { storeTexel } from './texture';

// @ts-ignore: decorator
@inline
function texel(at: usize): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at))));
}

// @ts-ignore: decorator
@inline
function held(value: v128): v128 {
  return f32x4.pmin(f32x4.pmax(value, f32x4.splat(0)), f32x4.splat(255));
}

/** Fills the first level of a texture. */
export function composeTexture(composition: usize): void {
  const level = <usize>load<u32>(composition, COMPOSE_TEXTURE) + TEXTURE_FIRST_LEVEL;
  const stride = <usize>load<u32>(level, 4);
  const width = <usize>load<f32>(level, 8);
  const height = <usize>load<f32>(level, 12);
  const room = <usize>load<u32>(composition, COMPOSE_ROOM);
  const sources = composition + COMPOSE_SOURCES;
  const sourceEnd = sources + <usize>load<i32>(composition, COMPOSE_SOURCE_COUNT) * SOURCE_BYTES;
  const layers = composition + COMPOSE_LAYERS;
  const layerEnd = layers + <usize>load<i32>(composition, COMPOSE_LAYER_COUNT) * LAYER_BYTES;
  const gain = v128.load(composition, COMPOSE_GAIN);
  const end = room + (width << 4);
  for (let y: usize = 0; y < height; y++) {
    for (let source = sources; source < sourceEnd; source += SOURCE_BYTES) {
      const weight = f32x4.mul(v128.load32_splat(source, 4), gain);
      let from = <usize>load<u32>(<usize>load<u32>(source), TEXTURE_FIRST_LEVEL) + y * stride;
      if (source == sources) {
        for (let at = room; at < end; at += 16, from += 4) v128.store(at, f32x4.mul(texel(from), weight));
      } else {
        for (let at = room; at < end; at += 16, from += 4)
          v128.store(at, f32x4.add(v128.load(at), f32x4.mul(texel(from), weight)));
      }
    }
    for (let at = room; at < end; at += 16) v128.store(at, held(v128.load(at)));
    for (let layer = layers; layer < layerEnd; layer += LAYER_BYTES) layerRow(layer, room, width, height, y);
    let to = <usize>load<u32>(level) + y * stride;
    for (let at = room; at < end; at += 16, to += 4) storeTexel(to, held(v128.load(at)));
  }
}

/** Puts a layer on a row; its mask is read bilinearly, held at its edges. */
function layerRow(layer: usize, room: usize, width: usize, height: usize, y: usize): void {
  const mask = <usize>load<u32>(layer) + TEXTURE_FIRST_LEVEL;
  const maskStride = <usize>load<u32>(mask, 4);
  const maskWidth = load<f32>(mask, 8);
  const maskHeight = load<f32>(mask, 12);
  const mode = load<i32>(layer, 8);
  const strength: f32 = load<f32>(layer, 12) / 255;
  const colour = v128.load(layer, 16);
  const share = f32x4.mul(colour, f32x4.splat(<f32>(1.0 / 255.0)));
  const lightness = max<f32>(1, lumaOf(colour));
  const row = max<f32>(0, min<f32>(maskHeight - 1, ((<f32>y + 0.5) / <f32>height) * maskHeight - 0.5));
  const y0 = <i32>row;
  const fy = row - <f32>y0;
  const line = <usize>load<u32>(mask) + <usize>y0 * maskStride + <usize>load<i32>(layer, 4);
  const step: f32 = maskWidth / <f32>width;
  for (let x: usize = 0; x < width; x++) {
    const column = max<f32>(0, min<f32>(maskWidth - 1, (<f32>x + 0.5) * step - 0.5));
    const x0 = <i32>column;
    const fx = column - <f32>x0;
    const from = line + (<usize>x0 << 2);
    if ((load<u8>(from) | load<u8>(from, 4) | load<u8>(from + maskStride) | load<u8>(from + maskStride, 4)) == 0)
      continue;
    const top = <f32>load<u8>(from) * (1 - fx) + <f32>load<u8>(from, 4) * fx;
    const bottom = <f32>load<u8>(from + maskStride) * (1 - fx) + <f32>load<u8>(from + maskStride, 4) * fx;
    const amount = (top * (1 - fy) + bottom * fy) * strength;
    const at = room + (x << 4);
    const before = v128.load(at);
    let after = colour;
    if (mode == LAYER_MULTIPLY) after = f32x4.mul(before, share);
    else if (mode == LAYER_LUMINANCE) after = f32x4.mul(colour, f32x4.splat(lumaOf(before) / lightness));
    const mixed = f32x4.add(before, f32x4.mul(f32x4.sub(after, before), f32x4.splat(amount)));
    v128.store(at, f32x4.replace_lane(mixed, 3, f32x4.extract_lane(before, 3)));
  }
}

// @ts-ignore: decorator
@inline
function lumaOf(colour: v128): f32 {
  return (
    <f32>0.2126 * f32x4.extract_lane(colour, 0) + <f32>0.7152 * f32x4.extract_lane(colour, 1) +
    <f32>0.0722 * f32x4.extract_lane(colour, 2)
  );
}
