/** What a made part consists of. */

import type { ProxyMesh } from '../assets.ts';

export interface MadeTexture {
  readonly width: number;
  readonly height: number;
  /** RGBA, sRGB */
  readonly data: Uint8Array;
  readonly repeat?: boolean;
}

/** A part that no file of the asset package holds. */
export interface MadePart {
  readonly name: string;
  readonly proxy: ProxyMesh;
  /** Grey where the wearer's hair colour multiplies it. `detail` is 1, 1/2 or 1/4. */
  readonly texture?: (detail: number) => MadeTexture;
  /** [V, 4] linear red, green, blue and alpha that multiply */
  readonly colours?: Float32Array;
  readonly mode: 'opaque' | 'cutout' | 'blend';
}
