/** Makes a texture out of others: see `Composition`. */

import { ShapeError, UsageError } from '../../errors.ts';
import * as at from './layout.ts';
import type { SceneModule } from './module.ts';
import type { TextureStore } from './textures.ts';
import type { Composition, LayerMode, TextureHandle } from './types.ts';

const MODES: Readonly<Record<LayerMode, number>> = {
  mix: at.LAYER_MIX,
  multiply: at.LAYER_MULTIPLY,
  luminance: at.LAYER_LUMINANCE,
};

export function compose(
  { wasm, arena }: SceneModule,
  textures: TextureStore,
  composition: Composition,
): TextureHandle {
  const { width, height, sources, gain, layers } = composition;
  check(composition);
  const sourceHeads = sources.map(({ handle }) => textures.head(handle));
  const layerHeads = layers.map(({ mask }) => textures.head(mask));
  const made = textures.create(width, height, false);
  const record = arena.take(at.COMPOSE_BYTES);
  const room = arena.take(width * 16);
  const { i32, f32 } = arena;
  i32[(record + at.COMPOSE_TEXTURE) / 4] = textures.head(made);
  i32[(record + at.COMPOSE_SOURCE_COUNT) / 4] = sources.length;
  i32[(record + at.COMPOSE_LAYER_COUNT) / 4] = layers.length;
  i32[(record + at.COMPOSE_ROOM) / 4] = room;
  f32.set([...gain, 1], (record + at.COMPOSE_GAIN) / 4);
  for (const [i, { weight }] of sources.entries()) {
    const place = (record + at.COMPOSE_SOURCES + i * at.SOURCE_BYTES) / 4;
    i32[place] = sourceHeads[i];
    f32[place + 1] = weight;
  }
  for (const [i, { channel, mode, strength, colour }] of layers.entries()) {
    const place = (record + at.COMPOSE_LAYERS + i * at.LAYER_BYTES) / 4;
    i32.set([layerHeads[i], channel, MODES[mode]], place);
    f32.set([strength, ...colour, 255], place + 3);
  }
  wasm.composeTexture(record);
  wasm.buildLevels(textures.head(made));
  arena.give(room);
  arena.give(record);
  return made;
}

function check({ width, height, sources, gain, layers }: Composition): void {
  if (sources.length < 1 || sources.length > at.MOST_SOURCES)
    throw new UsageError(`compose: 1 to ${at.MOST_SOURCES} sources, not ${sources.length}`);
  if (layers.length > at.MOST_LAYERS)
    throw new UsageError(`compose: at most ${at.MOST_LAYERS} layers, not ${layers.length}`);
  for (const [i, { handle }] of sources.entries())
    if (handle.width !== width || handle.height !== height)
      throw new ShapeError(
        `compose: source ${i} is ${handle.width} x ${handle.height} but the texture is ${width} x ${height}`,
      );
  for (const [i, { strength }] of layers.entries())
    if (!(strength >= 0 && strength <= 1))
      throw new UsageError(`compose: layer ${i} has a strength from 0 to 1, not ${strength}`);
  for (const [i, { channel }] of layers.entries())
    if (![0, 1, 2, 3].includes(channel))
      throw new UsageError(`compose: layer ${i} has a channel from 0 to 3, not ${channel}`);
  const numbers = [
    ...gain,
    ...sources.map(({ weight }) => weight),
    ...layers.flatMap(({ colour }) => colour),
  ];
  if (!numbers.every(Number.isFinite))
    throw new UsageError('compose: gain, weights and colours are finite numbers');
}
