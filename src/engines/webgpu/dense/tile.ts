/** How a product is cut into workgroups and threads, and which cut suits its shape. */

import type { Abilities, MatrixUnit } from '../kernel.ts';

/** A workgroup's part of a product. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  /** Length of the sum that lies in workgroup memory at a time. */
  readonly depth: number;
  /** Rows and columns of one thread, multiples of 4; with matrix units those of one subgroup. */
  readonly block: readonly [number, number];
  readonly unit?: MatrixUnit;
  /** Threads of a subgroup, for matrix units. */
  readonly lanes?: number;
  /** Loads the next operands into registers while it computes. */
  readonly prefetch: boolean;
  /** Depths that are written out in the innermost loop of plain arithmetic; divides `depth`. */
  readonly unroll: number;
}

/** Sizes of a batch of products: [rows, depth] times [depth, columns]. */
export interface ProductShape {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly batch: number;
}

export function threadsOf({ rows, columns, block, unit, lanes = 1 }: Tile): number {
  return ((rows / block[0]) * columns * (unit ? lanes : 1)) / block[1];
}

/** Products of tiles of a shape, each once for each part that its sum is split into. */
export function tilesOf(shape: ProductShape, tile: Tile): number {
  return Math.ceil(shape.rows / tile.rows) * Math.ceil(shape.columns / tile.columns) * shape.batch;
}

/** A tile, and into how many parts the sum is split so that there are enough workgroups. */
export interface Cut {
  readonly tile: Tile;
  readonly splits: number;
}

/** A tile of plain arithmetic. */
export function plainTile(
  rows: number,
  columns: number,
  depth: number,
  block: readonly [number, number],
  prefetch = true,
  unroll = 4,
): Tile {
  return { rows, columns, depth, block, prefetch, unroll };
}

/** Tiles with what each reaches, relative to the best, when there are workgroups enough. */
const PLAIN: readonly (readonly [Tile, number])[] = [
  [plainTile(128, 128, 16, [8, 8]), 1],
  [plainTile(128, 128, 8, [8, 8]), 0.9],
  [plainTile(64, 128, 16, [8, 4]), 0.85],
  [plainTile(128, 64, 16, [8, 4]), 0.85],
  [plainTile(64, 64, 16, [4, 4]), 0.65],
  [plainTile(32, 64, 32, [4, 4]), 0.5],
  [plainTile(32, 256, 16, [8, 4]), 0.7],
  [plainTile(16, 256, 16, [4, 4]), 0.5],
  [plainTile(16, 64, 32, [4, 4]), 0.35],
  [plainTile(4, 512, 8, [4, 4]), 0.3],
  [plainTile(256, 16, 16, [4, 4]), 0.5],
  [plainTile(512, 4, 8, [4, 4]), 0.3],
  [plainTile(64, 16, 32, [4, 4]), 0.35],
];

/** Short to compile, and small enough for any device. */
const SMALLEST = plainTile(16, 16, 8, [4, 4], true, 1);

/** Multiprocessors of the device that the constants were measured on, and threads that keep one busy. */
const PROCESSORS = 132;
const BUSY_THREADS = 512;
/** The least length of a part of a split sum. */
const LEAST_PART = 64;
/** Most bytes of partial sums. */
const PARTIAL_BYTES = 1 << 27;
/** Multiply-adds of one multiprocessor in the time that a second dispatch takes. */
export const SECOND_DISPATCH = 340e3;
/** The same for one partial sum, written and read again. */
const PARTIAL = 0.3;
/** Steps of the loop in the time that a workgroup takes to begin and to end. */
const ENDS = 2;

