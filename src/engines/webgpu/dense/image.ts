/**
 * Convolutions as products: rows are output channels, columns the pixels of all images, and the sum goes over input
 * channels and taps. Pixels are gathered while tiles are filled; no image of columns is written.
 *
 * The sum's order is [chunk of channels][tap][channel of the chunk], so that a tile as deep as a chunk sees one tap
 * alone and neighbouring tiles read the same pixels; or [channel][tap] as weights lie in memory.
 */

import type { Operand, Storage } from '../kernel.ts';
import type { Sink } from './sink.ts';
import { type Depth, guarded, type Source } from './source.ts';

/** Taps in regular rows and columns. */
export interface Taps {
  readonly rows: number;
  readonly columns: number;
  /** Offset of the first tap from an output's place in the input, and between taps: rows, columns. */
  readonly first: readonly [number, number];
  readonly step: readonly [number, number];
}

/** A correlation of images with taps, as input and output coordinates see it. */
export interface Gathering {
  readonly batch: number;
  readonly groups: number;
  /** Channels of a group. */
  readonly inputs: number;
  readonly outputs: number;
  readonly input: readonly [number, number];
  /** Pixels that are computed. */
  readonly grid: readonly [number, number];
  /** Input pixels between neighbours of the grid. */
  readonly stride: readonly [number, number];
  readonly taps: Taps;
  /** Size of the output; the grid's pixels stand in it from `start` in steps of `spacing`. */
  readonly output: readonly [number, number];
  readonly start: readonly [number, number];
  readonly spacing: readonly [number, number];
}

/** Channels of a chunk in the sum's order; undefined where channels come first and taps second. */
export type Chunk = number | undefined;

/** A kernel larger than this has its taps checked in another way than `gatherSource` can. */
export const MOST_TAPS = 16;

/** Length of the sum, tiles' padding included. */
export function depthOf({ inputs, taps }: Gathering, chunk: Chunk): number {
  const count = taps.rows * taps.columns;
  return chunk === undefined ? inputs * count : Math.ceil(inputs / chunk) * count * chunk;
}

/** Bit i tells whether `place + i step` lies inside. */
export function insideBits(size: number, step: number, extent: number, place: string): string {
  const bits = Array.from(
    { length: size },
    (_, i) => `select(0u, ${1 << i}u, u32(${place} + ${i * step}) < ${extent}u)`,
  );
  return bits.join(' | ') || '0u';
}

/** Whether no depth lies beyond the last channel: the last chunk and the last tile are full. */
export function isEndless(gathering: Gathering, chunk: Chunk, depth: number): boolean {
  return chunk !== undefined && gathering.inputs % chunk === 0 && depthOf(gathering, chunk) % depth === 0;
}

/** Declares the channel, and the tap's row and column, of a depth. */
export function tapStatements(
  { taps }: Gathering,
  chunk: Chunk,
  tileDepth: number,
  { at, inner }: Depth,
  id: string,
): string {
  const count = Math.max(1, taps.rows * taps.columns);
  const columns = Math.max(1, taps.columns);
  const tap = `let ${id}Down = ${id}Tap / ${columns}u;\nlet ${id}Across = ${id}Tap % ${columns}u;`;
  // One tap for the whole tile: the same in all threads.
  if (chunk === tileDepth) {
    return `let ${id}Tap = ${at} / ${chunk}u % ${count}u;
let ${id}Channel = ${at} / ${chunk * count}u * ${chunk}u + ${inner};\n${tap}`;
  }
  const [channel, which] =
    chunk === undefined
      ? [`${id}Deep / ${count}u`, `${id}Deep % ${count}u`]
      : [
          `${id}Deep / ${chunk * count}u * ${chunk}u + ${id}Deep % ${chunk}u`,
          `${id}Deep / ${chunk}u % ${count}u`,
        ];
  return `let ${id}Deep = ${at} + ${inner};
let ${id}Tap = ${which};
let ${id}Channel = ${channel};\n${tap}`;
}

