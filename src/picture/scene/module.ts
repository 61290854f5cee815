/** The renderer's WebAssembly module and a memory of its own. */

import { type Arena, createArena } from './arena.ts';
import { SCENE_MODULE_BASE64 } from './generated/module.ts';

/** Exports of `assembly/index.ts`; pointers are byte offsets. */
export interface SceneExports {
  readonly memory: WebAssembly.Memory;
  heapStart(): number;
  clearSamples(frame: number, samples: number): void;
  placeVertices(frame: number, part: number): number;
  placeTangents(part: number): void;
  drawPart(frame: number, part: number): void;
  clearShadow(light: number): void;
  castShadow(light: number, part: number, room: number): void;
  shadeBlended(frame: number): void;
  shadeOpaque(frame: number, rowsAtOnce: number): void;
  buildLevels(texture: number): void;
  composeTexture(composition: number): void;
  spreadPoints(mesh: number, spacing: number, room: number): number;
  gatherVertices(mesh: number): void;
  look(
    meshes: number,
    count: number,
    direction: number,
    solid: number,
    porous: number,
    side: number,
    nearest: number,
    range: number,
  ): void;
  finishOcclusion(mesh: number): void;
}

/** The exports of an instance, and its memory. */
export interface SceneModule {
  readonly wasm: SceneExports;
  readonly arena: Arena;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** A new instance; the code is compiled once a thread. */
export async function instantiateScene(): Promise<SceneModule> {
  compiled ??= WebAssembly.compile(Uint8Array.from(atob(SCENE_MODULE_BASE64), (char) => char.charCodeAt(0)));
  const instance = await WebAssembly.instantiate(await compiled, {});
  const wasm = instance.exports as unknown as SceneExports;
  return { wasm, arena: createArena(wasm.memory, wasm.heapStart()) };
}
