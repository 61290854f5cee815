/** What the arithmetic of a tiled product is written from, and what is written. */

import type { Fill } from './fill.ts';
import type { Sink } from './sink.ts';
import type { ProductShape, Tile } from './tile.ts';

/** What the arithmetic of a tile is written from. WGSL around it declares `index` of the thread, `row0`, `column0`
 * and `slot`. */
export interface Parts {
  readonly shape: ProductShape;
  readonly tile: Tile;
  readonly fills: readonly [Fill, Fill];
  readonly sink: Sink;
}

/** WGSL of the arithmetic on tiles. */
export interface Arithmetic {
  readonly memory: string;
  readonly before: string;
  /** Adds the product of the tiles in memory. */
  readonly compute: string;
  /** Writes the sums. */
  readonly after: string;
}

/** Lines of text, one for each number below `count`. */
export function each(count: number, build: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => build(i)).join('\n');
}
