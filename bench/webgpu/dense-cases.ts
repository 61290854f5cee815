/** Dense operations of the shapes that networks have, and tiles to try on them. */

import {
  type DenseChoice,
  type ProductShape,
  planConv2d,
  planConv2dTranspose,
  planConv2dWeightGrad,
  planMatmul,
} from '../../src/engines/webgpu/dense/index.ts';
import { plainTile, type Tile, unitOf } from '../../src/engines/webgpu/dense/tile.ts';
import type { Abilities, KernelCall, Planning } from '../../src/engines/webgpu/kernel.ts';
import { f32, input, type Node, sizeOf } from '../../src/tensor/index.ts';
import { conv2d } from '../../src/tensor/primitives/conv2d.ts';
import { conv2dTranspose } from '../../src/tensor/primitives/conv2d-transpose.ts';
import { conv2dWeightGrad } from '../../src/tensor/primitives/conv2d-weight-grad.ts';
import type { ConvolutionOptions } from '../../src/tensor/primitives/convolution.ts';
import { matmul } from '../../src/tensor/primitives/matmul.ts';

export interface DenseCase {
  readonly name: string;
  readonly node: Node;
  /** As a product; undefined where no tiles are used. */
  readonly shape: ProductShape | undefined;
  /** A convolution that Winograd's filtering could make. */
  readonly threeByThree?: boolean;
  plan(planning: Planning, choice: DenseChoice): KernelCall;
}

const tensor = (name: string, shape: readonly number[]): Node['outputs'][number] =>
  input(name, f32(...shape));

type Sides = ConvolutionOptions['padding'];

function convolution(
  [from, to, size, batch]: readonly number[],
  kernel: readonly number[],
  padding: Sides,
  stride = 1,
): DenseCase {
  const x = tensor('x', [batch, from, size, size]);
  const { node, shape } = conv2d(x, tensor('w', [to, from, ...kernel]), {
    ...{ padding: padding ?? 0, stride },
  });
  return {
    name: `conv ${kernel.join('x')}${stride === 1 ? '' : ` s${stride}`} ${from}->${to} @${size} n${batch}`,
    node,
    shape: {
      ...{ rows: to, columns: batch * shape[2] * shape[3], depth: from * kernel[0] * kernel[1], batch: 1 },
    },
    threeByThree: stride === 1 && kernel.every((size) => size === 3),
    plan: (planning, choice) => planConv2d(node, planning, choice),
  };
}

function transposed(
  [from, to, size, batch]: readonly number[],
  kernel: number,
  padding: number,
  stride = 1,
): DenseCase {
  const x = tensor('x', [batch, from, size, size]);
  const { node, shape } = conv2dTranspose(x, tensor('w', [from, to, kernel, kernel]), { padding, stride });
  return {
    name: `transposed ${kernel}x${kernel}${stride === 1 ? '' : ` s${stride}`} ${from}->${to} @${size} n${batch}`,
    node,
    shape: {
      rows: to,
      columns: Math.ceil((batch * shape[2] * shape[3]) / stride / stride),
      depth: Math.ceil((from * kernel * kernel) / stride / stride),
      batch: 1,
    },
    threeByThree: stride === 1 && kernel === 3,
    plan: (planning, choice) => planConv2dTranspose(node, planning, choice),
  };
}

function gradient([from, to, size, batch]: readonly number[], kernel: number, padding: number): DenseCase {
  const out = size + 2 * padding - kernel + 1;
  const x = tensor('x', [batch, from, size, size]);
  const { node } = conv2dWeightGrad(x, tensor('dy', [batch, to, out, out]), [kernel, kernel], { padding });
  return {
    name: `weight gradient ${kernel}x${kernel} ${from}->${to} @${size} n${batch}`,
    node,
    shape: { rows: to, columns: from * kernel * kernel, depth: batch * out * out, batch: 1 },
    plan: (planning, choice) => planConv2dWeightGrad(node, planning, choice),
  };
}

function product([rows, depth, columns]: readonly number[], batch = 1, turned = false): DenseCase {
  const { node } = matmul(tensor('a', [batch, rows, depth]), tensor('b', [batch, depth, columns]));
  const operands = [{ tensor: node.inputs[0] }, { tensor: node.inputs[1], transposed: turned }] as const;
  return {
    name: `matmul ${batch === 1 ? '' : `${batch} x `}${rows} x ${depth} x ${columns}${turned ? ', B turned' : ''}`,
    node,
    shape: { rows, columns, depth, batch },
    plan: (planning, choice) => planMatmul(node, planning, operands, choice),
  };
}

function depthwise(channels: number, size: number): DenseCase {
  const options = { groups: channels, padding: 1 };
  const { node } = conv2d(tensor('x', [1, channels, size, size]), tensor('w', [channels, 1, 4, 4]), options);
  const plan: DenseCase['plan'] = (planning, choice) => planConv2d(node, planning, choice);
  return { name: `depthwise 4x4 ${channels} @${size}`, node, shape: undefined, plan };
}

const ROWS: Sides = [
  [1, 1],
  [0, 0],
];