/** The right operand: pixels as columns.
 *
 * @param tile  columns of a tile, and its depth: a multiple of `chunk`, or `chunk` itself.
 */
export function gatherSource(
  gathering: Gathering,
  at: Operand,
  storage: Storage,
  chunk: Chunk,
  tile: { readonly columns: number; readonly depth: number },
): Source {
  const { batch, groups, inputs, input, grid, stride, taps } = gathering;
  const [height, width] = input;
  const pixels = grid[0] * grid[1];
  const whole = (batch * pixels) % tile.columns === 0;
  return {
    bound: { name: 'x', at, type: storage },
    along: 'line',
    wide: false,
    storage,
    line: (line, id) => `let ${id}Line = ${line};
let ${id}Pixel = ${id}Line % ${pixels}u;
let ${id}Row = i32(${id}Pixel / ${grid[1]}u * ${stride[0]}u) + ${taps.first[0]};
let ${id}Column = i32(${id}Pixel % ${grid[1]}u * ${stride[1]}u) + ${taps.first[1]};
let ${id}At = i32((${id}Line / ${pixels}u * ${groups}u + z) * ${inputs * height * width}u) + ${id}Row * ${width} + ${id}Column;
let ${id}Inside = ${whole ? '' : `select(0u, 0xffffffffu, ${id}Line < ${batch * pixels}u) & `}(${insideBits(taps.rows, taps.step[0], height, `${id}Row`)} | ((${insideBits(taps.columns, taps.step[1], width, `${id}Column`)}) << 16u));`,
    depth: (depth, id) => `${tapStatements(gathering, chunk, tile.depth, depth, id)}
let ${id}At = i32(${id}Channel * ${height * width}u) + i32(${id}Down) * ${taps.step[0] * width} + i32(${id}Across) * ${taps.step[1]};
let ${id}Ok = ${id}Channel < ${inputs}u;`,
    load: (line, depth, into) => {
      const inside = `((${line}Inside >> ${depth}Down) & (${line}Inside >> (${depth}Across + 16u)) & 1u) != 0u`;
      const conditions = isEndless(gathering, chunk, tile.depth) ? [inside] : [inside, `${depth}Ok`];
      return guarded(into, 'x', `u32(${line}At + ${depth}At)`, conditions, storage);
    },
  };
}

/** Results as images.
 *
 * @param wide  four at a time: only where `isWide`.
 */
export function imageSink(gathering: Gathering, at: Operand, storage: Storage, wide: boolean): Sink {
  const { groups, outputs, grid, output, start, spacing } = gathering;
  const pixels = grid[0] * grid[1];
  const plane = output[0] * output[1];
  const scale = wide ? 4 : 1;
  const row = (row: string, id: string): string =>
    `let ${id}At = (slot * ${outputs}u + ${row}) * ${plane / scale}u;`;
  const bound = { name: 'y', at, type: wide ? `vec4<${storage}>` : storage, write: true };
  const shared = { bound, storage, wide, row, at: (r: string, c: string) => `${r}At + ${c}At` };
  if (wide) {
    return {
      ...shared,
      column: (column, id) =>
        `let ${id}At = (${column}) / ${pixels}u * ${(groups * outputs * plane) / 4}u + (${column}) % ${pixels}u / 4u;`,
    };
  }
  return {
    ...shared,
    column: (column, id) => `let ${id}Image = (${column}) / ${pixels}u;
let ${id}Pixel = (${column}) % ${pixels}u;
let ${id}At = ${id}Image * ${groups * outputs * plane}u + (${id}Pixel / ${grid[1]}u * ${spacing[0]}u + ${start[0]}u) * ${output[1]}u + ${id}Pixel % ${grid[1]}u * ${spacing[1]}u + ${start[1]}u;`,
  };
}
