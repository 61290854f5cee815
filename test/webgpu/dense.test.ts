/** Dense kernels of the WebGPU engine against the reference's own arithmetic. */

import { describe, expect, it } from 'vitest';
import type { DenseChoice, ProductShape } from '../../src/engines/webgpu/dense/index.ts';
import {
  type Cut,
  denseKernels,
  type ProductOperand,
  planConv2d,
  planConv2dTranspose,
  planConv2dWeightGrad,
  planMatmul,
} from '../../src/engines/webgpu/dense/index.ts';
import { memoryOf, plainTile, threadsOf, tileFor, tilesOf } from '../../src/engines/webgpu/dense/tile.ts';
import type { KernelCall, MatrixUnit, Planning } from '../../src/engines/webgpu/kernel.ts';
import { openNodeDevice } from '../../src/engines/webgpu/node.ts';
import { f32, input, type NdArray, type Node, sizeOf, type Tensor } from '../../src/tensor/index.ts';
import { conv2d } from '../../src/tensor/primitives/conv2d.ts';
import { conv2dTranspose } from '../../src/tensor/primitives/conv2d-transpose.ts';
import { conv2dWeightGrad } from '../../src/tensor/primitives/conv2d-weight-grad.ts';
import { matmul } from '../../src/tensor/primitives/matmul.ts';
import { randomState } from '../../src/weights/random-state.ts';
import { complaints, gpuAbilities, withPlayedUnits } from './dense-variants.ts';
import { planningFor, runCall } from './one-call.ts';

/** Relative to the largest value; the worst seen is 5.8e-7. */
const TOLERANCE = 2e-6;

const opened = await openNodeDevice().catch((error: Error) => error);
/** Checks shaders with half precision and matrix units, and runs nothing. */
const dawnFlags = ['backend=null', 'enable-dawn-features=allow_unsafe_apis'];
const checker = await openNodeDevice({ dawnFlags }).catch((error: Error) => error);
const missing = opened instanceof Error ? ` (skipped: ${opened.message})` : '';
if (missing) console.warn(`dense kernels are not run${missing}`);

const images = (name: string, ...shape: number[]): Tensor => input(name, f32(...shape));

function draws(node: Node): NdArray[] {
  const random = randomState(7);
  return node.inputs.map(({ dtype, shape }) => ({
    dtype,
    shape,
    data: Float32Array.from(random.randn(sizeOf(shape))),
  }));
}

/** Largest error of a call beside the reference, relative to the largest value. */
async function errorOf(
  node: Node,
  plan: (planning: Planning) => KernelCall | undefined,
  given: readonly NdArray[] = draws(node),
  bound: readonly NdArray[] = given,
): Promise<number> {
  const device = opened as GPUDevice;
  const call = plan(planningFor(device));
  const wide = given.map((array) => ({ ...array, data: Float64Array.from(array.data) }));
  const [expected] = node.op.reference(wide, node.attrs, node.outputs);
  device.pushErrorScope('validation');
  const [{ data }] = await runCall(device, node, call!, bound);
  const refused = await device.popErrorScope();
  if (refused !== null) throw new Error(refused.message);
  let largest = 1e-30;
  let worst = 0;
  for (const [i, value] of expected.entries()) {
    largest = Math.max(largest, Math.abs(value));
    worst = Math.max(worst, Math.abs(value - data[i]));
  }
  return worst / largest;
}

const cutOf = (
  rows: number,
  columns: number,
  depth: number,
  block: readonly [number, number],
  splits = 1,
  prefetch = true,
): Cut => ({ tile: plainTile(rows, columns, depth, block, prefetch), splits });

/** Blocks of several vectors, tiles that are not square, sums in parts. */
const CUTS: Readonly<Record<string, Cut>> = {
  'one vector a thread': cutOf(8, 8, 4, [4, 4]),
  'blocks of 8 x 8': cutOf(16, 16, 8, [8, 8]),
  'blocks of 8 x 4, no prefetch': cutOf(16, 8, 8, [8, 4], 1, false),
  'a subgroup of 8 x 4 threads': cutOf(16, 32, 8, [4, 4]),
  'three parts': cutOf(8, 16, 4, [4, 8], 3),
};