/** The most telling first. */
export const CASES: readonly DenseCase[] = [
  convolution([256, 256, 64, 1], [3, 3], 1),
  convolution([256, 256, 256, 1], [3, 3], 1),
  gradient([256, 256, 64, 8], 3, 1),
  convolution([512, 512, 16, 1], [3, 3], 1),
  convolution([256, 256, 64, 8], [3, 3], 1),
  convolution([64, 64, 256, 1], [3, 3], 1),
  product([4096, 1024, 1024]),
  convolution([512, 512, 32, 1], [3, 3], 1),
  convolution([512, 512, 4, 1], [3, 3], 1),
  convolution([512, 512, 8, 1], [3, 3], 1),
  convolution([512, 512, 32, 1], [2, 2], 1),
  transposed([512, 512, 33, 1], 2, 1),
  gradient([512, 512, 16, 8], 3, 1),
  product([16, 512, 512], 1, true),
  product([1, 512, 512], 1, true),
  product([3, 256, 65536], 4),
  convolution([128, 128, 128, 1], [3, 3], 1),
  convolution([128, 128, 512, 1], [3, 3], 1),
  convolution([128, 288, 256, 1], [1, 1], 0),
  transposed([256, 256, 64, 1], 3, 1),
  transposed([256, 256, 64, 1], 3, 0, 2),
  gradient([64, 64, 256, 4], 3, 1),
  gradient([512, 512, 32, 1], 2, 1),
  convolution([512, 512, 4, 8], [3, 3], 1),
  convolution([128, 256, 128, 4], [3, 3], 1, 2),
  convolution([512, 512, 32, 1], [2, 1], ROWS),
  convolution([512, 512, 32, 1], [1, 1], 0),
  convolution([3, 64, 256, 4], [3, 3], 1),
  convolution([64, 3, 256, 4], [3, 3], 1),
  product([1024, 1024, 1024]),
  product([262144, 32, 64]),
  product([65536, 64, 4]),
  depthwise(256, 128),
];

/** Sizes for a software adapter. */
export const SMALL_CASES: readonly DenseCase[] = [
  convolution([8, 8, 8, 1], [3, 3], 1),
  transposed([8, 8, 5, 1], 3, 1, 2),
  gradient([4, 8, 8, 1], 3, 1),
  product([16, 24, 20], 2, true),
  depthwise(4, 8),
];

/** How operands and arithmetic are: all in single precision; half precision by plain arithmetic; by matrix units. */
export type Mode = 'f32' | 'half' | 'units';

/** Tiles to try. */
export function tilesFor(mode: Mode, abilities: Abilities): Tile[] {
  if (abilities.software)
    return [plainTile(16, 16, 8, [4, 4], true, 1), plainTile(8, 16, 4, [4, 4], false, 1)];
  if (mode === 'units') {
    const found = unitOf(abilities);
    if (found === undefined) return [];
    const { m, n, k } = found.unit!;
    return UNIT_TILES.filter(
      ({ block, depth }) => block[0] % m === 0 && block[1] % n === 0 && depth % k === 0,
    ).map((tile) => ({ ...tile, ...found }));
  }
  return PLAIN_TILES;
}

const PLAIN_TILES: Tile[] = [
  plainTile(128, 128, 16, [8, 8]),
  plainTile(128, 128, 16, [8, 8], false),
  plainTile(128, 128, 8, [8, 8]),
  plainTile(128, 128, 16, [8, 8], true, 16),
  plainTile(128, 128, 16, [8, 8], true, 1),
  plainTile(128, 64, 16, [8, 4]),
  plainTile(64, 128, 16, [8, 4]),
  plainTile(64, 128, 16, [8, 4], false),
  plainTile(64, 128, 16, [4, 8]),
  plainTile(64, 128, 16, [8, 8]),
  plainTile(64, 64, 16, [8, 8]),
  plainTile(64, 64, 16, [8, 4]),
  plainTile(64, 64, 16, [4, 4]),
  plainTile(64, 64, 32, [8, 4]),
  plainTile(32, 128, 16, [4, 8]),
  plainTile(32, 64, 32, [4, 4]),
  plainTile(32, 256, 16, [8, 4]),
  plainTile(16, 256, 16, [4, 4]),
  plainTile(16, 64, 32, [4, 4]),
  plainTile(16, 32, 32, [4, 4]),
  plainTile(4, 512, 8, [4, 4]),
  plainTile(4, 128, 32, [4, 4]),
  plainTile(256, 16, 16, [4, 4]),
  plainTile(512, 4, 8, [4, 4]),
  plainTile(64, 16, 32, [4, 4]),
  plainTile(128, 16, 32, [8, 4]),
];

const UNIT_TILES: Tile[] = [
  plainTile(128, 128, 32, [64, 32]),
  plainTile(128, 128, 32, [64, 32], false),
  plainTile(128, 128, 32, [64, 64]),
  plainTile(128, 128, 16, [64, 32]),
  plainTile(128, 128, 64, [64, 32]),
  plainTile(128, 128, 32, [32, 64]),
  plainTile(128, 128, 32, [32, 32]),
  plainTile(64, 128, 32, [32, 32]),
  plainTile(64, 128, 32, [64, 32]),
  plainTile(128, 64, 32, [32, 32]),
  plainTile(128, 256, 32, [64, 64]),
  plainTile(64, 256, 32, [64, 32]),
  plainTile(64, 64, 32, [32, 32]),
  plainTile(64, 64, 32, [32, 16]),
  plainTile(64, 64, 64, [32, 32]),
  plainTile(32, 64, 32, [16, 32]),
  plainTile(32, 128, 32, [32, 32]),
  plainTile(64, 32, 64, [32, 16]),
  plainTile(64, 16, 64, [16, 16]),
  plainTile(128, 16, 64, [32, 16]),
  plainTile(16, 128, 32, [16, 32]),
];

/** Whether a value is stored in half precision in that mode: large ones that are no weights. */
export function isHalf(mode: Mode, name: string, shape: readonly number[]): boolean {
  return mode !== 'f32' && name !== 'w' && sizeOf(shape) >= 1 << 14;
}
