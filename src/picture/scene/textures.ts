/** Textures in the renderer's memory: room for their levels, and their bytes. */

import { NameError, ShapeError } from '../../errors.ts';
import { LEVEL_BYTES, MOST_LEVELS, TEXTURE_FIRST_LEVEL, TEXTURE_LEVELS, TEXTURE_REPEATS } from './layout.ts';
import type { SceneModule } from './module.ts';
import type { TextureData, TextureHandle } from './types.ts';

export interface TextureStore {
  upload(texture: TextureData): TextureHandle;
  free(texture: TextureHandle): void;
  /** Room for a texture whose first level somebody else fills; levels follow with `buildLevels`. */
  create(width: number, height: number, repeat: boolean): TextureHandle;
  /** Where a texture's head is. */
  head(texture: TextureHandle): number;
}

/** Longest side of a texture. */
const LONGEST = 8192;

export function textureStore({ wasm, arena }: SceneModule): TextureStore {
  const heads = new Map<number, number>();
  let count = 0;

  function head({ id }: TextureHandle): number {
    const place = heads.get(id);
    if (place === undefined) throw new NameError(`texture ${id} is not one of this renderer's, or was freed`);
    return place;
  }

  function create(width: number, height: number, repeat: boolean): TextureHandle {
    for (const side of [width, height])
      if (!Number.isInteger(side) || side < 1 || side > LONGEST)
        throw new ShapeError(`a texture has sides of 1 to ${LONGEST} texels, not ${width} x ${height}`);
    const levels: { width: number; height: number; at: number }[] = [];
    let bytes = TEXTURE_FIRST_LEVEL + MOST_LEVELS * LEVEL_BYTES;
    for (let [w, h] = [width, height]; ; [w, h] = [Math.max(1, w >> 1), Math.max(1, h >> 1)]) {
      levels.push({ width: w, height: h, at: bytes });
      bytes += (w + 1) * (h + 1) * 4;
      if (w === 1 && h === 1) break;
    }
    // The last read of a level takes eight bytes where four are left.
    const place = arena.take(bytes + 16);
    const { i32, f32 } = arena;
    i32[(place + TEXTURE_LEVELS) / 4] = levels.length;
    i32[(place + TEXTURE_REPEATS) / 4] = repeat ? 1 : 0;
    for (const [i, level] of levels.entries()) {
      const at = (place + TEXTURE_FIRST_LEVEL + i * LEVEL_BYTES) / 4;
      i32[at] = place + level.at;
      i32[at + 1] = (level.width + 1) * 4;
      f32[at + 2] = level.width;
      f32[at + 3] = level.height;
    }
    const id = count++;
    heads.set(id, place);
    return { id, width, height };
  }

  return {
    head,
    create,
    upload({ width, height, data, repeat = false }) {
      if (data.length !== width * height * 4)
        throw new ShapeError(
          `a texture of ${width} x ${height} has ${width * height * 4} bytes (red, green, blue, alpha), not ${data.length}`,
        );
      const handle = create(width, height, repeat);
      const place = head(handle);
      const { i32, u8 } = arena;
      const first = i32[(place + TEXTURE_FIRST_LEVEL) / 4];
      for (let y = 0; y < height; y++)
        u8.set(data.subarray(y * width * 4, (y + 1) * width * 4), first + y * (width + 1) * 4);
      wasm.buildLevels(place);
      return handle;
    },
    free(texture) {
      arena.give(head(texture));
      heads.delete(texture.id);
    },
  };
}
