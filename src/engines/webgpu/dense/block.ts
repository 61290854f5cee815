/** The arithmetic of tiles by multiply-adds of vectors in registers. */

import { type Arithmetic, each, type Parts } from './arithmetic.ts';
import { type Fill, lineAt, pitchOf } from './fill.ts';
import { stored } from './sink.ts';

/** Multiply-adds of threads, each with a block of results. */
export function blockCode({ shape, tile, fills, sink }: Parts): Arithmetic {
  const [rows, columns] = tile.block;
  const [acrossThreads, downThreads] = [tile.columns / columns, tile.rows / rows];
  const [quadsDown, quadsAcross] = [rows / 4, columns / 4];
  // A subgroup of 32 covers 8 by 4 threads: then it reads the fewest different vectors.
  const woven = acrossThreads % 8 === 0 && downThreads % 4 === 0;
  const before = `
${
  woven
    ? `let tx = index % 8u + index / 32u % ${acrossThreads / 8}u * 8u;
let ty = index / 8u % 4u + index / ${4 * acrossThreads}u * 4u;`
    : `let tx = index % ${acrossThreads}u;
let ty = index / ${acrossThreads}u;`
}
${each(rows * quadsAcross, (i) => `var s${i} = vec4f();`)}`;
  const vector = (fill: Fill, step: number, thread: string, i: number, threads: number): string =>
    `let ${fill.name}${i} = vec4f(${fill.name}Tile[(k + ${step}u) * ${pitchOf(fill)}u + ${thread} + ${i * threads}u]);`;
  const { unroll } = tile;
  const one = (step: number): string => `{
${each(quadsDown, (i) => vector(fills[0], step, 'ty', i, downThreads))}
${each(quadsAcross, (i) => vector(fills[1], step, 'tx', i, acrossThreads))}
${each(rows * quadsAcross, (i) => {
  const [row, quad] = [Math.floor(i / quadsAcross), i % quadsAcross];
  return `s${i} = fma(vec4f(a${Math.floor(row / 4)}[${row % 4}]), b${quad}, s${i});`;
})}
}`;
  const compute = `for (var k = 0u; k < ${tile.depth}u; k += ${unroll}u) {\n${each(unroll, one)}\n}`;
  const parts = sink.wide ? [0] : [0, 1, 2, 3];
  const [allRows, allColumns] = [shape.rows % tile.rows === 0, shape.columns % tile.columns === 0];
  const column = (quad: number): string =>
    parts
      .map((part) => {
        const id = `c${quad}_${part}`;
        const place = lineAt(fills[1], `(tx + ${quad * acrossThreads}u)`, `${part}u`);
        return `let ${id} = column0 + ${place};\n${sink.column(id, id)}`;
      })
      .join('\n');
  const put = (row: number, quad: number): string =>
    parts
      .map((part) => {
        const id = `c${quad}_${part}`;
        const value = `s${row * quadsAcross + quad}${sink.wide ? '' : `[${part}]`}`;
        const line = `y[${sink.at('r', id)}] = ${stored(value, sink.storage, sink.wide)};`;
        return allColumns ? line : `if (${id} < ${shape.columns}u) { ${line} }`;
      })
      .join('\n');
  const after = `${each(quadsAcross, column)}
${each(rows, (row) => {
  const place = lineAt(fills[0], `(ty + ${Math.floor(row / 4) * downThreads}u)`, `${row % 4}u`);
  const line = `${sink.row('r', 'r')}\n${each(quadsAcross, (quad) => put(row, quad))}`;
  return `{ let r = row0 + ${place};\n${allRows ? line : `if (r < ${shape.rows}u) {\n${line}\n}`} }`;
})}`;
  return { memory: '', before, compute, after };
}
