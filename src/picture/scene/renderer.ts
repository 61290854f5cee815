/**
 * A software renderer of textured, lit, half-transparent scenes: depth buffer, deferred shading, shadow maps.
 *
 * Opaque surfaces are found first; then blended triangles are shaded from front to back and the opaque ones
 * behind them last, so that nothing is shaded that cannot be seen. The inner loops are `assembly/`. The same scene gives
 * the same bytes on every machine. No tone mapping: what comes back is linear light.
 */

import { UsageError } from '../../errors.ts';
import { withRoom } from './arena.ts';
import { checkLighting, checkParts, checkView } from './check.ts';
import { compose } from './compose.ts';
import * as at from './layout.ts';
import { instantiateScene, type SceneModule } from './module.ts';
import { occlusion } from './occlusion.ts';
import { shadowSide, writeCamera, writeEnvironment, writeLight, writeMaterial } from './records.ts';
import { type TextureStore, textureStore } from './textures.ts';
import type { Lighting, RenderedScene, ScenePart, SceneRenderer, SceneView } from './types.ts';

export type { SceneRenderer };

/** A renderer with memory of its own; make one a thread. */
export async function createSceneRenderer(): Promise<SceneRenderer> {
  const module = await instantiateScene();
  const textures = textureStore(module);
  return {
    upload: textures.upload,
    free: textures.free,
    compose: (composition) => compose(module, textures, composition),
    render: (parts, lighting, view) => render(module, textures, parts, lighting, view),
    occlusion: (meshes, options) => occlusion(module, meshes, options),
  };
}

function render(
  module: SceneModule,
  textures: TextureStore,
  parts: readonly ScenePart[],
  lighting: Lighting,
  view: SceneView,
): RenderedScene {
  checkParts(parts);
  checkLighting(lighting);
  checkView(view);
  return withRoom(module.arena, (take) => draw(module, textures, take, parts, lighting, view));
}

function draw(
  { wasm, arena }: SceneModule,
  textures: TextureStore,
  take: (bytes: number) => number,
  parts: readonly ScenePart[],
  lighting: Lighting,
  view: SceneView,
): RenderedScene {
  const { width, height, supersampling } = view;
  const [columns, rows] = [width * supersampling, height * supersampling];
  const stride = Math.ceil(columns / 4) * 4 + at.ROW_SLACK;
  const samples = stride * rows;
  const frame = take(at.FRAME_BYTES);
  const put = (record: number, field: number, value: number): void => {
    arena.i32[(record + field) / 4] = value;
  };
  const blends = parts.filter(({ material }) => material.mode === 'blend');
  const vertices = total(parts, (part) => part.positions.length / 3);
  const triangles = total(parts, (part) => part.indices.length / 3);

  const partRecords = take(at.PART_BYTES * Math.max(1, parts.length));
  const records = take(vertices * at.VERTEX_BYTES);
  const [depth, ids, light] = [take(4 * samples + 16), take(4 * samples + 16), take(16 * samples)];
  const front = blends.length > 0 ? take(8 * samples) : 0;
  const pixels = width * height;
  const out = [take(12 * pixels), take(4 * pixels), take(4 * pixels), take(2 * pixels)];
  const queue = take(at.QUEUE_BYTES);
  const arrays = parts.map((part) => copyPart(take, part));
  // Memory no longer grows below here, except for scenes that reach behind the camera.
  let next = records;
  for (const [i, part] of parts.entries()) {
    const record = partRecords + i * at.PART_BYTES;
    const { material } = part;
    writeMaterial(arena.f32, arena.i32, record, part, material.texture ? textures.head(material.texture) : 0);
    put(record, at.PART_VERTICES, next);
    put(record, at.PART_INDEX, i);
    arrays[i](arena, record);
    next += (part.positions.length / 3) * at.VERTEX_BYTES;
  }
  put(frame, at.FRAME_WIDTH, columns);
  put(frame, at.FRAME_HEIGHT, rows);
  put(frame, at.FRAME_STRIDE, stride);
  put(frame, at.FRAME_SUPERSAMPLING, supersampling);
  put(frame, at.FRAME_DEPTH, depth);
  put(frame, at.FRAME_IDS, ids);
  put(frame, at.FRAME_LIGHT, light);
  put(frame, at.FRAME_FRONT, front);
  put(frame, at.FRAME_VERTICES, records);
  put(frame, at.FRAME_PARTS, partRecords);
  put(frame, at.FRAME_QUEUE, queue);
  for (const [i, field] of [
    at.FRAME_OUT_COLOUR,
    at.FRAME_OUT_ALPHA,
    at.FRAME_OUT_DEPTH,
    at.FRAME_OUT_PART,
  ].entries())
    put(frame, field, out[i]);
  writeCamera(arena.f32, frame, view);
  writeEnvironment(arena.f32, frame, lighting);

  // A triangle that the near plane cuts gives two, and two new vertices.
  let [cutTriangles, cutBlends] = [0, 0];
  for (const [i, part] of parts.entries()) {
    const behind = wasm.placeVertices(frame, partRecords + i * at.PART_BYTES);
    if (behind < 0)
      throw new UsageError(
        `part ${i}: positions, normals, uvs, occlusion or colours has numbers that are not finite`,
      );
    if (behind > 0) cutTriangles += part.indices.length / 3;
    if (behind > 0 && part.material.mode === 'blend') cutBlends += part.indices.length / 3;
    if (part.material.anisotropic) wasm.placeTangents(partRecords + i * at.PART_BYTES);
  }
  const sorted = total(blends, (part) => part.indices.length / 3) + cutBlends;
  const [sort, sortRoom] = [take(8 * sorted), take(8 * sorted)];
  const triangleRecords = take((triangles + cutTriangles + 1) * at.TRIANGLE_BYTES);
  const cutVertices = take(2 * cutTriangles * at.VERTEX_BYTES);
  put(frame, at.FRAME_TRIANGLES, triangleRecords);
  put(frame, at.FRAME_TRIANGLE_COUNT, 0);
  put(frame, at.FRAME_NEXT_VERTEX, cutVertices);
  put(frame, at.FRAME_SORT, sort);
  put(frame, at.FRAME_SORT_ROOM, sortRoom);
  put(frame, at.FRAME_SORT_COUNT, 0);

  const lights = castShadows({ wasm, arena }, take, parts, partRecords, lighting);
  put(frame, at.FRAME_LIGHTS, lights);
  put(frame, at.FRAME_LIGHT_COUNT, lighting.lights.length);

  wasm.clearSamples(frame, samples);
  for (let i = 0; i < parts.length; i++) wasm.drawPart(frame, partRecords + i * at.PART_BYTES);
  wasm.shadeBlended(frame);
  wasm.shadeOpaque(frame, Math.max(1, Math.round(8192 / columns / supersampling)) * supersampling);

  const buffer = arena.u8.buffer;
  return {
    width,
    height,
    colour: new Float32Array(buffer, out[0], pixels * 3).slice(),
    alpha: new Float32Array(buffer, out[1], pixels).slice(),
    depth: new Float32Array(buffer, out[2], pixels).slice(),
    part: new Int16Array(buffer, out[3], pixels).slice(),
  };
}