describe.skipIf(missing !== '')(`dense kernels${missing}`, () => {
  describe('matmul', () => {
    const SHAPES: [string, number[], number[]][] = [
      ['whole tiles', [16, 16], [16, 32]],
      ['tails everywhere', [19, 13], [13, 21]],
      ['columns of four', [5, 30], [30, 20]],
      ['a batch', [3, 2, 9, 6], [3, 2, 6, 12]],
      ['one row', [1, 40], [40, 10]],
      ['a few rows', [6, 70], [70, 21]],
      ['a few rows of a batch', [2, 3, 67], [2, 67, 5]],
      ['one column', [21, 11], [11, 1]],
      ['no terms', [3, 0], [0, 5]],
    ];
    for (const [name, a, b] of SHAPES) {
      const { node } = matmul(images('a', ...a), images('b', ...b));
      it(name, async () => {
        expect(await errorOf(node, (planning) => planMatmul(node, planning))).toBeLessThan(TOLERANCE);
      });
    }
    for (const [name, cut] of Object.entries(CUTS)) {
      it(name, async () => {
        const { node } = matmul(images('a', 2, 19, 37), images('b', 2, 37, 22));
        const error = await errorOf(node, (planning) => planMatmul(node, planning, undefined, { cut }));
        expect(error).toBeLessThan(TOLERANCE);
      });
    }
    it('tiny products of a batch', async () => {
      const { node } = matmul(images('a', 70, 3, 4), images('b', 70, 4, 2));
      expect(await errorOf(node, (planning) => planMatmul(node, planning))).toBeLessThan(TOLERANCE);
    });
    for (const [m, k, n] of [
      [18, 14, 11],
      [16, 12, 20],
      [5, 66, 9],
    ]) {
      for (const [ta, tb, sa, sb] of [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [1, 1, 0, 1],
        [0, 0, 1, 0],
        [0, 1, 0, 1],
      ]) {
        it(`${m} x ${k} x ${n}, transposed ${ta}${tb}, shared ${sa}${sb}`, async () => {
          const { node } = matmul(images('a', 3, m, k), images('b', 3, k, n));
          const bound = draws(node);
          const kept = bound.map((array, i) => ([sa, sb][i] ? first(array) : array));
          const laid = kept.map((array, i) => ([ta, tb][i] ? turned(array) : array));
          const given = kept.map((array, i) => ([sa, sb][i] ? repeated(array, 3) : array));
          const operand = (i: number): ProductOperand => ({
            tensor: node.inputs[i],
            transposed: Boolean([ta, tb][i]),
            shared: Boolean([sa, sb][i]),
          });
          const plan = (planning: Planning): KernelCall =>
            planMatmul(node, planning, [operand(0), operand(1)]);
          expect(await errorOf(node, plan, given, laid)).toBeLessThan(TOLERANCE);
        });
      }
    }
  });

  const sides = (a: number, b: number, c: number, d: number) => ({
    padding: [
      [a, b],
      [c, d],
    ] as [[number, number], [number, number]],
  });

  describe('conv2d', () => {
    const CASES: readonly (readonly [
      ...[string, readonly number[], readonly number[]],
      ...[Parameters<typeof conv2d>[2], DenseChoice?],
    ])[] = [
      ['3x3', [1, 5, 9, 7], [6, 5, 3, 3], { padding: 1 }],
      ['3x3, packed', [2, 5, 9, 7], [6, 5, 3, 3], { padding: 1 }, { packed: true }],
      ['3x3, several chunks', [1, 19, 5, 6], [6, 19, 3, 3], { padding: 1 }, { packed: true }],
      ['3x3, whole chunks', [1, 16, 4, 8], [16, 16, 3, 3], { padding: 1 }, { packed: true }],
      ['3x3, Winograd', [1, 5, 8, 6], [6, 5, 3, 3], { padding: 1 }, { winograd: true }],
      [
        ...(['3x3, Winograd in portions', [2, 5, 9, 7], [7, 5, 3, 3]] as const),
        ...([{ padding: 1 }, { winograd: true, portionBytes: 8000 }] as const),
      ],
      ['3x3, Winograd, cropped', [1, 5, 7, 9], [6, 5, 3, 3], sides(2, 0, -1, 1), { winograd: true }],
      ['rows of vectors', [2, 5, 5, 8], [6, 5, 3, 3], { padding: 1 }],
      ['rows of vectors, packed', [2, 9, 5, 8], [6, 9, 3, 3], { padding: 1 }, { packed: true }],
      [
        'rows of vectors, dilation',
        [1, 3, 5, 12],
        [6, 3, 3, 3],
        { padding: 3, dilation: 3 },
        { packed: true },
      ],
      ['rows of vectors, sides', [1, 3, 5, 8], [6, 3, 3, 3], sides(0, 1, 4, 2), { packed: true }],
      ['rows of vectors, one by one', [2, 5, 5, 8], [6, 5, 3, 3], { padding: 1 }, { wide: false }],
      ['2x2, padding 1', [2, 4, 5, 6], [7, 4, 2, 2], { padding: 1 }, { packed: true }],
      ['2x1, padded rows', [2, 4, 5, 6], [7, 4, 2, 1], sides(1, 1, 0, 0), { packed: true }],
      ['1x2, padded columns', [2, 4, 5, 6], [7, 4, 1, 2], sides(0, 0, 1, 1)],
      ['1x1', [2, 9, 5, 6], [7, 9, 1, 1], {}],
      ['1x1, large', [2, 9, 8, 10], [7, 9, 1, 1], {}],
      ['stride 2', [2, 3, 9, 10], [5, 3, 3, 3], { stride: 2, padding: 1 }, { packed: true }],
      ['stride and sides differ', [1, 3, 11, 9], [4, 3, 3, 2], { stride: [3, 2], ...sides(0, 2, 1, 0) }],
      ['dilation', [1, 3, 9, 10], [4, 3, 3, 3], { dilation: 2, padding: 2 }, { packed: true }],
      ['cropped', [1, 3, 9, 10], [4, 3, 3, 3], sides(-1, 0, -2, 1), { packed: true }],
      ['depthwise', [2, 6, 9, 10], [6, 1, 4, 4], { groups: 6, ...sides(2, 1, 2, 1) }],
      ['thin groups', [1, 6, 7, 5], [9, 2, 3, 3], { groups: 3, padding: 1 }],
      ['wide groups', [2, 16, 5, 4], [18, 8, 3, 3], { groups: 2, padding: 1 }],
      ['wide groups, packed', [2, 16, 5, 4], [18, 8, 3, 3], { groups: 2, padding: 1 }, { packed: true }],
      ['17 taps', [1, 2, 3, 20], [3, 2, 1, 17], {}],
    ];
    for (const [name, x, w, options, choice] of CASES) {
      it(name, async () => {
        const { node } = conv2d(images('x', ...x), images('w', ...w), options);
        const error = await errorOf(node, (planning) => planConv2d(node, planning, choice));
        expect(error).toBeLessThan(TOLERANCE);
      });
    }
    for (const [name, cut] of Object.entries(CUTS)) {
      for (const packed of [true, false]) {
        it(`${name}, ${packed ? 'packed' : 'as it lies'}`, async () => {
          const { node } = conv2d(images('x', 2, 7, 5, 6), images('w', 19, 7, 3, 3), { padding: 1 });
          const error = await errorOf(node, (planning) => planConv2d(node, planning, { cut, packed }));
          expect(error).toBeLessThan(TOLERANCE);
        });
      }
    }
  });

  describe('conv2dTranspose', () => {
    const CASES: readonly (readonly [
      ...[string, readonly number[], readonly number[]],
      ...[Parameters<typeof conv2dTranspose>[2], DenseChoice?],
    ])[] = [
      ['3x3', [1, 5, 6, 7], [5, 6, 3, 3], { padding: 1 }],
      ['3x3, Winograd', [1, 5, 6, 7], [5, 6, 3, 3], { padding: 1 }, { winograd: true }],
      ['rows of vectors', [1, 5, 6, 8], [5, 6, 3, 3], { padding: 1 }],
      ['2x2, padding 1', [2, 5, 6, 7], [5, 6, 2, 2], { padding: 1 }],
      ['2x1', [2, 5, 6, 5], [5, 6, 2, 1], sides(1, 1, 0, 0)],
      ['1x1', [2, 5, 6, 5], [5, 6, 1, 1], {}],
      ['1x1, large', [2, 9, 8, 10], [9, 7, 1, 1], {}],
      ['stride 2', [2, 5, 4, 5], [5, 6, 3, 3], { stride: 2, padding: 1, extra: [1, 0] }],
      ['stride 2, no padding', [1, 5, 4, 5], [5, 6, 3, 3], { stride: 2 }],
      ['stride 2, 1x1', [1, 5, 4, 5], [5, 6, 1, 1], { stride: 2, extra: [1, 1] }],
      ['stride 3, dilation 2', [1, 3, 4, 5], [3, 4, 3, 2], { stride: 3, dilation: 2, extra: [0, 2] }],
      ['stride 2, dilation 2', [1, 3, 4, 5], [3, 4, 3, 3], { stride: 2, dilation: 2 }],
      ['depthwise, stride 2', [1, 6, 4, 5], [6, 1, 4, 4], { stride: 2, groups: 6, padding: 1 }],
      ['wide groups', [2, 18, 5, 4], [18, 8, 3, 3], { groups: 2, padding: 1 }],
    ];
    for (const [name, x, w, options, choice] of CASES) {
      it(name, async () => {
        const { node } = conv2dTranspose(images('x', ...x), images('w', ...w), options);
        expect(await errorOf(node, (planning) => planConv2dTranspose(node, planning, choice))).toBeLessThan(
          TOLERANCE,
        );
      });
    }
  });

  describe('conv2dWeightGrad', () => {
    const CASES: [
      string,
      number[],
      number[],
      [number, number],
      Parameters<typeof conv2dWeightGrad>[3],
      Cut?,
    ][] = [
      ['3x3', [2, 5, 6, 8], [2, 7, 6, 8], [3, 3], { padding: 1 }],
      ['3x3 in parts', [2, 5, 6, 8], [2, 7, 6, 8], [3, 3], { padding: 1 }, cutOf(8, 16, 4, [4, 4], 5)],
      ['2x2', [2, 5, 6, 4], [2, 7, 7, 5], [2, 2], { padding: 1 }],
      ['1x1', [2, 5, 6, 4], [2, 7, 6, 4], [1, 1], {}],
      ['stride 2', [1, 5, 9, 8], [1, 7, 5, 4], [3, 3], { stride: 2, padding: 1 }],
      ['dilation', [1, 5, 9, 8], [1, 7, 5, 4], [3, 3], { dilation: 2 }],
      ['depthwise', [2, 6, 9, 8], [2, 6, 6, 5], [4, 4], { groups: 6 }],
      ['wide groups', [2, 16, 5, 4], [2, 18, 5, 4], [3, 3], { groups: 2, padding: 1 }],
    ];
    for (const [name, x, dy, kernel, options, cut] of CASES) {
      it(name, async () => {
        const { node } = conv2dWeightGrad(images('x', ...x), images('dy', ...dy), kernel, options);
        const choice = cut === undefined ? {} : { cut };
        const error = await errorOf(node, (planning) => planConv2dWeightGrad(node, planning, choice));
        expect(error).toBeLessThan(TOLERANCE);
      });
    }
  });

  it('goes by the names of the primitives', () => {
    expect(denseKernels.map(({ name }) => name).sort()).toEqual([
      ...['conv2d', 'conv2dTranspose', 'conv2dWeightGrad', 'matmul'],
    ]);
  });
});