/** The tile that should be fastest for a shape, and its split. */
export function tileFor(shape: ProductShape, abilities: Abilities, half: boolean): Cut {
  if (abilities.software) return { tile: SMALLEST, splits: 1 };
  const candidates = [...PLAIN, ...(half ? unitTiles(abilities) : [])];
  let best: Cut | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [tile, rate] of candidates) {
    if (!fits(tile, abilities, half)) continue;
    for (const splits of splitsFor(shape)) {
      const time = timeOf(shape, tile, splits, rate);
      if (time >= least) continue;
      least = time;
      best = { tile, splits };
    }
  }
  return best ?? { tile: SMALLEST, splits: 1 };
}

/** What a tile of the table reaches. */
export function rateOf(tile: Tile): number {
  return PLAIN.find(([known]) => known === tile)?.[1] ?? 1;
}

/** Counts of parts that a sum may be split into. */
export function splitsFor({ rows, columns, depth, batch }: ProductShape): number[] {
  const most = Math.min(depth / LEAST_PART, PARTIAL_BYTES / (4 * rows * columns * batch));
  return [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].filter((n) => n === 1 || n <= most);
}

/** Estimate in multiply-adds of one multiprocessor, of a tile that reaches `rate` when there are workgroups enough. */
export function timeOf(shape: ProductShape, tile: Tile, splits: number, rate: number): number {
  const steps = Math.ceil(Math.ceil(shape.depth / tile.depth) / splits);
  const each = Math.ceil((tilesOf(shape, tile) * splits) / PROCESSORS);
  const busy = Math.min(1, (each * threadsOf(tile)) / BUSY_THREADS);
  const work = (each * tile.rows * tile.columns * (steps + ENDS) * tile.depth) / (rate * (0.5 + busy / 2));
  const results = shape.rows * shape.columns * shape.batch;
  return work + (splits === 1 ? 0 : SECOND_DISPATCH + PARTIAL * splits * results);
}

/** Bytes of workgroup memory. */
export function memoryOf(tile: Tile, half: boolean): number {
  const { rows, columns, depth, unit, lanes = 1 } = tile;
  const tiles = depth * (rows + columns + 16) * (half ? 2 : 4);
  return tiles + (unit ? (threadsOf(tile) / lanes) * unit.m * unit.n * 4 : 0);
}

/** Whether a device can run a tile. */
export function fits(tile: Tile, { limits }: Abilities, half: boolean): boolean {
  return (
    threadsOf(tile) <= limits.maxComputeInvocationsPerWorkgroup &&
    memoryOf(tile, half) <= limits.maxComputeWorkgroupStorageSize
  );
}

/** The matrix unit that products of half precision with sums in single precision run on. */
export function unitOf(abilities: Abilities): Pick<Tile, 'unit' | 'lanes'> | undefined {
  const { subgroups, half, matrixUnits } = abilities;
  if (!half || subgroups === undefined || subgroups.least !== subgroups.most) return undefined;
  const suited = matrixUnits.filter(
    ({ component, result, m, n, k }) =>
      component === 'f16' && result === 'f32' && m % 8 === 0 && n % 8 === 0 && k % 8 === 0,
  );
  const [unit] = suited.sort((a, b) => b.m * b.n * b.k - a.m * a.n * a.k);
  return unit && { unit, lanes: subgroups.most };
}

function unitTiles(abilities: Abilities): (readonly [Tile, number])[] {
  const found = unitOf(abilities);
  if (found === undefined) return [];
  const of = (rows: number, columns: number, depth: number, block: readonly [number, number]): Tile => ({
    ...plainTile(rows, columns, depth, block),
    ...found,
  });
  const tiles: [Tile, number][] = [
    [of(128, 128, 32, [64, 32]), 4],
    [of(64, 128, 32, [32, 32]), 3],
    [of(128, 64, 32, [32, 32]), 3],
    [of(64, 64, 32, [32, 32]), 2],
    [of(32, 64, 32, [16, 32]), 1.2],
  ];
  const { m, n, k } = found.unit!;
  return tiles.filter(([{ block, depth }]) => block[0] % m === 0 && block[1] % n === 0 && depth % k === 0);
}
