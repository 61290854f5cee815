/**
 * Patterns of garments: stripes and checks across the cloth as it hangs, whatever its own texture coordinates are.
 *
 * A pattern is a small tile that repeats over height and width of the garment on the undeformed base, so that it follows
 * the body. The garment's own shading then goes into its corners.
 */

import { LINEAR, srgbByte } from '../../picture/shade.ts';
import type { Assets, ProxyMesh } from './assets.ts';
import type { Image } from './images.ts';
import type { MeshTemplate } from './mesh-template.ts';
import { fitted, morph } from './morph.ts';

/** Decimetres of one repetition. */
const PERIOD = 0.36;
const TILE = 64;
/** Light of the darker threads beside the lighter ones. */
const DARKER = 0.3;

/** A tile of grey, sRGB, that repeats. */
export function patternTile(pattern: 'stripes' | 'checks'): Image & { readonly repeat: true } {
  const data = new Uint8Array(TILE * TILE * 4);
  for (let y = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++) {
      const across = y < TILE * 0.4;
      const down = x < TILE * 0.4;
      const threads = pattern === 'stripes' ? Number(across) : (Number(across) + Number(down)) / 2;
      data.fill(srgbByte(1 - threads * (1 - DARKER)), 4 * (y * TILE + x), 4 * (y * TILE + x) + 3);
      data[4 * (y * TILE + x) + 3] = 255;
    }
  }
  return { width: TILE, height: TILE, data, repeat: true };
}

/** A garment's corners for a pattern. */
export interface Fabric {
  /** [S, 2] */
  readonly uvs: Float32Array;
  /** [S, 4] shading */
  readonly colours: Float32Array;
}

/** Prepares a garment. @param shading its own shading, white where left out */
export function fabricOf(
  assets: Assets,
  garment: ProxyMesh,
  { cornerVertex, uvs: own }: MeshTemplate,
  shading: Image | undefined,
): Fabric {
  const places = fitted(garment, morph(assets, new Map()));
  const uvs = new Float32Array(2 * cornerVertex.length);
  const colours = new Float32Array(4 * cornerVertex.length).fill(1);
  cornerVertex.forEach((vertex, s) => {
    uvs[2 * s] = places[3 * vertex] / PERIOD;
    uvs[2 * s + 1] = places[3 * vertex + 1] / PERIOD;
    if (shading !== undefined) colours.fill(lightAt(shading, own[2 * s], own[2 * s + 1]), 4 * s, 4 * s + 3);
  });
  return { uvs, colours };
}

function lightAt({ width, height, data }: Image, u: number, v: number): number {
  const x = Math.min(width - 1, Math.max(0, Math.floor(u * width)));
  const y = Math.min(height - 1, Math.max(0, Math.floor(v * height)));
  return LINEAR[data[4 * (y * width + x)]];
}