const UNIT: MatrixUnit = { m: 16, n: 16, k: 16, component: 'f16', result: 'f32' };

describe('tileFor', () => {
  const limits = {
    ...{ maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 31, maxStorageBuffersPerShaderStage: 16 },
    ...{ maxComputeWorkgroupStorageSize: 49152, maxComputeInvocationsPerWorkgroup: 1024 },
    maxComputeWorkgroupsPerDimension: 65535,
  };
  const shapes: Readonly<Record<string, ProductShape>> = {
    '4 x 4 pixels': { rows: 512, columns: 16, depth: 4608, batch: 1 },
    '64 x 64 pixels': { rows: 256, columns: 4096, depth: 2304, batch: 1 },
    'a weight gradient': { rows: 64, columns: 576, depth: 65536, batch: 1 },
  };
  for (const [name, shape] of Object.entries(shapes)) {
    it(`makes workgroups enough for ${name}`, () => {
      for (const matrixUnits of [[], [UNIT]]) {
        const subgroups = { least: 32, most: 32 };
        const abilities = { limits, half: true, software: false, subgroups, matrixUnits };
        const { tile, splits } = tileFor(shape, abilities, true);
        expect(tile.unit).toEqual(matrixUnits[0]);
        expect(tilesOf(shape, tile) * splits).toBeGreaterThanOrEqual(128);
      }
    });
  }
  it('keeps to what a small device has', () => {
    const small = { ...limits, maxComputeWorkgroupStorageSize: 4096, maxComputeInvocationsPerWorkgroup: 64 };
    const abilities = { limits: small, half: false, software: false, matrixUnits: [] };
    const { tile } = tileFor(shapes['64 x 64 pixels'], abilities, false);
    expect(threadsOf(tile)).toBeLessThanOrEqual(64);
    expect(memoryOf(tile, false)).toBeLessThanOrEqual(4096);
  });
});

