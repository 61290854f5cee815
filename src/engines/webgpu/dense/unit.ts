/**
 * The arithmetic of tiles on matrix units: Dawn's `chromium_experimental_subgroup_matrix`.
 *
 * Offsets and strides count elements of the array that is loaded from: here vectors of four.
 */

import { type Arithmetic, each, type Parts } from './arithmetic.ts';
import { lineAt, pitchOf } from './fill.ts';
import { stored } from './sink.ts';

/** Products of subgroups, each with a block of results. The block's results go through workgroup memory, one unit's
 * worth at a time, since only whole matrices can be stored and only in single precision. */
export function unitCode({ shape, tile, fills, sink }: Parts): Arithmetic {
  const { m, n, k } = tile.unit!;
  const [down, across] = [tile.block[0] / m, tile.block[1] / n];
  const subgroupsAcross = tile.columns / tile.block[1];
  const subgroups = (tile.rows / tile.block[0]) * subgroupsAcross;
  const [pitchA, pitchB] = [pitchOf(fills[0]), pitchOf(fills[1])];
  const before = `
let down0 = subgroup / ${subgroupsAcross}u * ${tile.block[0]}u;
let across0 = subgroup % ${subgroupsAcross}u * ${tile.block[1]}u;
${each(down * across, (i) => `var s${i} = subgroup_matrix_result<f32, ${n}, ${m}>();`)}`;
  const compute = `for (var k = 0u; k < ${tile.depth}u; k += ${k}u) {
${each(down, (i) => `let a${i} = subgroupMatrixLoad<subgroup_matrix_left<f16, ${k}, ${m}>, col_major>(&aTile, k * ${pitchA}u + down0 / 4u + ${(i * m) / 4}u, ${pitchA}u);`)}
${each(across, (i) => `let b${i} = subgroupMatrixLoad<subgroup_matrix_right<f16, ${n}, ${k}>, row_major>(&bTile, k * ${pitchB}u + across0 / 4u + ${(i * n) / 4}u, ${pitchB}u);`)}
${each(down * across, (i) => `s${i} = subgroupMatrixMultiplyAccumulate(a${Math.floor(i / across)}, b${i % across}, s${i});`)}
}`;
  const after = each(
    down * across,
    (i) => `subgroupMatrixStore<row_major>(&results, subgroup * ${m * n}u, s${i}, ${n}u);
workgroupBarrier();
put(slot, row0, column0, down0 + ${Math.floor(i / across) * m}u, across0 + ${(i % across) * n}u, subgroup * ${m * n}u, lane, lanes);
workgroupBarrier();`,
  );
  const memory = `var<workgroup> results: array<f32, ${subgroups * m * n}>;
fn put(slot: u32, row0: u32, column0: u32, down: u32, across: u32, first: u32, lane: u32, lanes: u32) {
for (var i = lane * ${sink.wide ? 4 : 1}u; i < ${m * n}u; i += lanes * ${sink.wide ? 4 : 1}u) {
let down_ = down + i / ${n}u;
let across_ = across + i % ${n}u;
let row = row0 + ${lineAt(fills[0], 'down_ / 4u', 'down_ % 4u')};
let column = column0 + ${lineAt(fills[1], 'across_ / 4u', 'across_ % 4u')};
if (row < ${shape.rows}u && column < ${shape.columns}u) {
${sink.row('row', 'r')}
${sink.column('column', 'c')}
y[${sink.at('r', 'c')}] = ${stored(
    sink.wide
      ? 'vec4f(results[first + i], results[first + i + 1u], results[first + i + 2u], results[first + i + 3u])'
      : 'results[first + i]',
    sink.storage,
    sink.wide,
  )};
}
}
}`;
  return { memory, before, compute, after };
}
