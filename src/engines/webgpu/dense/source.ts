/**
 * Operands of a product as the tiled kernel loads them: which element stands at a line (a row of the left operand,
 * a column of the right one) and a depth, and what can be computed of it before the loop over depths.
 */

import type { Bound, Operand, Storage } from '../kernel.ts';

/** Where in the sum a thread loads from: `at` is the same for a workgroup, `inner` for a thread. */
export interface Depth {
  readonly at: string;
  readonly inner: string;
}

/** WGSL of an operand. Names that it declares begin with the `id` it is given; `z` is the product's number. */
export interface Source {
  readonly bound: Bound;
  /** Along what elements are neighbours in memory: lanes follow it. */
  readonly along: 'line' | 'depth';
  /** What is loaded is a vec4 of four neighbouring lines, the first of which `line` was given. */
  readonly wide: boolean;
  /** Type of what is loaded. */
  readonly storage: Storage;
  /** Statements for one line, before the loop. */
  line(line: string, id: string): string;
  /** Statements for one depth, in the loop. */
  depth(depth: Depth, id: string): string;
  /** Statements that declare `into` as the element at a line and a depth, by their ids; zero where there is none. */
  load(line: string, depth: string, into: string): string;
}

/** A strided matrix. */
export interface Matrix {
  readonly name: string;
  readonly at: Operand;
  readonly storage: Storage;
  readonly lines: number;
  readonly depths: number;
  readonly lineStride: number;
  readonly depthStride: number;
  /** Elements between the matrices of a batch; 0 for one that all share. */
  readonly batchStride: number;
}

/** A matrix whose lines or depths are neighbours in memory.
 *
 * @param tileLines, tileDepth  what it is cut into: where that divides, nothing is checked.
 */
export function matrixSource(matrix: Matrix, tileLines: number, tileDepth: number): Source {
  const { name, at, storage, lines, depths, lineStride, depthStride, batchStride } = matrix;
  const wide = lineStride === 1 && [lines, depthStride, batchStride].every((extent) => extent % 4 === 0);
  const checks = (line: string, depth: string): string[] => [
    ...(lines % tileLines === 0 ? [] : [`${line}Ok`]),
    ...(depths % tileDepth === 0 ? [] : [`${depth}Ok`]),
  ];
  const scale = wide ? 4 : 1;
  const type = wide ? `vec4<${storage}>` : storage;
  return {
    bound: { name, at, type },
    along: lineStride === 1 ? 'line' : 'depth',
    wide,
    storage,
    line: (line, id) =>
      `let ${id}At = z * ${batchStride / scale}u + (${line})${wide ? ' / 4u' : ` * ${lineStride}u`};
let ${id}Ok = ${line} < ${lines}u;`,
    depth: (depth, id) =>
      `let ${id}K = ${depth.at} + ${depth.inner};
let ${id}At = ${id}K * ${depthStride / scale}u;
let ${id}Ok = ${id}K < ${depths}u;`,
    load: (line, depth, into) => guarded(into, name, `${line}At + ${depth}At`, checks(line, depth), type),
  };
}

/** Declares `into` as an element, zero unless all `conditions` hold; nothing outside is read. Conditions are joined
 * without branches: these slow down software adapters' compilers, and gain nothing on GPUs. */
export function guarded(
  into: string,
  name: string,
  index: string,
  conditions: readonly string[],
  type: string,
): string {
  if (conditions.length === 0) return `let ${into} = ${name}[${index}];`;
  return `let ${into}Ok = ${conditions.map((condition) => `(${condition})`).join(' & ')};
let ${into} = select(${type}(), ${name}[select(0u, ${index}, ${into}Ok)], ${into}Ok);`;
}
