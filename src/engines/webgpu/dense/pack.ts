/** Weights of a convolution as the left operand of its product: [group][depth][row], rows and depth padded with
 * zeros to whole tiles. */

import { type Dispatch, type Operand, type Storage, spread } from '../kernel.ts';
import { depthOf, type Gathering } from './image.ts';
import type { Tile } from './tile.ts';

/** Which weights a gathering's taps are, and how the weight [O, C / groups, kh, kw] is read. */
export interface WeightTaps {
  readonly kernel: readonly [number, number];
  /** The kernel's row and column of the first tap, and steps to the next. */
  readonly first: readonly [number, number];
  readonly step: readonly [number, number];
  /** The gathering goes from O to C channels. */
  readonly turned: boolean;
}

/** A packed weight's sizes. */
export function packedSize(gathering: Gathering, chunk: number, tile: Tile): { rows: number; depth: number } {
  const whole = (size: number, part: number): number => Math.ceil(size / part) * part;
  return {
    rows: whole(gathering.outputs, tile.rows),
    depth: whole(depthOf(gathering, chunk), tile.depth),
  };
}

const THREADS = 64;

export function packDispatch(
  gathering: Gathering,
  weights: WeightTaps,
  chunk: number,
  tile: Tile,
  from: { readonly at: Operand; readonly storage: Storage },
  to: { readonly at: Operand; readonly storage: Storage },
  most: number,
): Dispatch {
  const { inputs, outputs, groups, taps } = gathering;
  const { rows, depth } = packedSize(gathering, chunk, tile);
  const { kernel, first, step, turned } = weights;
  const count = taps.rows * taps.columns;
  // A tile may be deeper than all taps of the last chunk: its zeros are written as channels.
  const channels = Math.ceil(depth / (count * chunk)) * chunk;
  const total = groups * channels * rows;
  const place = turned
    ? `((z * ${inputs}u + channel) * ${outputs}u + row)`
    : `((z * ${outputs}u + row) * ${inputs}u + channel)`;
  const code = `
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) index: u32) {
let i = (group.x + group.y * groups.x) * ${THREADS}u + index;
if (i >= ${total}u) { return; }
let row = i % ${rows}u;
let channel = i / ${rows}u % ${channels}u;
let z = i / ${rows * channels}u;
let inside = row < ${outputs}u && channel < ${inputs}u;
let at = select(0u, ${place} * ${kernel[0] * kernel[1]}u, inside);
for (var tap = 0u; tap < ${count}u; tap++) {
let down = ${first[0]}u + tap / ${taps.columns}u * ${step[0]}u;
let across = ${first[1]}u + tap % ${taps.columns}u * ${step[1]}u;
let value = select(0.0, f32(w[at + down * ${kernel[1]}u + across]), inside);
let deep = (channel / ${chunk}u * ${count}u + tap) * ${chunk}u + channel % ${chunk}u;
if (deep < ${depth}u) { packed[(z * ${depth}u + deep) * ${rows}u + row] = ${to.storage}(value); }
}
}`;
  return {
    label: 'weights of a convolution in the order of its sum',
    code,
    bound: [
      { name: 'w', at: from.at, type: from.storage },
      { name: 'packed', at: to.at, type: to.storage, write: true },
    ],
    groups: spread(Math.ceil(total / THREADS), most),
  };
}
