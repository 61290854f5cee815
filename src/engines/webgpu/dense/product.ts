/**
 * Tiled matrix products: both operands go through workgroup memory, sums lie in registers.
 *
 * One generator for all: what the operands are is said by their `Source`, where results go by a `Sink`. Where there
 * are too few tiles to fill a device, the sum is split over workgroups, and a second dispatch adds the parts up.
 */

import { type Abilities, type Dispatch, type Operand, spread } from '../kernel.ts';
import type { Parts } from './arithmetic.ts';
import { blockCode } from './block.ts';
import { type Fill, fillCode } from './fill.ts';
import { matrixSink, type Sink, stored } from './sink.ts';
import type { Source } from './source.ts';
import { type Cut, type ProductShape, threadsOf, tilesOf } from './tile.ts';
import { unitCode } from './unit.ts';

export interface Product {
  readonly label: string;
  readonly shape: ProductShape;
  readonly a: Source;
  readonly b: Source;
  readonly sink: Sink;
  readonly cut: Cut;
  /** Operands are rounded to half precision in workgroup memory. */
  readonly half: boolean;
  /** Where partial sums go when the sum is split: `partialBytes` long. */
  readonly partial: Operand;
}

export function partialBytes({ rows, columns, batch }: ProductShape, { splits }: Cut): number {
  return splits === 1 ? 0 : 4 * rows * columns * batch * splits;
}

/** The dispatches of a product. */
export function productDispatches(product: Product, abilities: Abilities): Dispatch[] {
  const { shape, cut, partial, label } = product;
  const most = abilities.limits.maxComputeWorkgroupsPerDimension;
  const jobs = tilesOf(shape, cut.tile) * cut.splits;
  const whole = cut.splits === 1;
  const wide = shape.columns % 4 === 0 && !isApart(product.b);
  const sink = whole ? product.sink : matrixSink(partial, 'f32', shape.rows, shape.columns, wide);
  const tiled: Dispatch = {
    label,
    code: productCode(product, sink, jobs),
    bound: [product.a.bound, product.b.bound, sink.bound],
    groups: spread(jobs, most),
  };
  return whole ? [tiled] : [tiled, reduction(product, most)];
}

/** Whether lanes load neighbouring lines one at a time. */
function isApart({ wide, along }: Source): boolean {
  return !wide && along === 'line';
}

function productCode({ shape, a, b, cut, half }: Product, sink: Sink, jobs: number): string {
  const { tile, splits } = cut;
  const threads = threadsOf(tile);
  const [down, across] = [Math.ceil(shape.rows / tile.rows), Math.ceil(shape.columns / tile.columns)];
  const steps = Math.ceil(shape.depth / tile.depth);
  const part = Math.ceil(steps / splits) * tile.depth;
  const shared = { depth: tile.depth, threads, element: half ? 'f16' : 'f32' } as const;
  const gapOf = ({ along }: Source): number => (tile.unit ? 2 : along === 'depth' ? 1 : 0);
  const left: Fill = {
    ...{ ...shared, name: 'a', source: a, lines: tile.rows, first: 'row0', gap: gapOf(a) },
    quads: !isApart(a),
  };
  const right: Fill = {
    ...{ ...shared, name: 'b', source: b, lines: tile.columns, first: 'column0', gap: gapOf(b) },
    quads: sink.wide || tile.unit !== undefined || !isApart(b),
  };
  const codes = [fillCode(left), fillCode(right)];
  const parts: Parts = { shape, tile, fills: [left, right], sink };
  const arithmetic = tile.unit ? unitCode(parts) : blockCode(parts);
  const load = `if (at < last) {\n${codes.map((code) => code.load).join('\n')}\n}`;
  const compute = `if (at > begin) {\n${arithmetic.compute}\n}`;
  return `
${codes.map((code) => code.memory).join('\n')}
${arithmetic.memory}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) index: u32${tile.unit ? ', @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_size) lanes: u32, @builtin(subgroup_invocation_id) lane: u32' : ''}) {
let job = group.x + group.y * groups.x;
if (job >= ${jobs}u) { return; }
let row0 = job % ${down}u * ${tile.rows}u;
let column0 = job / ${down}u % ${across}u * ${tile.columns}u;
let slot = job / ${down * across}u;
let z = slot % ${shape.batch}u;
let begin = slot / ${shape.batch}u * ${part}u;
let last = min(begin + ${part}u, ${steps * tile.depth}u);
${codes.map((code) => code.before).join('\n')}
${arithmetic.before}
for (var at = begin; ; at += ${tile.depth}u) {
${tile.prefetch ? load : compute}
${tile.prefetch ? compute : 'workgroupBarrier();'}
if (at >= last) { break; }
${tile.prefetch ? 'workgroupBarrier();' : codes.map((code) => code.load).join('\n')}
${codes.map((code) => code.store).join('\n')}
workgroupBarrier();
}
${arithmetic.after}
}`;
}

const REDUCTION_THREADS = 128;

/** Adds up the parts of split sums. */
function reduction({ shape, sink, cut, partial, label }: Product, most: number): Dispatch {
  const { rows, columns, batch } = shape;
  const scale = sink.wide ? 4 : 1;
  const count = (rows * columns * batch) / scale;
  const code = `
@compute @workgroup_size(${REDUCTION_THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) index: u32) {
let i = (group.x + group.y * groups.x) * ${REDUCTION_THREADS}u + index;
if (i >= ${count}u) { return; }
var sum = ${sink.wide ? 'vec4f' : 'f32'}();
for (var part = 0u; part < ${cut.splits}u; part++) { sum += parts[part * ${count}u + i]; }
let column = i * ${scale}u % ${columns}u;
let row = i * ${scale}u / ${columns}u % ${rows}u;
let slot = i * ${scale}u / ${rows * columns}u;
${sink.row('row', 'r')}
${sink.column('column', 'c')}
y[${sink.at('r', 'c')}] = ${stored('sum', sink.storage, sink.wide)};
}`;
  return {
    label: `${label}, parts of the sum`,
    code,
    bound: [{ name: 'parts', at: partial, type: sink.wide ? 'vec4<f32>' : 'f32' }, sink.bound],
    groups: spread(Math.ceil(count / REDUCTION_THREADS), most),
  };
}