/** One node of each kind, and its plan. */
const NODES: Readonly<Record<string, [Node, (planning: Planning, cut?: Cut) => KernelCall]>> = (() => {
  const nodes = {
    matmul: matmul(images('a', 2, 40, 37), images('b', 2, 37, 44)).node,
    conv2d: conv2d(images('x', 1, 20, 9, 8), images('w', 35, 20, 3, 3), { padding: 1 }).node,
    conv2dTranspose: conv2dTranspose(images('x', 1, 20, 5, 4), images('w', 20, 35, 3, 3), { padding: 1 })
      .node,
    conv2dWeightGrad: conv2dWeightGrad(images('x', 1, 9, 6, 8), images('dy', 1, 35, 6, 8), [3, 3], {
      padding: 1,
    }).node,
  };
  const choice = (cut: Cut | undefined): DenseChoice => ({ packed: true, ...(cut && { cut }) });
  return {
    matmul: [nodes.matmul, (planning, cut) => planMatmul(nodes.matmul, planning, undefined, choice(cut))],
    conv2d: [nodes.conv2d, (planning, cut) => planConv2d(nodes.conv2d, planning, choice(cut))],
    conv2dTranspose: [
      nodes.conv2dTranspose,
      (planning, cut) => planConv2dTranspose(nodes.conv2dTranspose, planning, choice(cut)),
    ],
    conv2dWeightGrad: [
      nodes.conv2dWeightGrad,
      (planning, cut) => planConv2dWeightGrad(nodes.conv2dWeightGrad, planning, choice(cut)),
    ],
  };
})();

