/** Where the results of a product go. */

import type { Bound, Operand, Storage } from '../kernel.ts';

/** WGSL of a destination. Names that it declares begin with the `id` it is given; `slot` is the number of the matrix of results. */
export interface Sink {
  readonly bound: Bound;
  readonly storage: Storage;
  /** Takes vec4s of neighbouring columns. */
  readonly wide: boolean;
  row(row: string, id: string): string;
  column(column: string, id: string): string;
  /** Index of the element (of the vec4 where `wide`) at a row and a column, by their ids. */
  at(row: string, column: string): string;
}

/** A value, or a vec4 of them, as it is stored. */
export function stored(value: string, storage: Storage, wide = false): string {
  if (storage !== 'f16') return value;
  const type = (name: string): string => (wide ? `vec4<${name}>` : name);
  return `${type('f16')}(clamp(${value}, ${type('f32')}(-65504.0), ${type('f32')}(65504.0)))`;
}

/** A batch of row-major matrices.
 *
 * @param wide  four columns at a time: only where their number allows it.
 */
export function matrixSink(
  at: Operand,
  storage: Storage,
  rows: number,
  columns: number,
  wide = columns % 4 === 0,
): Sink {
  const scale = wide ? 4 : 1;
  return {
    bound: { name: 'y', at, type: wide ? `vec4<${storage}>` : storage, write: true },
    storage,
    wide,
    row: (row, id) => `let ${id}At = (slot * ${rows}u + ${row}) * ${columns / scale}u;`,
    column: (column, id) => `let ${id}At = (${column})${wide ? ' / 4u' : ''};`,
    at: (row, column) => `${row}At + ${column}At`,
  };
}
