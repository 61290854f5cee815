/** Pixels of convolutions four at a time, where rows of images are whole vectors. */

import type { Operand, Storage } from '../kernel.ts';
import { type Chunk, type Gathering, insideBits, isEndless, tapStatements } from './image.ts';
import { guarded, type Source } from './source.ts';

/** Whether four neighbouring columns of the product are always neighbours in a row of the output, and rows of both
 * images begin with a vector. */
export function isWide({ input, grid, output, stride, start, spacing }: Gathering): boolean {
  const still = [...stride, ...spacing].every((size) => size === 1) && start.every((at) => at === 0);
  const same = grid.every((size, axis) => size === output[axis]);
  return still && same && input[1] % 4 === 0 && grid[1] % 4 === 0;
}

/** The right operand of a convolution that `isWide`: like `gatherSource`. Four pixels to the side of a vector's are
 * put together from two vectors. */
export function wideSource(
  gathering: Gathering,
  at: Operand,
  storage: Storage,
  chunk: Chunk,
  tile: { readonly columns: number; readonly depth: number },
): Source {
  const { batch, groups, inputs, input, grid, taps } = gathering;
  const [height, width] = input;
  const pixels = grid[0] * grid[1];
  const whole = (batch * pixels) % tile.columns === 0;
  const type = `vec4<${storage}>`;
  const vectors = width / 4;
  return {
    bound: { name: 'x', at, type },
    along: 'line',
    wide: true,
    storage,
    line: (line, id) => `let ${id}Line = ${line};
let ${id}Pixel = ${id}Line % ${pixels}u;
let ${id}Row = i32(${id}Pixel / ${grid[1]}u) + ${taps.first[0]};
let ${id}Column = i32(${id}Pixel % ${grid[1]}u / 4u);
let ${id}At = i32((${id}Line / ${pixels}u * ${groups}u + z) * ${inputs * height * vectors}u) + ${id}Row * ${vectors} + ${id}Column;
let ${id}Inside = ${whole ? '' : `select(0u, 0xffffffffu, ${id}Line < ${batch * pixels}u) & `}(${insideBits(taps.rows, taps.step[0], height, `${id}Row`)});`,
    depth: (depth, id) => `${tapStatements(gathering, chunk, tile.depth, depth, id)}
let ${id}Side = ${taps.first[1]} + i32(${id}Across) * ${taps.step[1]};
let ${id}Shift = ${id}Side & 3;
let ${id}Vector = ${id}Side >> 2u;
let ${id}At = i32(${id}Channel * ${height * vectors}u) + i32(${id}Down) * ${taps.step[0] * vectors} + ${id}Vector;
let ${id}Ok = ${id}Channel < ${inputs}u;`,
    load: (line, depth, into) => {
      const rows = [
        `((${line}Inside >> ${depth}Down) & 1u) != 0u`,
        ...(isEndless(gathering, chunk, tile.depth) ? [] : [`${depth}Ok`]),
      ];
      const vector = (name: string, next: number): string =>
        guarded(
          name,
          'x',
          `u32(${line}At + ${depth}At + ${next})`,
          [...rows, `u32(${line}Column + ${depth}Vector + ${next}) < ${vectors}u`],
          type,
        );
      return `${vector(`${into}Here`, 0)}
var ${into} = ${into}Here;
if (${depth}Shift != 0) {
${vector('next', 1)}
let two = select(vec4(${into}Here.w, next.xyz), vec4(${into}Here.zw, next.xy), ${depth}Shift == 2);
${into} = select(two, vec4(${into}Here.yzw, next.x), ${depth}Shift == 1);
}`;
    },
  };
}