/** Light records, with the shadow maps drawn. */
function castShadows(
  { wasm, arena }: SceneModule,
  take: (bytes: number) => number,
  parts: readonly ScenePart[],
  partRecords: number,
  { lights }: Lighting,
): number {
  const casters = parts.filter(({ castsShadow = true }) => castsShadow);
  const records = take(at.LIGHT_BYTES * Math.max(1, lights.length));
  const room = take(16 * Math.max(0, ...casters.map(({ positions }) => positions.length / 3)));
  for (const [i, light] of lights.entries()) {
    const record = records + i * at.LIGHT_BYTES;
    const map = light.shadow && casters.length > 0 ? take(4 * (shadowSide(light) ** 2 + 8)) : 0;
    writeLight(arena.f32, arena.i32, record, light, map, casters);
    if (map === 0) continue;
    wasm.clearShadow(record);
    for (const [k, part] of parts.entries())
      if (part.castsShadow ?? true) wasm.castShadow(record, partRecords + k * at.PART_BYTES, room);
  }
  return records;
}

/** Takes room for a part's arrays; the function that comes back copies them and notes where they are. */
function copyPart(
  take: (bytes: number) => number,
  part: ScenePart,
): (arena: SceneModule['arena'], record: number) => void {
  const arrays: [number, Float32Array | Uint32Array | undefined][] = [
    [at.PART_POSITIONS, part.positions],
    [at.PART_NORMALS, part.normals],
    [at.PART_UVS, part.uvs],
    [at.PART_OCCLUSION, part.occlusion],
    [at.PART_COLOURS, part.colours],
    [at.PART_INDICES, part.indices],
  ];
  const places = arrays.map(([, array]) => (array === undefined ? 0 : take(array.byteLength)));
  return (arena, record) => {
    const { i32, f32 } = arena;
    for (const [i, [field, array]] of arrays.entries()) {
      i32[(record + field) / 4] = places[i];
      if (array !== undefined) (array instanceof Uint32Array ? i32 : f32).set(array, places[i] / 4);
    }
    i32[(record + at.PART_VERTEX_COUNT) / 4] = part.positions.length / 3;
    i32[(record + at.PART_TRIANGLE_COUNT) / 4] = part.indices.length / 3;
  };
}

function total<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((sum, item) => sum + size(item), 0);
}
