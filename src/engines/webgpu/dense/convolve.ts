/** Runs a gathering: a convolution, or the part of a transposed one that makes every so many pixels. */

import type { Operand, Storage } from '../kernel.ts';
import { addProduct, type CallBuilder, cutFor, type DenseChoice, scratchOf } from './call.ts';
import { type Chunk, depthOf, type Gathering, gatherSource, imageSink } from './image.ts';
import { isWide, wideSource } from './image-wide.ts';
import { packDispatch, packedSize, type WeightTaps } from './pack.ts';
import { matrixSink } from './sink.ts';
import { matrixSource, type Source } from './source.ts';
import type { Tile } from './tile.ts';
import { addWinograd, isWinograd, winogradPays } from './winograd.ts';

export interface Place {
  readonly at: Operand;
  readonly storage: Storage;
}

/** What a convolution reads and writes. */
export interface Convolved {
  readonly image: Place;
  readonly weight: Place;
  readonly result: Place;
}

/** With fewer pixels than this, reading weights twice takes longer than finding out each weight's tap. */
const PIXELS_WORTH_PACKING = 512;
/** Images with fewer pixels than this are put side by side rather than multiplied one by one. */
const PIXELS_OF_A_MATRIX = 64;

export function addConvolution(
  call: CallBuilder,
  label: string,
  gathering: Gathering,
  weights: WeightTaps,
  places: Convolved,
  choice: DenseChoice,
): void {
  const { batch, groups, inputs, outputs, grid, taps } = gathering;
  const pixels = grid[0] * grid[1];
  if (batch * pixels * outputs * groups === 0) return;
  if (isProduct(gathering, weights)) {
    addPointwise(call, label, gathering, weights, places, choice);
    return;
  }
  const count = taps.rows * taps.columns;
  const single = weights.kernel[0] * weights.kernel[1] === 1;
  const packed =
    !single && (weights.turned || (choice.packed ?? batch * pixels >= PIXELS_WORTH_PACKING) || count === 0);
  const shape = { rows: outputs, columns: batch * pixels, depth: inputs * count, batch: groups };
  const pays = (): boolean => choice.cut === undefined && winogradPays(call, gathering, shape);
  if (isWinograd(gathering, weights) && (choice.winograd ?? pays())) {
    addWinograd(call, label, gathering, weights, places, choice);
    return;
  }
  const cut = cutFor(call, shape, choice);
  const { tile } = cut;
  const { image, result } = places;
  const wide = isWide(gathering) && choice.wide !== false;
  const chunk: Chunk = packed ? Math.min(tile.depth, powerOfTwo(inputs)) : undefined;
  addProduct(call, {
    label,
    shape: { ...shape, depth: depthOf(gathering, chunk) },
    a: packed
      ? packedSource(call, gathering, weights, chunk!, tile, places.weight)
      : weightSource(gathering, weights, tile, places.weight),
    b: (wide ? wideSource : gatherSource)(gathering, image.at, image.storage, chunk, tile),
    sink: imageSink(gathering, result.at, result.storage, wide),
    cut,
  });
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, least)));
}

function packedSource(
  call: CallBuilder,
  gathering: Gathering,
  weights: WeightTaps,
  chunk: number,
  tile: Tile,
  from: Place,
): Source {
  const { rows, depth } = packedSize(gathering, chunk, tile);
  const storage: Storage = call.half ? 'f16' : 'f32';
  const at = scratchOf(call, Math.max(16, gathering.groups * rows * depth * (call.half ? 2 : 4)));
  const { maxComputeWorkgroupsPerDimension: most } = call.planning.abilities.limits;
  if (depth > 0) {
    call.dispatches.push(packDispatch(gathering, weights, chunk, tile, from, { at, storage }, most));
  }
  const strides = { lineStride: 1, depthStride: rows, batchStride: rows * depth };
  const matrix = { name: 'w', at, storage, lines: rows, depths: depth, ...strides };
  return matrixSource(matrix, tile.rows, tile.depth);
}

/** Weights as they lie in memory: channels first, taps second. */
function weightSource(
  { inputs, outputs, taps }: Gathering,
  { turned }: WeightTaps,
  tile: Tile,
  { at, storage }: Place,
): Source {
  const depths = inputs * taps.rows * taps.columns;
  const strides = turned ? { lineStride: 1, depthStride: outputs } : { lineStride: depths, depthStride: 1 };
  const matrix = { name: 'w', at, storage, lines: outputs, depths, ...strides };
  return matrixSource({ ...matrix, batchStride: outputs * depths }, tile.rows, tile.depth);
}

/** Whether every output pixel hears the one input pixel in its place. */
function isProduct(gathering: Gathering, { kernel }: WeightTaps): boolean {
  const { batch, groups, grid, input, output, stride, taps, start } = gathering;
  const still = [taps.first, start].every(([row, column]) => row === 0 && column === 0);
  const same = [grid, output].every(([rows, columns]) => rows === input[0] && columns === input[1]);
  const one = [...stride, taps.rows, taps.columns, ...kernel, groups].every((size) => size === 1);
  return one && still && same && (batch === 1 || grid[0] * grid[1] >= PIXELS_OF_A_MATRIX);
}

function addPointwise(
  call: CallBuilder,
  label: string,
  gathering: Gathering,
  weights: WeightTaps,
  { image, weight, result }: Convolved,
  choice: DenseChoice,
): void {
  const { batch, inputs, outputs, grid } = gathering;
  const pixels = grid[0] * grid[1];
  const shape = { rows: outputs, columns: pixels, depth: inputs, batch };
  const cut = cutFor(call, shape, choice);
  const { tile } = cut;
  const strides = weights.turned
    ? { lineStride: 1, depthStride: outputs }
    : { lineStride: inputs, depthStride: 1 };
  const left = { name: 'w', ...weight, lines: outputs, depths: inputs, ...strides, batchStride: 0 };
  const right = { name: 'x', ...image, lines: pixels, depths: inputs, lineStride: 1, depthStride: pixels };
  addProduct(call, {
    label,
    shape,
    a: matrixSource(left, tile.rows, tile.depth),
    b: matrixSource({ ...right, batchStride: inputs * pixels }, tile.columns, tile.depth),
    sink: matrixSink(result.at, result.storage, outputs, pixels),
    cut,
  });
}