describe.skipIf(checker instanceof Error)('shaders that only Dawn checks', () => {
  const storages = { single: 'f32', half: 'f16' } as const;
  for (const [name, [, plan]] of Object.entries(NODES)) {
    for (const units of [[], [UNIT]]) {
      for (const [stored, storage] of Object.entries(storages)) {
        const splits = stored === 'half' ? 2 : 1;
        it(`${name}, ${units.length} matrix units, values in ${stored} precision`, async () => {
          const device = checker as GPUDevice;
          const planning = {
            ...planningFor(device, gpuAbilities(device, units), true),
            storageOf: () => storage,
          };
          const tile = { ...plainTile(64, 64, 32, units.length ? [32, 32] : [4, 4]) };
          const cut = { tile: units.length ? { ...tile, unit: UNIT, lanes: 32 } : tile, splits };
          expect(await complaints(device, plan(planning, cut))).toEqual([]);
          expect(await complaints(device, plan(planning))).toEqual([]);
        });
      }
    }
  }
  it('says what is wrong with a shader', async () => {
    const call = NODES.matmul[1](planningFor(checker as GPUDevice));
    const [first, ...others] = call.dispatches;
    const broken = { dispatches: [{ ...first, code: `${first.code} let` }, ...others] };
    expect(await complaints(checker as GPUDevice, broken)).not.toEqual([]);
  });
});

describe.skipIf(missing !== '')(`matrix units, played${missing}`, () => {
  const unit: MatrixUnit = { m: 4, n: 8, k: 4, component: 'f16', result: 'f32' };
  for (const [name, [node, plan]] of Object.entries(NODES)) {
    it(name, async () => {
      const tile = { ...plainTile(16, 16, 8, [8, 8]), unit, lanes: 1 };
      const played = (planning: Planning): KernelCall => {
        const half = { ...planning, half: true, abilities: { ...planning.abilities, half: true } };
        return withPlayedUnits(plan(half, { tile, splits: 1 }), unit);
      };
      expect(await errorOf(node, played)).toBeLessThan(TOLERANCE);
    });
  }
});

/** The first matrix of a batch. */
function first({ dtype, shape, data }: NdArray): NdArray {
  const size = sizeOf(shape.slice(1));
  return { dtype, shape: [1, ...shape.slice(1)], data: data.slice(0, size) };
}

function repeated({ dtype, shape, data }: NdArray, times: number): NdArray {
  const all = Float32Array.from({ length: data.length * times }, (_, i) => data[i % data.length]);
  return { dtype, shape: [times, ...shape.slice(1)], data: all };
}

/** Matrices of a batch, transposed. */
function turned({ dtype, shape: [batch, rows, columns], data }: NdArray): NdArray {
  const all = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const [z, row, column] = [Math.floor(i / rows / columns), Math.floor(i / columns) % rows, i % columns];
    all[(z * columns + column) * rows + row] = data[i];
  }
  return { dtype, shape: [batch, columns, rows], data: all };
}
